"""What the service tells of itself: metrics, drift, logs, traces. A request leaves a trace; a thread makes figures of it."""
