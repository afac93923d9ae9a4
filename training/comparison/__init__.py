"""Comparison: sharing architectures against each other and against single-task twins, in equal circumstances."""
