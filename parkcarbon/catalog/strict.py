"""Read YAML strictly: no silent second key, and every member that does not fit is reported, not only the first."""

import types
import typing
from collections.abc import Hashable, Iterator
from typing import Any, TypeGuard

import msgspec
import yaml
from msgspec import Struct

_BOOL = "tag:yaml.org,2002:bool"


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that leaves time stamps as text, so that quoted and bare ones read alike."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the attribute that PyYAML looks at
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002
        """Refuse a key that appears twice: YAML itself would silently keep the last."""
        seen: set[object] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping", node.start_mark, f"key {key.value!r} appears twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _WordLoader(_PlainLoader):
    """As in YAML 1.2, `on`, `off`, `yes` and `no` are words; only `true` and `false` are truth values.

    There are no aliases: a few of them become millions of members where a document comes from outside.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - the attribute that PyYAML looks at
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL or first in "tTfF"]
        for first, resolvers in _PlainLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read here", event.start_mark)
        return super().compose_node(parent, index)


def load_yaml(text: bytes | str, *, words: bool = False) -> Any:
    """Parse YAML (or JSON) into plain data; time stamps stay text.

    Args:
        text: the document.
        words: True where `on` and `off` are members and not truth values; aliases are refused then.

    Raises:
        yaml.YAMLError: not YAML, or a key appears twice in one mapping.
    """
    return yaml.load(text, Loader=_WordLoader if words else _PlainLoader)  # noqa: S506 - safe loaders


def document_problems(raw: object, kind: type[Struct], place: str = "") -> Iterator[str]:
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
        yield from document_problems(value, inner, place)
        return
    item = _item_of(kind)
    if item is not None and isinstance(value, list):
        for number, element in enumerate(value):
            yield from document_problems(element, item, f"{place}[{_label(element, item, number)}]")
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield f"{place}: {_shown(value)}: {error}{_known(kind)}"


def _known(kind: Any) -> str:
    """The values there are, where a member takes one of a few."""
    options = [part for part in (kind, *typing.get_args(kind)) if typing.get_origin(part) is typing.Literal]
    names = [str(name) for option in options for name in typing.get_args(option)]
    return f"; known here: {', '.join(names)}" if names else ""


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
    first = msgspec.structs.fields(kind)[0]
    is_text = str in (first.type, *typing.get_args(first.type))
    name = element.get(first.encode_name) if isinstance(element, dict) and is_text else None
    return name if isinstance(name, str) else str(number)


def _join(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
