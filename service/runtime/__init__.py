"""Runs the exported graphs."""

import model  # noqa: F401 (it tells ONNX Runtime to report to nobody, which must come before that is imported)
