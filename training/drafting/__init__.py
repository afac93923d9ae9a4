"""Drafting: `watchnext init`."""

from training.drafting.draft import draft_config

__all__ = ["draft_config"]
