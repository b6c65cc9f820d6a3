"""Settings of the alerts process, from the environment; addresses of channels are in `channels.settings`."""

import os
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from parkcarbon.kit.settings import SettingsError, from_environment

__all__ = ["Config", "SettingsError", "read_config"]


class Config(Struct, frozen=True, kw_only=True):
    """What the process is told.

    Attributes:
        database_url: PARKCARBON_DATABASE_URL.
        alerts_page_url: PARKCARBON_ALERTS_PAGE_URL, address of the page, for links in messages; empty: no links.
        alerts_lease_s: PARKCARBON_ALERTS_LEASE_S, so long after an evaluator was last heard of another takes over [s].
        alerts_tick_s: PARKCARBON_ALERTS_TICK_S, longest pause between two looks [s].
        alerts_send_s: PARKCARBON_ALERTS_SEND_S, longest a channel may take for a message [s]; what was under way
            when a process died is sent again after twice as long.
        alerts_heartbeat_channel: PARKCARBON_ALERTS_HEARTBEAT_CHANNEL, where a heartbeat goes each minute; empty: no.
        alerts_heartbeat_readings_s: PARKCARBON_ALERTS_HEARTBEAT_READINGS_S, no heartbeat when no reading was committed
            for so long [s]; None: it tells of the evaluator alone.
        alerts_metrics_port: PARKCARBON_ALERTS_METRICS_PORT; None: no metrics.
    """

    database_url: str
    alerts_page_url: str = ""
    alerts_lease_s: Annotated[float, Meta(gt=0)] = 10.0
    alerts_tick_s: Annotated[float, Meta(gt=0)] = 1.0
    alerts_send_s: Annotated[float, Meta(gt=0)] = 30.0
    alerts_heartbeat_channel: str = ""
    alerts_heartbeat_readings_s: Annotated[float, Meta(gt=0)] | None = None
    alerts_metrics_port: Annotated[int, Meta(ge=1, le=65535)] | None = None


def read_config(environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings.

    Raises:
        SettingsError: PARKCARBON_DATABASE_URL is missing, or a value does not fit.
    """
    return from_environment(Config, environment)
