"""The two views of who emitted what."""
