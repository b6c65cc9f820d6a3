"""Alarms: what a rule has found, what follows from it, and who is told; pure."""
