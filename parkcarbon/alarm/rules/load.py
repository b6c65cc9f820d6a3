"""Reading the document: YAML or plain data in, `Alarms` out, everything that is wrong with it named at once."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import yaml

from parkcarbon.catalog.strict import document_problems, load_yaml
from parkcarbon.domain.refusal import RefusedError

from .document import Alarms

MAX_BYTES: Final = 2_000_000
"""A document is at most so long; a thousand rules are a quarter of it."""


def load_rules(text: bytes | str) -> Alarms:
    """Parse the document.

    Raises:
        RefusedError: it is not YAML, says something twice, or has members that do not fit; all of them are listed.
    """
    size = len(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise RefusedError("", f"the document has {size:,} bytes; {MAX_BYTES:,} are allowed")
    try:
        raw = load_yaml(text, words=True)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"line {mark.line + 1}" if mark else "document"
        raise RefusedError("", f"{where}: not YAML or JSON: {problem or error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise RefusedError("", f"document: not YAML or JSON: {error}") from error
    return rules_from(raw)


def rules_from(raw: object) -> Alarms:
    """Make the document of plain data.

    Raises:
        RefusedError: members that do not fit; all of them are listed.
    """
    raw = _with_ratios(raw)
    try:
        document = msgspec.convert(raw, Alarms)
        canonical(document)
    except msgspec.ValidationError as error:
        refuse_all(document_problems(raw, Alarms))
        raise RefusedError("", f"document: {error}") from error
    except RecursionError as error:
        raise RefusedError("", "document: nested too deeply") from error
    except UnicodeError as error:
        raise RefusedError("", "document: a text holds half a character (a lone surrogate)") from error
    return document


def _with_ratios(raw: object) -> object:
    """The same with limits that are a number alone, `on: 0.9`, as text."""
    rules = raw.get("rules") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(rules, list):
        return raw
    return raw | {"rules": [_with_ratio(rule) if isinstance(rule, dict) else rule for rule in rules]}


def _with_ratio(rule: dict[object, object]) -> dict[object, object]:
    alone = {name: rule[name] for name in ("on", "off") if type(rule.get(name)) in (int, float)}
    return rule | {name: str(number) for name, number in alone.items()}


def refuse_all(problems: Iterable[str]) -> None:
    """Refuse with every problem, one a line.

    Raises:
        RefusedError: there is one.
    """
    found = list(problems)
    if found:
        raise RefusedError("", "\n".join(found))


def canonical(document: Alarms) -> bytes:
    """The document as JSON, the same bytes for the same content; what has its default is left out.

    Raises:
        RefusedError: a text holds the character NUL.
    """
    body = msgspec.json.encode(plain(document), order="sorted")
    if b"\\u0000" in body:
        raise RefusedError("", "document: a text holds the character NUL")
    return body


def plain(document: Alarms) -> dict[str, Any]:
    """The document as plain data without members that have their default."""
    found = _short(document)
    assert isinstance(found, dict)  # noqa: S101 - a struct becomes a mapping
    return found


def _short(value: object) -> Any:
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: _short(member)
            for field in msgspec.structs.fields(value)
            if (member := getattr(value, field.name)) != field.default
        }
    if isinstance(value, tuple):
        return [_short(item) for item in value]
    return value


def digest_of(document: Alarms) -> bytes:
    """Sha256 of the canonical JSON."""
    return hashlib.sha256(canonical(document)).digest()


def as_yaml(document: Alarms) -> str:
    """The document as YAML, as a person would write it."""
    return yaml.dump(plain(document), Dumper=_WordDumper, allow_unicode=True, sort_keys=False, width=120)


class _WordDumper(yaml.SafeDumper):
    """Writes the members `on` and `off` without quotes: `load_rules` reads them as words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the attribute that PyYAML looks at
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool") or first in "tTfF"]
        for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }
