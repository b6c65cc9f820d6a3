"""The configuration of a gateway: a YAML file, decoded strictly and checked once at the start."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from parkcarbon.kit.mqtt import Broker
from parkcarbon.kit.settings import SettingsError, load_yaml

Slug = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")]


class GatewayConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What a gateway is told.

    Attributes:
        park: organisation.
        gateway: own name.
        local_broker: URL of the broker that the sources speak to.
        uplink_broker: URL of the cloud's broker.
        data: folder of the durable queue.
        sources: whom it relays; nobody else.
        max_queue_mb: size limit of the queue [MB].
        keep_days: how long it remembers what it delivered, to answer repetitions [d].
        status_s: time between two status messages [s].
        uplink_ca_file: certificate authority of the cloud's broker; None: those the system trusts.
    """

    park: Slug
    gateway: Slug
    local_broker: str
    uplink_broker: str
    data: str
    sources: Annotated[tuple[Slug, ...], Meta(min_length=1)]
    max_queue_mb: Annotated[int, Meta(ge=8)] = 1024
    keep_days: Annotated[float, Meta(gt=0)] = 30.0
    status_s: Annotated[float, Meta(ge=1)] = 30.0
    uplink_ca_file: str | None = None


def load_config(path: Path) -> GatewayConfig:
    """Read a configuration; a relative `data` is relative to the file.

    Raises:
        SettingsError: with file, place and value.
    """
    config = load_yaml(path, GatewayConfig)
    if len(set(config.sources)) != len(config.sources):
        raise SettingsError(f"{path}: sources: a name is given twice")
    if config.gateway in config.sources:
        raise SettingsError(f"{path}: sources: {config.gateway!r} is the gateway itself")
    return msgspec.structs.replace(config, data=str(path.resolve().parent / config.data))


def broker(url: str, what: str, ca_file: str | None = None) -> Broker:
    """Parse a broker's URL.

    Raises:
        SettingsError: naming the setting.
    """
    try:
        return Broker.from_url(url, ca_file=None if ca_file is None else Path(ca_file))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{what}: {error}") from None
