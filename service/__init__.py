"""The online line: from a published bundle to ranked candidates over HTTP."""
