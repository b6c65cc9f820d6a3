"""Alarms of a one-machine park: its rules, and an inbox for what they tell."""
