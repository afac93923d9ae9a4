"""Requests and every kind of answer, as the OpenAPI document shows them; a file a topic."""
