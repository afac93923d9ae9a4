"""The Open Inference Protocol (KServe's version 2) over HTTP, beside version 1 of our own API."""
