"""Settings, decoded strictly into a frozen msgspec Struct: from a YAML file, or from `PARKCARBON_*` variables.

Errors name the file or variable and what is wrong with it. A variable `PARKCARBON_X_FILE` gives the path of a file
whose content is the value of `PARKCARBON_X`, so that secrets stay out of the environment.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

PREFIX = "PARKCARBON_"

Settings = TypeVar("Settings", bound=msgspec.Struct)


class SettingsError(ValueError):
    """The settings cannot be used; the message says where and why."""


def load_yaml(path: Path, kind: type[Settings]) -> Settings:
    """Read a YAML file.

    Args:
        path: the file.
        kind: a Struct, best with `forbid_unknown_fields`.

    Raises:
        SettingsError: the file cannot be read or does not fit.
    """
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}") from None


def from_environment(kind: type[Settings], environment: Mapping[str, str]) -> Settings:
    """Read the variable `PARKCARBON_NAME` for each member `name`; texts are converted to the member's type.

    Raises:
        SettingsError: a variable is missing or does not fit.
    """
    given: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        variable = PREFIX + field.name.upper()
        value = _value(variable, environment)
        if value is not None:
            given[field.name] = value
        elif field.required:
            raise SettingsError(f"{variable} is not set")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        variable = PREFIX + place.rstrip("`").upper()
        raise SettingsError(f"{variable}: {text}") from None


def _value(variable: str, environment: Mapping[str, str]) -> str | None:
    path = environment.get(f"{variable}_FILE")
    if path is None:
        return environment.get(variable)
    if variable in environment:
        raise SettingsError(f"{variable} and {variable}_FILE are both set")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise SettingsError(f"{variable}_FILE: {path}: {error.strerror}") from None
