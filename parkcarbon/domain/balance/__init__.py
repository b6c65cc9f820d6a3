"""The energy balance of connection points by the hour, storage losses, reconciliation, and data that looks wrong."""
