"""Green-power duty of a tenant: the share of its electricity that has to be green, mainly shown by certificates.

    required [kWh] = consumption × share,   short [kWh] = max(required - shown, 0)

References:
    accounting rules 4.1 (a certificate is 1,000 kWh), 4.9 (shares by province and industry; some industries are
    assessed, others monitored).
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, computed

from .datasets import ASSUMED, DutyShare
from .energy import percent

Json = dict[str, object]

CERTIFICATE_MICRO_KWH: Final = 1_000 * 10**6


@dataclass(frozen=True, slots=True)
class Duty:
    """The duty of one tenant.

    Attributes:
        tenant: whose.
        industry: which.
        consumption_micro: electricity consumed [1e-6 kWh]; None: unknown.
        cancelled_micro: certificates cancelled for it [1e-6 kWh].
        own_used_micro: own green power used, with own-use certificates [1e-6 kWh].
        share: what applies; None: none is known.
        reason: why none is known.
    """

    tenant: str
    industry: str
    consumption_micro: int | None
    cancelled_micro: int
    own_used_micro: int
    share: DutyShare | None
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse negative energy.

        Raises:
            RefusedError: rule 4.9.
        """
        for name in ("consumption_micro", "cancelled_micro", "own_used_micro"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise RefusedError("4.9", f"{self.tenant}: {name} is {value}")

    @property
    def shown_micro(self) -> int:
        """Green power that is shown [1e-6 kWh], never more than was consumed."""
        shown = self.cancelled_micro + self.own_used_micro
        return shown if self.consumption_micro is None else min(shown, self.consumption_micro)

    @property
    def required_micro(self) -> int | None:
        """Green power that is asked for [1e-6 kWh], rounded up."""
        if self.share is None or self.consumption_micro is None:
            return None
        return math.ceil(self.consumption_micro * Fraction(str(self.share.share_pct)) / 100)

    @property
    def short_micro(self) -> int | None:
        """What is missing [1e-6 kWh]; None: not known."""
        required = self.required_micro
        return None if required is None else max(required - self.shown_micro, 0)

    @property
    def certificates_short(self) -> int | None:
        """Whole certificates that would close it; None: not known."""
        short = self.short_micro
        return None if short is None else -(-short // CERTIFICATE_MICRO_KWH)

    def document(self) -> Json:
        """As the API gives it."""
        share, short = self.share, self.short_micro
        return {
            "tenant": self.tenant,
            "industry": self.industry,
            "share_pct": None if share is None else share.share_pct,
            "status": None if share is None else share.status,
            "document": None if share is None else share.document,
            "source": None if share is None else share.source if share.seen else f"{ASSUMED}: {share.source}",
            "consumption_kwh": _kwh(self.consumption_micro),
            "green_kwh": self.shown_micro / 1e6,
            "green_pct": percent(self.shown_micro, self.consumption_micro),
            "required_kwh": _kwh(self.required_micro),
            "short_kwh": _kwh(short),
            "certificates_short": self.certificates_short,
            "reached": None if short is None else short == 0,
            "reason": self.reason if share is None else "",
        }

    def figure(self) -> Figure:
        """Required green power with its working [kWh]."""
        share = None if self.share is None else self.share.share_pct
        source = {"kind": "setting", "text": self.reason if self.share is None else self.share.document}
        fraction = computed(
            "share",
            "quotient",
            "1",
            Figure("share_pct", share, "%", source=source),
            Figure("percent", 100.0, "%", source={"kind": "setting", "text": "per cent"}),
        )
        consumption = Figure(
            "consumption", _kwh(self.consumption_micro), "kWh", source={"kind": "interval", "tenant": self.tenant}
        )
        return computed(f"duty_{self.tenant}", "product", "kWh", consumption, fraction, rule="4.9")


def _kwh(micro: int | None) -> float | None:
    return None if micro is None else micro / 1e6
