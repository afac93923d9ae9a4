"""Scripts that measure, and print what docs/results.md records."""
