"""The offline line: from raw logs to a published bundle."""
