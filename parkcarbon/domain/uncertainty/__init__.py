"""Uncertainty at 95 %: which errors are one draw, which are many, and what they do to a sum of correlated lines."""
