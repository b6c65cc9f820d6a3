"""Periods: what stands before closing, what was frozen, what changed since."""
