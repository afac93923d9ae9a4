"""What the service tells of itself: a request leaves a trace, of which a thread makes metrics, drift and spans."""
