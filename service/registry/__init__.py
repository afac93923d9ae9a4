"""Which bundle is live."""
