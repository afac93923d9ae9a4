"""Simulated logs with known truth: the world, and what is logged in it."""
