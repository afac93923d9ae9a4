"""A request and a live bundle to a ranking; no web framework."""
