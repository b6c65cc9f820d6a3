"""Uncertainty of an inventory: its lines, the meters behind them and the factors they share; a document beside it.

A line is split by gas and by meter episode; each piece is an amount times factors. The meter's class and its
transformer's are one draw an episode, whatever the number of intervals; a factor is one draw wherever it is used;
resolution and interpolation scatter by the interval. What is missing is not in the figure, nor in its ±.

Certificates cover an exact number of kWh, so what they leave of a purchase is wrong by as many kWh as the whole of it:
(purchased - covered) x factor has the meter's error of `purchased` and the factor's of the difference.

References:
    accounting rules 6.4, 6.6, 6.7; official factors publish no uncertainty, so every factor's is assumed or entered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from parkcarbon.domain.factors import GRID_PURPOSES, Factor, FactorMatch
from parkcarbon.domain.indicators.datasets import ASSUMED
from parkcarbon.domain.inventory import Line
from parkcarbon.domain.working import Figure, computed

from .limits import ErrorLimits, Limit
from .propagation import COVERAGE_PCT, Cause, Combined, Part, Scatter, Term, combine

Json = dict[str, object]

RESOLUTION_SHARE: Final = 0.8
"""Half-width at 95 % of a difference of two readings in steps of 1: triangular, 1.96·√(1/6) = 0.80."""

_OF_CARBON: Final = frozenset({"carbon_content", "oxidation"})


@dataclass(frozen=True, slots=True)
class EpisodeSpan:
    """The part of a point's amount that one physical meter counted.

    Attributes:
        episode: identity of meter and time, for example `gate@2025-01-01T00:00:00+08:00`.
        share: part of the amount of the period, in [0, 1].
        meter: limit of the meter's class.
        ct: limit of the transformer's class; None: connected directly.
        calibrated: False when its certificate ran out before the end of the period; None: none is declared.
    """

    episode: str
    share: float
    meter: Limit
    ct: Limit | None = None
    calibrated: bool | None = None


@dataclass(frozen=True, slots=True)
class Metering:
    """What stands behind the amount of a point.

    Attributes:
        point: name.
        spans: episodes of the period; their shares sum to 1.
        resolution: one step of the register after the meter ratio [unit of the amount].
        intervals: measured intervals.
        states: by data state that was not measured: part of the amount, and the number of intervals.
    """

    point: str
    spans: tuple[EpisodeSpan, ...]
    resolution: float = 0.0
    intervals: int = 0
    states: Mapping[str, tuple[float, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineUncertainty:
    """One line with its ± [kgCO2e]."""

    source: str
    combined: Combined

    def document(self) -> Json:
        """As the API gives it."""
        return {"source": self.source, **_document(self.combined)}


@dataclass(frozen=True, slots=True)
class InventoryUncertainty:
    """The ± of a set of lines and of each of them.

    Attributes:
        total: of all lines [kgCO2e].
        lines: each alone; their half-widths do not add up to the total's.
        terms: what was propagated, for a Monte Carlo.
        notes: sentences a reader should know.
    """

    total: Combined
    lines: tuple[LineUncertainty, ...]
    terms: tuple[Term, ...]
    notes: tuple[str, ...] = ()

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "coverage_pct": COVERAGE_PCT,
            **_document(self.total),
            "lines": [line.document() for line in self.lines],
            "parts": [_part(part) for part in self.total.parts],
            "notes": list(self.notes),
        }


def inventory_uncertainty(
    lines: Iterable[Line],
    meters: Mapping[str, Metering],
    factors: Mapping[str, Limit],
    assumed: ErrorLimits,
    entered: Mapping[str, Limit] | None = None,
) -> InventoryUncertainty:
    """Propagate the uncertainty of a set of lines, for example those of one scope.

    Args:
        lines: of the inventory.
        meters: what is known of the meters, by point; a line of no point is an amount entered by hand.
        factors: entered uncertainty by factor id, or by purpose for all factors of it.
        assumed: the data set that fills the rest.
        entered: entered uncertainty of an amount, by point or source; goes before the meter's class.
    """
    chosen = tuple(lines)
    building = _Building(meters, factors, assumed, entered or {})
    covered = _covered(chosen)
    pieces = [building.terms(line, covered.get(_purchase(line), 0.0)) for line in chosen]
    each = tuple(LineUncertainty(line.source, combine(terms)) for line, terms in zip(chosen, pieces, strict=True))
    terms = tuple(term for piece in pieces for term in piece)
    return InventoryUncertainty(combine(terms), each, terms, building.notes())


def _purchase(line: Line) -> tuple[str, str]:
    """Which purchase a line is of, where it is the part that no certificate covers."""
    return ("", "") if line.instruments or line.basis != "market" else (line.source, line.entry)


def _covered(lines: Iterable[Line]) -> dict[tuple[str, str], float]:
    """What certificates cover of each purchase [unit of the line]."""
    return {(line.source, line.entry): line.activity for line in lines if line.instruments and not line.co2e_nano_kg}


class _Building:
    """Terms as they come up, and what there is to say of them."""

    def __init__(
        self,
        meters: Mapping[str, Metering],
        factors: Mapping[str, Limit],
        assumed: ErrorLimits,
        entered: Mapping[str, Limit],
    ) -> None:
        self._meters = meters
        self._factors = factors
        self._limits = assumed
        self._entered = entered
        self._notes: list[str] = []

    def notes(self) -> tuple[str, ...]:
        """Sentences, once each."""
        return tuple(dict.fromkeys(self._notes))

    def terms(self, line: Line, covered: float = 0.0) -> list[Term]:
        """The pieces of a line: by gas, then by meter episode.

        Args:
            line: of the inventory.
            covered: what certificates took off the metered amount before [unit of the line]; exact.
        """
        metering = self._meters.get(line.source)
        entered = self._entered.get(line.source)
        if metering is None or entered is not None:
            limit = entered or self._limits.of_class("meter", "none", None)
            amount: list[tuple[str, float, tuple[Cause, ...]]] = [
                (line.source, 1.0, (Cause(f"amount:{line.source}", "entered", limit),))
            ]
        else:
            amount = [(span.episode, span.share, self._meter_causes(metering, span)) for span in metering.spans]
        off = covered / line.activity if line.activity else 0.0
        terms: list[Term] = []
        for gas, kg, matches in gas_parts(line):
            factors = tuple(self._factor_cause(match) for match in matches)
            terms += [
                Term(f"{line.source}|{gas}|{name}", kg * (1 + off) * share, (*causes, *factors))
                for name, share, causes in amount
            ]
            if off:
                terms.append(Term(f"{line.source}|{gas}|covered", -kg * off, factors))
        scatter = () if metering is None or entered is not None else self._scatter(line, metering, 1 + off)
        return [*terms, Term(line.source, 0.0, (), scatter)] if scatter else terms

    def _meter_causes(self, metering: Metering, span: EpisodeSpan) -> tuple[Cause, ...]:
        causes = [Cause(f"meter:{span.episode}", "meter", span.meter)]
        if span.ct is not None:
            causes.append(Cause(f"ct:{span.episode}", "ct", span.ct))
        if span.calibrated is False:
            self._notes.append(f"{metering.point}: the calibration of its meter has expired; its class is not proven")
        for state, (share, _) in sorted(metering.states.items()):
            draw, limit = self._limits.states[state]
            if draw == "once" and share > 0:
                scaled = Limit(limit.half_width * share, limit.assumed, limit.source)
                causes.append(Cause(f"{state}:{metering.point}", "state", scaled))
        return tuple(causes)

    def _scatter(self, line: Line, metering: Metering, whole: float) -> tuple[Scatter, ...]:
        """Errors of single intervals [kgCO2e]; `whole`: the metered amount, as a multiple of the line's."""
        kg = line.co2e_nano_kg / 1e9
        per_unit = kg / line.activity if line.activity else 0.0
        found = []
        if metering.resolution and metering.intervals:
            one = RESOLUTION_SHARE * metering.resolution * abs(per_unit)
            found.append(Scatter("resolution", one, metering.intervals))
        for state, (share, count) in sorted(metering.states.items()):
            draw, limit = self._limits.states[state]
            if draw == "each" and share > 0 and count:
                found.append(Scatter(state, abs(kg) * whole * share * limit.half_width / count, count, limit.assumed))
        return tuple(found)

    def _factor_cause(self, match: FactorMatch) -> Cause:
        factor = match.factor
        limit = self._factors.get(factor.factor) or self._factors.get(factor.purpose)
        if limit is None:
            limit = self._limits.of_factor(factor.purpose, factor.gas)
        if limit.assumed and limit.half_width:
            self._notes.append(f"{factor.factor}: ±{100 * limit.half_width:g} % {ASSUMED}")
        return Cause(f"factor:{factor.factor}", "factor", limit)


def gas_parts(line: Line) -> list[tuple[str, float, tuple[FactorMatch, ...]]]:
    """A line by gas: kgCO2e and the factors that act on it, each once; the parts sum to the line exactly."""
    split = line.gas_nano_kg or {_leading(line): line.co2e_nano_kg}
    return [(gas, nano / 1e9, _acting(gas, line)) for gas, nano in split.items()]


def _leading(line: Line) -> str:
    return "CO2e" if "CO2e" in line.gases or not line.gases else next(iter(line.gases))


def _acting(gas: str, line: Line) -> tuple[FactorMatch, ...]:
    """Factors in the chain of a gas; where the line has no chains, those that by their kind act on it."""
    chain = [step.match for step in line.chains.get(gas, ()) if step.match is not None]
    matches = chain or [match for match in line.factors if _acts_on(gas, match.factor)]
    return tuple({match.factor.factor: match for match in matches}.values())


def _acts_on(gas: str, factor: Factor) -> bool:
    if factor.purpose in _OF_CARBON:
        return gas in ("CO2", "CO2e")
    return factor.gas in ("", "CO2e", gas) or factor.purpose in GRID_PURPOSES


def _document(combined: Combined) -> Json:
    return {
        "co2e_kg": combined.value,
        "half_width_kg": combined.half_width,
        "half_width_pct": combined.pct,
        "assumed": combined.assumed,
        "assumed_share": combined.assumed_share,
        "text": plus_minus(combined),
    }


def _part(part: Part) -> Json:
    return {
        "cause": part.key,
        "kind": part.kind,
        "half_width_kg": part.half_width,
        "assumed": part.assumed,
        "source": f"{ASSUMED}: {part.source}" if part.assumed and part.source else part.source,
    }


def plus_minus(combined: Combined) -> str:
    """The ± in words, for example `± 3.1 % (95 %), 假定 assumed`."""
    if combined.pct is None:
        return "± –"
    return f"± {combined.pct:.2g} % (95 %)" + (f", {ASSUMED}" if combined.assumed else "")


def uncertainty_figure(name: str, combined: Combined) -> Figure:
    """The square of the half-width as the sum of squares of what each cause contributes [kg²].

    A spreadsheet takes the root of it; a tree of sums and products has no root.
    """
    squares = tuple(
        computed(
            f"{part.key}²",
            "product",
            "kg²",
            *(
                Figure(
                    f"{part.key} [{side}]",
                    part.half_width,
                    "kg",
                    source={"kind": "uncertainty", "cause": part.key, "assumed": part.assumed, "source": part.source},
                )
                for side in ("a", "b")
            ),
            rule="6.6",
        )
        for part in combined.parts
    )
    notes = (
        f"± {combined.half_width:.6g} kg at {COVERAGE_PCT} % is the root of this sum",
        "a cause that acts on several lines is one part: its effects were added linearly",
    )
    return computed(name, "sum", "kg²", *squares, rule="6.6", notes=notes)
