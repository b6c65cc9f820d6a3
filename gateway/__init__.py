"""Park concentrator: a durable relay with one uplink, and adapters for third-party data."""
