"""What changed between two inventories of the same period, line by line; from their documents, purely.

References:
    accounting rule 6.9 (a locked month is not edited: a correction is a new version with before, after and its effect).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[int, str, str, str, bool]

_WHAT: Final = ("activity", "factors", "states", "instruments", "co2e_kg", "biogenic_co2_kg", "note")
_KINDS: Final = ("location", "market")


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line that is not what it was.

    Attributes:
        scope: 1, 2 or 3.
        basis: of scope 2, else None.
        source: point, or name of the entry.
        entry: id of the entry behind it, or empty.
        before: the line before; None: it was not there.
        after: the line now; None: it is gone.
        what: members that differ.
        change_nano_kg: difference of its emissions [1e-9 kgCO2e].
    """

    scope: int
    basis: str | None
    source: str
    entry: str
    before: Json | None
    after: Json | None
    what: tuple[str, ...]
    change_nano_kg: int

    def document(self) -> dict[str, Any]:
        """Plain JSON with what tells the two lines apart."""
        return {
            "scope": self.scope,
            "basis": self.basis,
            "source": self.source,
            "entry": self.entry,
            "before": _brief(self.before),
            "after": _brief(self.after),
            "what": list(self.what),
            "change_kg": self.change_nano_kg / 1e9,
        }


def line_changes(before: Json, after: Json) -> list[LineChange]:
    """Every line of scopes 1, 2 and 3 that differs, in the order of scope, basis and source.

    Args:
        before: an inventory document.
        after: another one of the same period.
    """
    old, new = dict(_lines(before)), dict(_lines(after))
    changes = [_change(key, old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    return [change for change in changes if change is not None]


def total_changes(before: Json, after: Json) -> dict[str, Any]:
    """Totals before and after, with their difference [kg]; credits retired stand beside, for what they now cover.

    Args:
        before: an inventory document.
        after: another one of the same period.
    """
    found: dict[str, Any] = {}
    for kind in _KINDS:
        was, now = (document["totals"][kind]["co2e_kg"] for document in (before, after))
        found[kind] = {
            "before_kg": was,
            "after_kg": now,
            "change_kg": None if was is None or now is None else (_nano(now) - _nano(was)) / 1e9,
        }
    return found


def other_changes(before: Json, after: Json) -> list[str]:
    """Members beside the lines that differ, by name: energy, completeness, what is not in the total."""
    ignored = {"known_on", "scopes", "scope3", "totals"}
    return [
        name
        for name in sorted(before.keys() | after.keys())
        if name not in ignored and before.get(name) != after.get(name)
    ]


def _lines(document: Json) -> Iterator[tuple[Key, Json]]:
    for scope in (*document["scopes"], document["scope3"]):
        for line in scope["lines"]:
            covered = bool(line["instruments"])
            yield (scope["scope"], scope["basis"] or "", line["source"], line["entry"], covered), line


def _change(key: Key, before: Json | None, after: Json | None) -> LineChange | None:
    what = tuple(name for name in _WHAT if (before or {}).get(name) != (after or {}).get(name))
    if not what:
        return None
    scope, basis, source, entry, _ = key
    change = _nano((after or {}).get("co2e_kg")) - _nano((before or {}).get("co2e_kg"))
    return LineChange(scope, basis or None, source, entry, before, after, what, change)


def _brief(line: Json | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {
        "activity": line["activity"],
        "activity_unit": line["activity_unit"],
        "co2e_kg": line["co2e_kg"],
        "factors": [factor["factor"] for factor in line["factors"]],
        "states": line["states"],
    }


def _nano(kg: float | None) -> int:
    return 0 if kg is None else round(kg * 1e9)
