"""Addresses of channels, from the environment: secrets of the alerts process, never in a park's document.

A receiver of the document names a channel `desk-mail`; its address is `PARKCARBON_ALARM_CHANNEL_DESK_MAIL`, or the
content of the file that `PARKCARBON_ALARM_CHANNEL_DESK_MAIL_FILE` names.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.settings import SettingsError

from .alertmanager import AlertmanagerChannel
from .apprise_channel import AppriseChannel
from .base import Channel

PREFIX: Final = "PARKCARBON_ALARM_CHANNEL_"
FILE: Final = "_FILE"


def variable_of(name: str) -> str:
    """Variable with the address of a channel.

    >>> variable_of("desk-mail")
    'PARKCARBON_ALARM_CHANNEL_DESK_MAIL'
    """
    return PREFIX + name.replace("-", "_").upper()


class Channels:
    """The channels that this process has an address for.

    Args:
        environment: variables.
        clock: time.

    Raises:
        SettingsError: addresses that cannot be used, each named by its variable; what they hold is not shown.
    """

    def __init__(self, environment: Mapping[str, str], clock: Clock) -> None:
        self._by_variable: dict[str, Channel] = {}
        wrong: list[str] = []
        for variable in sorted(environment):
            if not variable.startswith(PREFIX):
                continue
            name = variable.removesuffix(FILE)
            if name in self._by_variable:
                wrong.append(f"{name} and {name}{FILE} are both set")
                continue
            try:
                self._by_variable[name] = open_channel(_address(variable, environment[variable]), clock)
            except ValueError as error:
                wrong.append(f"{variable}: {error}")
        if wrong:
            raise SettingsError("; ".join(wrong))

    def get(self, name: str) -> Channel | None:
        """The channel of that name; None: this process has no address for it."""
        return self._by_variable.get(variable_of(name))

    def __len__(self) -> int:
        return len(self._by_variable)


def open_channel(address: str, clock: Clock) -> Channel:
    """The channel that an address names.

    Raises:
        ValueError: it names none; the text does not show it.
    """
    if not address.strip():
        raise ValueError("it is empty")
    if address.partition("://")[0] in {"alertmanager", "alertmanagers"}:
        try:
            return AlertmanagerChannel(address.strip(), clock)
        except Exception as error:
            if isinstance(error, ValueError):
                raise
            raise ValueError("it is no URL of an Alertmanager") from None
    return AppriseChannel(address.strip())


def _address(variable: str, value: str) -> str:
    if not variable.endswith(FILE):
        return value
    try:
        return Path(value).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"{value}: {error.strerror}") from None
