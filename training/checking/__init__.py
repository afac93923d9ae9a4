"""Checking: `watchnext check`."""

from training.checking.check import check
from training.checking.findings import Finding, render

__all__ = ["Finding", "check", "render"]
