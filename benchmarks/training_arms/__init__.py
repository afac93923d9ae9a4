"""What `benchmarks.training` measures: simulated impressions, and each library's training on them."""
