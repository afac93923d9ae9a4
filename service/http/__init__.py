"""The edge: routes, wire formats, and the table from errors to HTTP statuses."""
