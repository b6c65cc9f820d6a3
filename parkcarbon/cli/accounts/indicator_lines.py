"""Indicators in a few lines for a terminal; `--json` gives every member."""

from collections.abc import Callable, Iterator
from typing import Any, Final

Json = dict[str, Any]


def number(value: float | None, unit: str = "") -> str:
    """A number for people, never with an exponent; a dash where it is not known.

    >>> number(1136200.0, "kWh"), number(0.00012), number(None)
    ('1,136,200.00 kWh', '0.00012', '–')
    """
    if value is None:
        return "–"
    text = f"{value:,.2f}" if abs(value) >= 10_000 else f"{value:,.6g}"
    if "e" in text:
        text = f"{value:.9f}".rstrip("0").rstrip(".")
    return f"{text} {unit}".rstrip()


def park_lines(answer: Json) -> Iterator[str]:
    """The park indicator of each window with its guiding list."""
    for one in answer["indicators"]:
        yield f"{one['window']} {one['from_day']} to {one['to_day']}: {one['label']['zh']} {one['label']['en']}"
        yield f"  {number(one['value'], one['unit'])}, limit {number(one['limit'])}: {one['verdict_text']}"
        yield f"  with process {number(one['value_with_process'], one['unit'])}"
        yield (
            f"  {number(one['energy_t'], 't CO2')} from energy, {number(one['process_t'], 't CO2')} from processes,"
            f" {number(one['tce_equal'], 'tce')} at 等价值"
        )
        yield from (f"  because {reason}" for reason in one["reasons"])
        for guiding in one["guiding"]:
            label, verdict = guiding["label"], guiding["verdict"].replace("_", " ")
            why = guiding["excluded_because"] or guiding["evidence"]
            share = f"{number(guiding['value_pct'], '%')} of at least {number(guiding['at_least_pct'], '%')}"
            yield f"  {label['zh']} {label['en']}: {share}, {verdict}{f' ({why})' if why else ''}"
        direct = one["direct_green_supply"]
        share = f"{number(direct['share_pct'], '%')} of at least {number(direct['at_least_pct'], '%')}"
        yield f"  绿电直供占比 direct green supply: {share} ({direct['note']})"
        yield f"  {one['status']}"
        yield from (f"  note: {note}" for note in one["notes"])


def budget_lines(answer: Json) -> Iterator[str]:
    """Each budget with what is used and where it leads to."""
    for one in answer["budgets"]:
        unit = one["unit"]
        of = (
            "no budget"
            if one["budget"] is None
            else f"of {number(one['budget'], unit)} ({number(one['used_pct'], '%')})"
        )
        span = f"{one['from_day']} to {one['to_day']}"
        yield f"{one['name']} {one['what']} {span}: {number(one['used'], unit)} used, {of}"
        if one["pace"] is not None:
            yield f"  pace: {number(one['pace'], unit)} by now"
        label, band = one["forecast_label"], f"{number(one['forecast_low'])} to {number(one['forecast_high'])}"
        forecast = f"{number(one['forecast'], unit)}, {band}"
        yield f"  forecast: {forecast}, {label['zh']} {label['en']} (shape: {one['shape']})"
        days = f"{one['known_days']} days known, {one['unknown_days']} not known, {one['days_to_come']} to come"
        yield f"  {days}: {one['verdict'].replace('_', ' ')}"


def compare_lines(answer: Json) -> Iterator[str]:
    """Each comparison, total by total."""
    for one in answer["comparisons"]:
        simulated = " (simulated)" if one["simulated"] else ""
        yield f"{one['label']['zh']} {one['label']['en']}: {one['now']} against {one['before']}{simulated}"
        yield from (f"  no percentage: {reason}" for reason in one["reasons"])
        for change in one["changes"]:
            parts = [
                f"{_kg(change['now_kg'])} against {_kg(change['before_kg'])}, {_kg(change['difference_kg'], sign='+')}"
            ]
            if change["change_pct"] is not None:
                parts.append(f"{change['change_pct']:+.2f} %")
            if change["normalised_change_pct"] is not None:
                parts.append(f"{change['normalised_change_pct']:+.2f} % normalised by {one['normalised_by']}")
            yield f"  {change['name']}: {', '.join(parts)}"
        yield from (f"  note: {note}" for note in one["notes"])


def uncertainty_lines(answer: Json) -> Iterator[str]:
    """Each scope and total with what contributes most."""
    for name, one in answer["uncertainty"].items():
        yield f"{name}: {_kg(one['co2e_kg'])} {one['text']}"
        for part in one["parts"][:_CAUSES]:
            if part["half_width_kg"]:
                source = f": {part['source']}" if part["source"] else ""
                yield f"  ± {_kg(part['half_width_kg'])} {part['cause']}{source}"


_CAUSES: Final = 5


def _kg(kg: float | None, sign: str = "") -> str:
    return "not known" if kg is None else f"{kg / 1000:{sign},.3f} t CO2e"


LINES: Final[dict[str, Callable[[Json], Iterator[str]]]] = {
    "park": park_lines,
    "budget": budget_lines,
    "compare": compare_lines,
    "uncertainty": uncertainty_lines,
}
"""Actions of `parkcarbon indicators` that have lines of their own."""
