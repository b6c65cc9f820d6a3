"""Checking what stands beside the rules in the document: receivers, inhibitions, maintenance windows."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final, get_args

from parkcarbon.alarm.subjects import LABELS
from parkcarbon.alarm.templates.render import check_template
from parkcarbon.domain.refusal import RefusedError

from .document import Alarms, Kind, Maintenance
from .hints import Hints

MAX_MAINTENANCE: Final = dt.timedelta(days=400)
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {"kind": get_args(Kind), "priority": ("low", "medium", "high")}


def other_problems(document: Alarms, park: str, hints: Hints) -> Iterator[str]:
    """Yield a line for everything that is wrong beside the rules."""
    if document.park != park:
        yield f"park: the document is of {document.park}, not of {park}"
    yield from _twice("receivers", [item.receiver for item in document.receivers])
    for receiver in document.receivers:
        for member, text in (("subject", receiver.subject), ("text", receiver.text)):
            try:
                check_template(text)
            except RefusedError as error:
                yield f"receivers[{receiver.receiver}].{member}: {error}"
    yield from _twice("maintenance", [item.window for item in document.maintenance])
    rules = tuple(item.rule for item in document.rules)
    for number, inhibit in enumerate(document.inhibit):
        place = f"inhibit[{number}]"
        yield from label_problems(f"{place}.source", inhibit.source, hints, rules)
        yield from label_problems(f"{place}.target", inhibit.target, hints, rules)
        for name in inhibit.equal:
            if name not in LABELS:
                yield f"{place}.equal: {_no_label(name)}"
    for window in document.maintenance:
        yield from _window_problems(window, hints, rules)


def label_problems(
    place: str, match: Mapping[str, str], hints: Hints, rules: tuple[str, ...] | None = None
) -> Iterator[str]:
    """Yield a line for every label that nothing could ever match.

    Args:
        place: where it stands.
        match: patterns by label, `inv-*`.
        hints: of this check.
        rules: ids that there are; None: not known.
    """
    if not match:
        yield f"{place}: empty, it would match every alarm"
    for name, value in match.items():
        known = rules if name == "rule" else _VALUES.get(name)
        if name not in LABELS:
            yield f"{place}: {_no_label(name)}"
        elif known is not None and not any(fnmatchcase(one, value) for one in known):
            yield f"{place}.{name}: there is no {name} {value!r}{hints.near(value, known)}"


def moment_of(text: str) -> dt.datetime:
    """An RFC 3339 time.

    Raises:
        ValueError: it is none, or says no offset.
    """
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time like 2026-10-05T14:00:00+08:00") from None
    if found.tzinfo is None:
        raise ValueError(f"{text} has no time zone; add Z or an offset")
    return found


def _window_problems(window: Maintenance, hints: Hints, rules: tuple[str, ...]) -> Iterator[str]:
    place = f"maintenance[{window.window}]"
    yield from label_problems(f"{place}.match", window.match, hints, rules)
    if not window.reason.strip():
        yield f"{place}.reason: empty"
    try:
        begin, end = moment_of(window.begin), moment_of(window.end)
    except ValueError as error:
        yield f"{place}: {error}"
        return
    if end <= begin:
        yield f"{place}.end: {window.end} is not after {window.begin}"
    elif end - begin > MAX_MAINTENANCE:
        yield f"{place}.end: {(end - begin).days} days; {MAX_MAINTENANCE.days} d are the most"


def _twice(place: str, names: list[str]) -> Iterator[str]:
    for name in sorted(name for name, count in Counter(names).items() if count > 1):
        yield f"{place}[{name}]: there twice"


def _no_label(name: str) -> str:
    return f"there is no label {name!r}; known here: {', '.join(LABELS)}"
