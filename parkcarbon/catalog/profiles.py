"""Device profiles: plain YAML files read into domain models.

A profile that does not fit its schema, or whose points contradict themselves, is refused with file and key.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from parkcarbon.domain import profile as domain

from .strict import document_problems, load_yaml

_Address = Annotated[int, Meta(ge=0, le=65535, description="wire address, 0-based; not the number a manual prints")]
_NumberType = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
_Order = Literal["big", "little"]


class PartFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is added to its point's: read in the same request."""

    address: _Address
    type: _NumberType
    scale: float = 1.0


class PointFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One quantity of the device."""

    quantity: str
    address: _Address
    function: Literal[3, 4]
    type: _NumberType
    word_order: _Order = "big"
    byte_order: _Order = "big"
    scale: float = 1.0
    not_available: tuple[Annotated[int, Meta(ge=0)], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    parts: tuple[PartFile, ...] = ()
    resolution: Annotated[float, Meta(ge=0)] = 0.0
    modulus: Annotated[float, Meta(gt=0)] | None = None
    ratio: Literal["none", "ct", "pt", "ct_pt"] = "none"
    note: str = ""


class SerialFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the device shows its serial number."""

    address: _Address
    function: Literal[3, 4]
    type: Literal["u16", "u32", "u64", "string"]
    registers: Annotated[int, Meta(ge=1, le=125)]
    word_order: _Order = "big"


class DefaultsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Factory communication settings."""

    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    baud: Annotated[int, Meta(ge=300)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_s: Annotated[float, Meta(gt=0)] = 1.0
    pause_s: Annotated[float, Meta(ge=0)] = 0.0


class ProfileFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A device model as written in `profiles/<name>.yaml`."""

    vendor: str
    model: str
    source: tuple[str, ...]
    points: tuple[PointFile, ...] = ()
    transport: Literal["modbus", "file"] = "modbus"
    max_registers_per_read: Annotated[int, Meta(ge=1, le=125)] = 125
    max_gap: Annotated[int, Meta(ge=0, le=124)] = 0
    serial: SerialFile | None = None
    defaults: DefaultsFile = DefaultsFile()
    note: str = ""


class ProfileError(ValueError):
    """A profile is missing or wrong; the message names the file and the key."""


@cache
def profile_names() -> tuple[str, ...]:
    """Return the names of all profiles, sorted."""
    return tuple(sorted(file.name[:-5] for file in _folder().iterdir() if file.name.endswith(".yaml")))


@cache
def load_profile(name: str) -> domain.DeviceProfile:
    """Load a profile of the catalog.

    Raises:
        ProfileError: there is none of this name, or it is wrong.
    """
    if name not in profile_names():
        raise ProfileError(f"no device profile {name!r}; known: {', '.join(profile_names())}")
    return parse_profile(name, (_folder() / f"{name}.yaml").read_text(encoding="utf-8"))


def parse_profile(name: str, text: str) -> domain.DeviceProfile:
    """Read the text of a profile and check it.

    Raises:
        ProfileError: with all problems, each with its key.
    """
    try:
        raw = load_yaml(text)
    except yaml.YAMLError as error:
        raise ProfileError(f"profiles/{name}.yaml: not YAML: {' '.join(str(error).split())}") from error
    _refuse(name, document_problems(raw, ProfileFile))
    profile = _to_domain(name, msgspec.convert(raw, ProfileFile))
    _refuse(name, domain.check_profile(profile))
    return profile


def _refuse(name: str, problems: Iterable[str]) -> None:
    if lines := [f"profiles/{name}.yaml: {problem}" for problem in problems]:
        raise ProfileError("\n".join(lines))


def canonical_profile(profile: domain.DeviceProfile) -> bytes:
    """Give the canonical JSON of a profile: sorted keys, no spaces, UTF-8."""
    return json.dumps(asdict(profile), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@cache
def profile_hash(name: str) -> str:
    """Return the SHA-256 of a profile's canonical JSON, in hex: what a batch header carries."""
    return hashlib.sha256(canonical_profile(load_profile(name))).hexdigest()


def _folder() -> Traversable:
    return resources.files("parkcarbon.catalog") / "profiles"


def _to_domain(name: str, document: ProfileFile) -> domain.DeviceProfile:
    serial = document.serial
    return domain.DeviceProfile(
        name=name,
        vendor=document.vendor,
        model=document.model,
        points=tuple(_point(point) for point in document.points),
        source=document.source,
        transport=document.transport,
        max_registers_per_read=document.max_registers_per_read,
        max_gap=document.max_gap,
        serial=domain.SerialDef(**msgspec.structs.asdict(serial)) if serial else None,
        defaults=domain.Defaults(**msgspec.structs.asdict(document.defaults)),
        note=document.note,
    )


def _point(point: PointFile) -> domain.PointDef:
    members = msgspec.structs.asdict(point)
    members["parts"] = tuple(domain.Part(**msgspec.structs.asdict(part)) for part in point.parts)
    return domain.PointDef(**members)
