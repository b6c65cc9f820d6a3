"""Mosquitto for a park that others can reach: who may speak where."""
