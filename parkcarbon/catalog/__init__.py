"""Definitions as data: device profiles, emission factors and the park document, with their loaders."""
