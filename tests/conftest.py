"""Fixtures that every test may ask for; see the modules named here."""

pytest_plugins = ["tests.fakes.postgres"]
