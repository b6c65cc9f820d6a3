"""Settings of ingest, from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class ConfigError(ValueError):
    """A setting is missing or wrong; the message names it."""


class Config(Struct, frozen=True, kw_only=True):
    """What ingest is told.

    Attributes:
        database_url: PARKCARBON_DATABASE_URL.
        broker_url: PARKCARBON_BROKER_URL, `mqtt://user:password@host:port` or `mqtts://…`; None for the verbs.
        broker_ca: PARKCARBON_BROKER_CA, certificate authority of the broker; None: those the system trusts.
        metrics_port: PARKCARBON_METRICS_PORT; None: no metrics.
    """

    database_url: str
    broker_url: str | None = None
    broker_ca: Path | None = None
    metrics_port: int | None = None


def read_config(environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings.

    Raises:
        ConfigError: PARKCARBON_DATABASE_URL is missing, or a port is no number.
    """
    url = environment.get("PARKCARBON_DATABASE_URL")
    if not url:
        raise ConfigError("PARKCARBON_DATABASE_URL is not set (postgresql://user:password@host:port/database)")
    port = environment.get("PARKCARBON_METRICS_PORT") or None
    if port is not None and not port.isdigit():
        raise ConfigError(f"PARKCARBON_METRICS_PORT is no port: {port!r}")
    ca = environment.get("PARKCARBON_BROKER_CA") or None
    return Config(
        database_url=url,
        broker_url=environment.get("PARKCARBON_BROKER_URL") or None,
        broker_ca=None if ca is None else Path(ca),
        metrics_port=None if port is None else int(port),
    )
