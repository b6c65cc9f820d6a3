"""Alarms of a park: rules as people write them, what they look at, where alarms are kept, what is sent."""
