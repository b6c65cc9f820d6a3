"""The uncertainty of a file's totals: meter classes and entered half-widths of its lines, shared factors correlated."""

from parkcarbon.catalog.indicators import error_limits
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.uncertainty.inventory import EpisodeSpan, Metering, inventory_uncertainty, uncertainty_figure
from parkcarbon.domain.uncertainty.limits import ErrorLimits, Limit
from parkcarbon.domain.uncertainty.monte_carlo import simulate
from parkcarbon.domain.working import Json

from .loader import CalcError, Problem, Source
from .schema import ActivityLine, Uncertainty

_CARRIERS = {"electricity": "electricity", "heat": "heat", "steam": "heat", "fuel": "gas"}


def uncertainty(source: Source, inventory: Inventory, asked: Uncertainty) -> Json:
    """Propagate the uncertainty of both totals.

    Raises:
        CalcError: an accuracy class that is not known.
    """
    limits = error_limits()
    meters: dict[str, Metering] = {}
    entered: dict[str, Limit] = {}
    problems: list[Problem] = []
    for line in source.calculation.activities:
        name = line.source or line.activity
        if line.uncertainty_pct is not None:
            entered[name] = Limit(line.uncertainty_pct / 100, assumed=False, source=f"entered with {line.activity}")
        elif line.accuracy_class is not None:
            try:
                meters[name] = _metering(line, name, limits)
            except RefusedError as error:
                problems.append(source.problem(f"activities[{line.activity}].accuracy_class", error))
    if problems:
        raise CalcError(source.file, problems)
    factors = {
        name: Limit(pct / 100, assumed=False, source="entered with the file") for name, pct in asked.factors_pct.items()
    }
    found: Json = {}
    for basis in ("location", "market"):
        result = inventory_uncertainty(inventory.lines(basis), meters, factors, limits, entered)
        part: Json = {**result.document(), "working": uncertainty_figure(f"variance_{basis}", result.total).document()}
        if asked.monte_carlo is not None:
            simulated = simulate(result.terms, draws=asked.monte_carlo.draws, seed=asked.monte_carlo.seed)
            part["monte_carlo"] = {
                "half_width_kg": simulated.half_width,
                "half_width_pct": simulated.pct,
                "mean_kg": simulated.mean,
                "draws": simulated.draws,
                "seed": simulated.seed,
            }
        found[f"total_{basis}"] = part
    return found


def _metering(line: ActivityLine, name: str, limits: ErrorLimits) -> Metering:
    carrier = _CARRIERS.get(line.kind, "none")
    meter = limits.of_class("meter", carrier, line.accuracy_class)
    transformer = None if line.ct_class is None else limits.of_class("ct", carrier, line.ct_class)
    return Metering(name, (EpisodeSpan(name, 1.0, meter, transformer),))
