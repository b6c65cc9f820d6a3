"""Shared code: what the processes agree on and build upon."""
