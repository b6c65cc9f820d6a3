"""Formats of a statement: each a function of its frozen record, and of nothing else."""
