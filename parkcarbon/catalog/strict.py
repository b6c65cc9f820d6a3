"""Decode a document into structs and report every member that does not fit, not only the first."""

import types
import typing
from collections.abc import Iterator
from typing import Any, TypeGuard

import msgspec
from msgspec import Struct


def problems(raw: object, kind: type[Struct], place: str = "") -> Iterator[str]:
    """Yield a line for every member of `raw` that does not fit `kind`: place, value, what is expected.

    Args:
        raw: what the YAML parser made of the document.
        kind: the struct it should be.
        place: where `raw` stands in the document.
    """
    if not isinstance(raw, dict):
        yield f"{place or 'document'}: {_shown(raw)}: a mapping is expected"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key in raw:
        if key not in fields:
            yield f"{_join(place, key)}: unknown; known here: {', '.join(sorted(fields))}"
    for name, field in fields.items():
        if name in raw:
            yield from _member(raw[name], field.type, _join(place, name))
        elif field.required:
            yield f"{_join(place, name)}: missing"


def _member(value: object, kind: Any, place: str) -> Iterator[str]:
    inner = _struct_of(kind)
    if inner is not None and isinstance(value, dict):
        yield from problems(value, inner, place)
        return
    item = _item_of(kind)
    if item is not None and isinstance(value, list):
        for number, element in enumerate(value):
            yield from problems(element, item, f"{place}[{_label(element, item, number)}]")
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield f"{place}: {_shown(value)}: {error}"


def _struct_of(kind: Any) -> type[Struct] | None:
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return next((option for option in options if _is_struct(option)), None)


def _item_of(kind: Any) -> type[Struct] | None:
    arguments = typing.get_args(kind)
    is_sequence = typing.get_origin(kind) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis
    return arguments[0] if is_sequence and _is_struct(arguments[0]) else None


def _is_struct(kind: object) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _label(element: object, kind: type[Struct], number: int) -> str:
    """Name an element by its first member where that is a text, else by its position."""
    first = kind.__struct_fields__[0]
    name = element.get(first) if isinstance(element, dict) else None
    return name if isinstance(name, str) else str(number)


def _join(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
