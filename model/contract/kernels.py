"""Kernels: the innermost loops of a request, compiled from kernels.c where there was a compiler at installation.

Each has its equal in Python, beside its only caller, which says what it computes and serves without it, more slowly.
"""

import contextlib
import importlib
from typing import Any

COMPILED: Any = None  # the module, or None
with contextlib.suppress(ImportError):
    COMPILED = importlib.import_module("model.contract._kernels")
