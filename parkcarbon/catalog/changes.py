"""What changed between two versions of a park document, in plain words."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from .park import Park

_KEYS = {
    "tenants": "tenant",
    "sources": "source",
    "devices": "device",
    "points": "quantity",
    "episodes": "at",
    "factor_series": "factor",
    "entities": "entity",
    "connections": "connection",
    "storage": "storage",
    "allocation": "rule",
    "weights": "tenant",
    "deliveries": "delivery",
    "formulas": "formula",
    "terms": "point",
}
_WORDS = {
    "tenants": "tenant",
    "sources": "source",
    "devices": "device",
    "points": "point",
    "episodes": "episode",
    "factor_series": "factor series",
    "entities": "entity",
    "connections": "connection",
    "storage": "storage",
    "allocation": "allocation rule",
    "weights": "weight",
    "deliveries": "delivery",
    "formulas": "formula",
    "terms": "term",
}


def describe_changes(old: Park, new: Park) -> list[str]:
    """Return one line per difference, in the order of the document; empty when nothing changed.

    A list is compared by the names of its elements, so that a moved device is one line and not two.
    """
    return list(_struct("", old, new))


def _struct(place: str, old: Struct, new: Struct) -> Iterator[str]:
    for name in new.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if name in _KEYS:
            yield from _list(place, name, before, after)
        elif isinstance(before, Struct) and isinstance(after, Struct) and name != "name":
            yield from _struct(_below(place, name), before, after)
        else:
            yield f"{_below(place, name)}: {_shown(before)} → {_shown(after)}"


def _list(place: str, name: str, old: Sequence[Struct], new: Sequence[Struct]) -> Iterator[str]:
    key, word = _KEYS[name], _WORDS[name]
    before = {getattr(item, key): item for item in old}
    after = {getattr(item, key): item for item in new}
    for identity, item in before.items():
        if identity not in after:
            yield f"{_below(place, word)} {_shown(identity)}: removed{_summary(item, key)}"
    for identity, item in after.items():
        if identity not in before:
            yield f"{_below(place, word)} {_shown(identity)}: added{_summary(item, key)}"
        else:
            yield from _struct(f"{_below(place, word)} {_shown(identity)}", before[identity], item)
    kept = [identity for identity in before if identity in after]
    if kept != [identity for identity in after if identity in before]:
        yield f"{_below(place, name)}: order is now {', '.join(_shown(identity) for identity in after)}"


def _summary(item: Struct, key: str) -> str:
    """Members that were set, in brackets; lists by their length."""
    parts = []
    for field in msgspec.structs.fields(item):
        value = getattr(item, field.name)
        if field.name == key or value in (field.default, ()):
            continue
        if field.name in _KEYS:
            parts.append(f"{len(value)} {_WORDS[field.name] if len(value) == 1 else field.name}")
        else:
            parts.append(f"{field.name} {_shown(value)}")
    return f" ({', '.join(parts)})" if parts else ""


def _below(place: str, name: str) -> str:
    return f"{place}, {name}" if place else name


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(_shown(item) for item in value) or "none"
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Struct):
        return " / ".join(_shown(getattr(value, name)) for name in value.__struct_fields__)
    return f"{value:.15g}" if isinstance(value, float) else str(value)
