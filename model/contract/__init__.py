"""The contract between training and serving: needs numpy and pydantic only."""
