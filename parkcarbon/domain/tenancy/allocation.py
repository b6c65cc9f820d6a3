"""Allocation: the park's total by tenant, by a declared and dated rule. Parts add up to the total exactly.

Every line of the inventory is split by itself, in integers, by largest remainder: first over the stretches of time in
which one rule was in force (in proportion to what was used in each), then over the tenants. What belongs to a tenant by
itself, a meter of its own or an entry in its name, is not split while the rule goes by meters.

References:
    accounting rules 6.8 (full precision), 3.3 (a tenant's part is no statement of that tenant).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .apportion import largest_remainder
from .power import Losses, SharedPv
from .views import PARK, AllocatedPart, Emission, Total

By = Literal["metered", "area", "headcount", "fixed"]

_BY_WORDS: Mapping[By, tuple[str, str]] = {
    "metered": ("按分表计量", "by sub-meters"),
    "area": ("按面积", "by floor area"),
    "headcount": ("按人数", "by headcount"),
    "fixed": ("按固定份额", "by fixed shares"),
}
_PV_WORDS: Mapping[SharedPv, tuple[str, str]] = {
    "net_load": (
        "光伏先供本户，余量按同一接入点同时段净负荷比例分摊，不超过净负荷",
        "PV serves its own tenant first; the rest is shared per interval by simultaneous net load, never above it",
    ),
    "pool": (
        "光伏全部按同一接入点同时段负荷比例分摊，不超过负荷",
        "all PV is shared per interval in proportion to simultaneous load, never above it",
    ),
    "none": ("光伏不计入任何租户", "no tenant is credited with PV"),
}
_LOSS_WORDS: Mapping[Losses, tuple[str, str]] = {
    "use": ("未计量及损耗按用量比例分摊", "unmetered and losses in proportion to use"),
    "park": ("未计量及损耗归园区", "unmetered and losses stay with the park"),
}


GENERATION: Final = "generation"
"""Stretches of own generation: who used it, not who drew from the grid."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A declared rule.

    Attributes:
        rule: name.
        from_day: since when, ISO; empty: the product's default, nothing was declared.
        carrier: what it splits.
        by: by what.
        shared_pv: how generation is shared; matters where `by` is `metered`.
        losses: who carries them; likewise.
    """

    rule: str = "default"
    from_day: str = ""
    carrier: str = "all"
    by: By = "metered"
    shared_pv: SharedPv = "net_load"
    losses: Losses = "use"

    def words(self) -> dict[str, str]:
        """The rule in words, Chinese and English."""
        parts = [_BY_WORDS[self.by]]
        if self.by == "metered" and self.carrier in {"all", "electricity"}:
            parts += [_PV_WORDS[self.shared_pv], _LOSS_WORDS[self.losses]]
        return {"zh": "；".join(zh for zh, _ in parts), "en": "; ".join(en for _, en in parts)}


@dataclass(frozen=True)
class Stretch:
    """A time within the period over which one rule splits one carrier.

    Attributes:
        rule: in force.
        amount: used in it, to split the period's total over its stretches; any unit, the same in all.
        weights: by tenant and `_park`; all zero: what falls into it stays with the park.
    """

    rule: Rule
    amount: int
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Share:
    """What one tenant gets of one line in one stretch, and by what."""

    emission: Emission
    rule: Rule
    tenant: str
    stretch_nano_kg: int
    weight: int
    weights: int
    co2e_nano_kg: int

    @property
    def direct(self) -> bool:
        """True when the whole line is this tenant's by itself."""
        return self.weights == 0


@dataclass(frozen=True)
class Allocation:
    """The park's totals by tenant.

    Attributes:
        tenants: in the order of the park document, then `_park`.
        rules: every rule that was applied.
        shares: what makes up the parts.
        notes: what a reader should know.
    """

    tenants: tuple[str, ...]
    rules: tuple[Rule, ...]
    shares: tuple[Share, ...]
    notes: tuple[str, ...] = ()

    def part(self, tenant: str, total: Total) -> AllocatedPart:
        """One tenant's part of one total."""
        mine = [s.co2e_nano_kg for s in self.shares if (s.tenant, s.emission.total) == (tenant, total)]
        return AllocatedPart(tenant, total, sum(mine))

    def total(self, total: Total) -> int | None:
        """A total of the park [1e-9 kg]; None where the inventory has no line of it."""
        lines = {id(share.emission) for share in self.shares if share.emission.total == total}
        if not lines:
            return None
        return sum(share.co2e_nano_kg for share in self.shares if share.emission.total == total)


def allocate(
    emissions: Sequence[Emission],
    stretches: Mapping[str, Sequence[Stretch]],
    tenants: Sequence[str],
    *,
    notes: Sequence[str] = (),
) -> Allocation:
    """Split every line of the park's inventory.

    Args:
        emissions: lines of the inventory.
        stretches: by carrier; a carrier without any is split like `other`. `GENERATION` holds who used generation,
            for generation that may not be counted at zero.
        tenants: of the park document, in order.
        notes: what the weights rest on.
    """
    shares: list[Share] = []
    said = list(notes)
    for emission in emissions:
        carrier = GENERATION if emission.of_generation and stretches.get(GENERATION) else emission.carrier
        shares += _split(emission, stretches.get(carrier) or stretches["other"], said)
    rules = dict.fromkeys(stretch.rule for found in stretches.values() for stretch in found)
    return Allocation((*tenants, PARK), tuple(rules), tuple(shares), tuple(dict.fromkeys(said)))


def _split(emission: Emission, stretches: Sequence[Stretch], said: list[str]) -> list[Share]:
    if emission.tenant is not None and all(stretch.rule.by == "metered" for stretch in stretches):
        whole = emission.co2e_nano_kg
        return [Share(emission, stretches[0].rule, emission.tenant, whole, 0, 0, whole)]
    found = []
    for at, part in _over_time(emission.co2e_nano_kg, stretches).items():
        stretch = stretches[at]
        weights = stretch.weights
        whole = sum(weights.values())
        if whole == 0:
            said.append(f"{emission.source}: no meter says who used it; it stays with the park")
            found.append(Share(emission, stretch.rule, PARK, part, 0, 0, part))
            continue
        parts = largest_remainder(part, weights)
        found += [
            Share(emission, stretch.rule, tenant, part, weights[tenant], whole, nano) for tenant, nano in parts.items()
        ]
    return found


def _over_time(total: int, stretches: Sequence[Stretch]) -> dict[int, int]:
    """The total over the stretches, in proportion to what was used in each; evenly where nothing is known of it."""
    if len(stretches) == 1:
        return {0: total}
    amounts = {f"{at:04}": stretch.amount for at, stretch in enumerate(stretches)}
    if not any(amounts.values()):
        amounts = dict.fromkeys(amounts, 1)
    return {int(at): part for at, part in largest_remainder(total, amounts).items()}
