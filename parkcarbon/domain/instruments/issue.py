"""How many certificates a plant's months give: whole thousands of kWh, the rest goes into the next month.

References:
    accounting rule 4.1: issued monthly, 1,000 kWh each; what is below carries over; storage discharge gets none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from parkcarbon.domain.refusal import RefusedError

from .lot import GEC_MICRO_KWH


@dataclass(frozen=True, slots=True)
class Issue:
    """Certificates of one month.

    Attributes:
        count: certificates.
        carried_micro_kwh: generation carried into the next month [1e-6 kWh], below 1,000 kWh.
    """

    count: int
    carried_micro_kwh: int


def issue_gec(generated_micro_kwh: Sequence[int], carried_micro_kwh: int = 0) -> list[Issue]:
    """What successive months of generation give.

    Args:
        generated_micro_kwh: generation of each month, storage discharge not among it [1e-6 kWh].
        carried_micro_kwh: left over from before [1e-6 kWh].

    Raises:
        RefusedError: a month is negative.

    >>> issue_gec([1_700_000_000, 1_400_000_000])
    [Issue(count=1, carried_micro_kwh=700000000), Issue(count=2, carried_micro_kwh=100000000)]
    """
    issued = []
    for generated in generated_micro_kwh:
        if generated < 0:
            raise RefusedError("4.1", f"generation of {generated / 1e6:g} kWh is negative")
        count, carried_micro_kwh = divmod(generated + carried_micro_kwh, GEC_MICRO_KWH)
        issued.append(Issue(count, carried_micro_kwh))
    return issued
