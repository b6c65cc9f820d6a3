"""Limits of error by accuracy class, data state and factor, as half-widths of 95 % intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError

Draw = Literal["each", "once"]
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of error.

    Attributes:
        half_width: of the 95 % interval, as a fraction of the value [1].
        assumed: True when the number was not read in a source; printed "假定 assumed".
        source: where it comes from.
    """

    half_width: float
    assumed: bool
    source: str

    def __post_init__(self) -> None:
        """Refuse what is no uncertainty.

        Raises:
            RefusedError: negative, or not a number.
        """
        if not 0 <= self.half_width < 10:
            raise RefusedError("6.6", f"{100 * self.half_width:g} % is no uncertainty ({self.source})")


@dataclass(frozen=True)
class ErrorLimits:
    """All limits of a data set.

    Attributes:
        classes: by device (`meter` or `ct`), carrier and name of the class.
        defaults: by device and carrier, where no class is declared.
        states: by data state: whether every interval is a draw of its own, and the limit.
        factors: by purpose and gas (empty: any gas); `*` for every other purpose.
    """

    classes: Mapping[tuple[str, str, str], Limit]
    defaults: Mapping[tuple[str, str], Limit]
    states: Mapping[str, tuple[Draw, Limit]]
    factors: Mapping[tuple[str, str], Limit]

    def of_class(self, device: Literal["meter", "ct"], carrier: str, name: str | None) -> Limit:
        """Limit of a declared class, or the default where none is declared.

        Raises:
            RefusedError: the class is not known for the carrier.
        """
        if name is None:
            default = self.defaults.get((device, carrier)) or self.defaults.get((device, "none"))
            if default is None:
                raise RefusedError("6.6", f"no {device} of {carrier} has a limit of error without a class")
            return default
        found = self.classes.get((device, carrier, name))
        if found is None:
            known = ", ".join(self.names(device, carrier)) or "none"
            raise RefusedError("6.4", f"class {name!r} is not known for a {device} of {carrier}; known: {known}")
        return found

    def names(self, device: str, carrier: str) -> list[str]:
        """Classes that are known for a device and carrier."""
        return sorted(name for kind, of, name in self.classes if (kind, of) == (device, carrier))

    def of_factor(self, purpose: str, gas: str) -> Limit:
        """Limit of a factor that publishes none."""
        for key in ((purpose, gas), (purpose, ""), (ANY, "")):
            if key in self.factors:
                return self.factors[key]
        raise RefusedError("6.6", f"no uncertainty is known for a factor of {purpose!r}")
