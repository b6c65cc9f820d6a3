"""Energy down to what the meters showed: register differences for counters, readings for interval files.

Each register names the batch that brought it, so that an auditor finds the frame as it was sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from parkcarbon.domain.reading import Quality
from parkcarbon.domain.spans import Mark, Register, Span
from parkcarbon.domain.working import Figure, computed
from parkcarbon.kit.db import from_ms

Json = Mapping[str, object]

ROUNDED: Final = 2e-6
"""Both ends of a span are rounded to 1e-6, an interpolated one twice: so far off is their difference at most [unit]."""


@dataclass(frozen=True, slots=True)
class Meter:
    """The meter of one life: what turns its register into the amount of the point."""

    serial: str | None = None
    ct: float = 1.0
    pt: float = 1.0
    sign: int = 1
    modulus: float | None = None
    from_time: str = ""


@dataclass(frozen=True)
class Trail:
    """What is needed to show the registers of one point.

    Attributes:
        point: `device/quantity`.
        unit: of its amount.
        revision: of the park document that the meters come from.
        meters: by position of the life, as the scan orders them.
        provenance: by time and value of the reading: quality and batch. A declared register may stand at the time of a
            reading of another value.
    """

    point: str
    unit: str
    revision: int
    meters: Sequence[Meter]
    provenance: Mapping[tuple[int, float], Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Substituted:
    """What one substitution adds to a period [1e-6 unit], and the fact behind it as plain JSON."""

    amount_micro: int
    fact: Json


def registers_figure(
    trail: Trail, spans: Sequence[Span], amount_micro: int, substituted: Sequence[Substituted] = ()
) -> Figure:
    """The energy of a counter over a period, from registers.

    Args:
        trail: the point and where its registers come from.
        spans: of the accepted line over the period.
        amount_micro: what the stored intervals sum up to [1e-6 unit]; what neither registers nor substitutions explain
            of it becomes a term of its own, named as such.
        substituted: what substitutions put where no register is known.
    """
    known = [span for span in spans if span.kind != "missing"]
    missing = tuple(
        f"not known from {_time(span.start.time_ms)} to {_time(span.end.time_ms)}: not in the sum, and not zero"
        for span in spans
        if span.kind == "missing"
    )
    terms = [_span(trail, number, span) for number, span in enumerate(known, 1)]
    terms += [_substituted(trail, one) for one in substituted]
    rest = amount_micro - sum(span.amount_micro for span in known) - sum(one.amount_micro for one in substituted)
    if rest:
        terms.append(_rest(trail, rest))
    return computed(
        "registers",
        "sum",
        trail.unit,
        *terms,
        value=amount_micro / 1e6,
        label_zh=f"{trail.point} 表底差",
        label_en=f"{trail.point} from registers",
        notes=missing,
        within=ROUNDED * len(terms),
    )


def _substituted(trail: Trail, one: Substituted) -> Figure:
    fact = one.fact
    return Figure(
        f"substitution_{fact['substitution']}",
        one.amount_micro / 1e6,
        trail.unit,
        label_zh=f"替代 {fact['from']} – {fact['to']}",
        label_en=f"substituted from {fact['from']} to {fact['to']}",
        source={"kind": "substitution", "point": trail.point, **fact},
        rule=str(fact["rule"]),
    )


def _rest(trail: Trail, rest: int) -> Figure:
    return Figure(
        "not_by_registers",
        rest / 1e6,
        trail.unit,
        label_zh="表底以外（替代、估算或修正）",
        label_en="not by registers: substituted, estimated or corrected",
        source={"kind": "interval", "point": trail.point},
        notes=("intervals of the period hold this much beside the registers shown; see substitutions and corrections",),
    )


def _span(trail: Trail, number: int, span: Span) -> Figure:
    meter = trail.meters[span.life] if span.life < len(trail.meters) else Meter()
    if span.kind == "run":
        moved = computed(
            "moved", "difference", trail.unit, _mark(trail, span.end, meter), _mark(trail, span.start, meter)
        )
    elif span.kind == "rollover":
        moved = _rolled_over(trail, span, meter)
    elif span.kind == "estimated":
        moved = _shown(trail, span.end.after or span.end.before, meter, "counted_from_zero")
    else:
        moved = Figure("step", span.whole_micro / 1e6 / _ratio(meter), trail.unit, source={"kind": "interval"})
    terms = [moved, _ratio_figure(trail, meter)]
    if span.amount_micro != span.whole_micro and span.kind != "run":
        share = span.amount_micro / span.whole_micro
        terms.append(Figure("share_in_period", share, "1", source={"kind": "interval"}))
    label = _LABELS[span.kind]
    return computed(
        f"span_{number}",
        "product",
        trail.unit,
        *terms,
        value=span.amount_micro / 1e6,
        label_zh=f"{label[0]} {_time(span.start.time_ms)} – {_time(span.end.time_ms)}",
        label_en=f"{label[1]} {_time(span.start.time_ms)} to {_time(span.end.time_ms)}",
        rule="6.10",
        within=ROUNDED,
    )


_LABELS: Final = {
    "run": ("表底差", "registers"),
    "rollover": ("翻转", "rollover"),
    "estimated": ("推定边界（估算）", "inferred boundary, estimated"),
    "other": ("其他", "other step"),
}


def _rolled_over(trail: Trail, span: Span, meter: Meter) -> Figure:
    start, end = span.start.before, span.start.after or span.end.after or span.end.before
    modulus = meter.modulus or 0.0
    setting = {"kind": "setting", "name": "modulus", "serial": meter.serial, "document_revision": trail.revision}
    upto = Figure("modulus", modulus, trail.unit, label_zh="翻转值", label_en="register modulus", source=setting)
    before = computed("to_rollover", "difference", trail.unit, upto, _shown(trail, start, meter, "register_before"))
    return computed("moved", "sum", trail.unit, before, _shown(trail, end, meter, "register_after"))


def _mark(trail: Trail, mark: Mark, meter: Meter) -> Figure:
    """The register at one end: as shown, or on the straight line between two."""
    if mark.after is None:
        return _shown(trail, mark.before, meter, "register", at_ms=mark.time_ms)
    before = _shown(trail, mark.before, meter, "register_before")
    after = _shown(trail, mark.after, meter, "register_after")
    between = {"kind": "setting", "from": _time(mark.before.time_ms), "to": _time(mark.after.time_ms)}
    elapsed = Figure("elapsed", (mark.time_ms - mark.before.time_ms) / 1e3, "s", source=between)
    whole = Figure("between_readings", (mark.after.time_ms - mark.before.time_ms) / 1e3, "s", source=between)
    share = computed("share", "quotient", "1", elapsed, whole)
    step = computed("step", "difference", trail.unit, after, before)
    part = computed("part", "product", trail.unit, step, share)
    return computed(
        "register_at",
        "sum",
        trail.unit,
        before,
        part,
        label_zh=f"{_time(mark.time_ms)} 表底（插值）",
        label_en=f"register at {_time(mark.time_ms)}, on the straight line between two readings",
    )


def _shown(trail: Trail, register: Register, meter: Meter, name: str, at_ms: int | None = None) -> Figure:
    """A register as the meter showed it, with its batch."""
    found = trail.provenance.get((register.time_ms, register.value), {})
    source: dict[str, object] = {
        "kind": "register",
        "point": trail.point,
        "time": _time(register.time_ms),
        "unit": trail.unit,
        "serial": meter.serial,
        "ct": meter.ct,
        "pt": meter.pt,
        "sign": meter.sign,
        **found,
    }
    notes: tuple[str, ...] = ()
    if not found:
        source["quality"] = "declared"
        notes = (f"declared in park document revision {trail.revision} or by a correction; no reading brought it",)
    elif at_ms is not None and at_ms != register.time_ms:
        notes = (f"held until {_time(at_ms)}: later readings were lower by no more than one step of the register",)
    return Figure(
        name,
        register.value,
        trail.unit,
        label_zh=f"表底 {_time(register.time_ms)}",
        label_en=f"register at {_time(register.time_ms)}",
        source=source,
        notes=notes,
    )


def _ratio(meter: Meter) -> float:
    return meter.ct * meter.pt * meter.sign


def _ratio_figure(trail: Trail, meter: Meter) -> Figure:
    """CT × PT, and the sign where the meter is wired the other way round."""
    source = {"kind": "setting", "serial": meter.serial, "from": meter.from_time, "document_revision": trail.revision}
    terms = [Figure("ct", meter.ct, "1", source=source), Figure("pt", meter.pt, "1", source=source)]
    if meter.sign != 1:
        terms.append(Figure("sign", float(meter.sign), "1", source=source))
    return computed("ratio", "product", "1", *terms)


def _time(time_ms: int) -> str:
    return from_ms(time_ms).isoformat().replace("+00:00", "Z")


def provenance(quality: int, batch: Json) -> Json:
    """What a register says of itself beside its value."""
    return {"quality": Quality(quality).name.lower(), "batch": batch}


@dataclass(frozen=True, slots=True)
class DeltaReading:
    """One reading of an interval file; times [ms UTC], `batch` a number among the batches of the figure."""

    start_ms: int
    end_ms: int
    value: float
    scale: float
    quality: int
    batch: int


def readings_figure(
    trail: Trail,
    readings: Sequence[DeltaReading],
    amount_micro: int,
    *,
    from_ms: int,
    to_ms: int,
    batches: Sequence[Json],
    substituted: Sequence[Substituted] = (),
) -> Figure:
    """The energy of an interval file over a period, from its readings.

    Args:
        trail: the point.
        readings: that count, in order of time; those that reach out of the period count with the part inside.
        amount_micro: what the stored intervals sum up to [1e-6 unit].
        from_ms: begin of the period [ms UTC].
        to_ms: its end [ms UTC].
        batches: documents of the batches, each with its `number`.
        substituted: what substitutions put where no reading is.
    """
    shares = [_inside(reading, from_ms, to_ms) for reading in readings]
    columns: dict[str, tuple[float | None, ...]] = {
        f"reading [{trail.unit}]": tuple(reading.value for reading in readings),
        "ratio [1]": tuple(reading.scale for reading in readings),
    }
    if any(share != 1 for share in shares):
        columns["share in period [1]"] = tuple(shares)
    axis: dict[str, tuple[str | int | None, ...]] = {
        "from": tuple(_time(reading.start_ms) for reading in readings),
        "to": tuple(_time(reading.end_ms) for reading in readings),
        "quality": tuple(Quality(reading.quality).name.lower() for reading in readings),
        "batch": tuple(reading.batch for reading in readings),
    }
    total = computed(
        "readings",
        "sum_product",
        trail.unit,
        label_zh=f"{trail.point} 读数之和",
        label_en=f"{trail.point}, sum of its readings",
        columns=columns,
        axis=axis,
        source={"kind": "reading", "point": trail.point, "batches": list(batches)},
    )
    terms = [total, *(_substituted(trail, one) for one in substituted)]
    rest = amount_micro - round((total.value or 0.0) * 1e6) - sum(one.amount_micro for one in substituted)
    if abs(rest) > len(readings) + 1:
        terms.append(_rest(trail, rest))
    return computed(
        "from_readings",
        "sum",
        trail.unit,
        *terms,
        value=amount_micro / 1e6,
        label_zh=f"{trail.point} 读数",
        label_en=f"{trail.point} from its interval file",
        within=0.5e-6 * (len(readings) + 2),
    )


def _inside(reading: DeltaReading, from_ms: int, to_ms: int) -> float:
    """Part of a reading that falls into the period."""
    inside = min(reading.end_ms, to_ms) - max(reading.start_ms, from_ms)
    return inside / (reading.end_ms - reading.start_ms)
