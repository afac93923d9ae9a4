"""Commands of `watchnext` that are a topic of their own."""
