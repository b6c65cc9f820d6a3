"""Routes of alarms."""
