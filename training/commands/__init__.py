"""Commands that have commands of their own, one file a topic."""
