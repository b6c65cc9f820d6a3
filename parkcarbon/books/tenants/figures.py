"""The two views of the park's total as documents and as figures that show their working."""

from typing import Any, Final

from parkcarbon.domain.tenancy.allocation import Allocation, Share
from parkcarbon.domain.tenancy.entity import BASES, EntityView
from parkcarbon.domain.tenancy.views import PARK, TOTALS, Emission, Total
from parkcarbon.domain.working import Figure, computed

Json = dict[str, Any]

NANO: Final = 1e9
_LABELS: Final[dict[Total, tuple[str, str]]] = {
    "scope1": ("范围一（直接排放）", "scope 1 (direct)"),
    "scope2_location": ("范围二（基于位置）", "scope 2, location-based"),
    "scope2_market": ("范围二（基于市场）", "scope 2, market-based"),
    "scope3": ("范围三（其他间接排放）", "scope 3 (other indirect)"),
}


def allocation_figure(allocation: Allocation, tenant: str, total: Total) -> Figure:
    """A tenant's part of one total of the park: the sum of its parts of each line.

    Raises:
        LookupError: there is no such tenant, or the inventory has no such total.
    """
    if tenant not in allocation.tenants:
        raise LookupError(f"there is no tenant {tenant}")
    if allocation.total(total) is None:
        raise LookupError(f"the inventory has no {total}")
    mine = [share for share in allocation.shares if share.tenant == tenant and share.emission.total == total]
    zh, en = _LABELS[total]
    return computed(
        f"tenant_{total}",
        "sum",
        "kgCO2e",
        *(_share_figure(share) for share in mine),
        value=allocation.part(tenant, total).co2e_nano_kg / NANO,
        label_zh=f"{tenant} {zh}",
        label_en=f"{tenant} {en}",
        notes=("a share of the park's total, not an inventory of the tenant", *_words(allocation)),
    )


def _words(allocation: Allocation) -> list[str]:
    return [f"{rule.rule}: {rule.words()['en']}" for rule in allocation.rules] + list(allocation.notes)


def _share_figure(share: Share) -> Figure:
    """Line x weight / weights, and the fraction of a unit that largest remainder gives or takes."""
    line = _line(share.emission, share.stretch_nano_kg)
    if share.direct:
        return computed("share", "sum", "kgCO2e", line, notes=(f"all of {share.emission.source}",))
    weight = Figure("weight", share.weight / 1e6, "1", source={"kind": "setting", "rule": share.rule.rule})
    weights = Figure("weights", share.weights / 1e6, "1", source={"kind": "setting", "rule": share.rule.rule})
    part = computed("part", "quotient", "1", weight, weights)
    quota = computed("quota", "product", "kgCO2e", line, part)
    exact = share.co2e_nano_kg * share.weights - share.stretch_nano_kg * share.weight
    rounding = Figure(
        "largest_remainder",
        exact / share.weights / NANO,
        "kgCO2e",
        source={"kind": "setting", "what": "parts are whole 1e-9 kg and add up exactly"},
    )
    return computed("share", "sum", "kgCO2e", quota, rounding, value=share.co2e_nano_kg / NANO)


def _line(emission: Emission, nano_kg: int) -> Figure:
    source = {"kind": "line", "line": emission.source, "total": emission.total}
    return Figure("line", nano_kg / NANO, "kgCO2e", source=source)


def entity_figure(view: EntityView, total: Total, basis: str = "location") -> Figure:
    """Park = sum of the entities less what stands twice, for one total; those of scope 2 are of their own basis.

    Raises:
        LookupError: no such basis.
    """
    if basis not in BASES:
        raise LookupError(f"{basis!r} is neither location nor market")
    wanted = BASES[0] if basis == "location" else BASES[1]
    if total in ("scope2_location", "scope2_market"):
        wanted = BASES[0] if total == "scope2_location" else BASES[1]
    parts = [
        Figure(
            entity,
            view.part(entity, total, wanted).co2e_nano_kg / NANO,
            "kgCO2e",
            source={"kind": "entity", "entity": entity, "total": total},
        )
        for entity in view.entities
    ]
    taken = [
        Figure(
            f"{row.medium}_{row.seller}_{row.buyer}",
            row.co2e_nano_kg / NANO,
            "kgCO2e",
            source={"kind": "elimination", "amount": row.amount / 1e6, "unit": row.unit, "from": row.from_entity},
        )
        for row in view.eliminations
        if (row.from_total, row.basis) == (total, wanted)
    ]
    zh, en = _LABELS[total]
    whole = computed("entities", "sum", "kgCO2e", *parts, label_zh="各法人合计", label_en="sum of the entities")
    twice = computed("eliminations", "sum", "kgCO2e", *taken, label_zh="抵消", label_en="eliminations")
    return computed(
        f"park_{total}",
        "difference",
        "kgCO2e",
        whole,
        twice,
        value=view.reconciled(total, wanted) / NANO,
        label_zh=zh,
        label_en=en,
    )


def allocation_document(allocation: Allocation) -> Json:
    """As API and command line show it."""
    return {
        "view": "allocation",
        "rules": [
            {"rule": r.rule, "from_day": r.from_day or None, "carrier": r.carrier, "by": r.by, "words": r.words()}
            for r in allocation.rules
        ],
        "totals": {total: _kg(allocation.total(total)) for total in TOTALS},
        "tenants": [
            {
                "tenant": tenant,
                "park_itself": tenant == PARK,
                **{
                    total: None if allocation.total(total) is None else _kg(allocation.part(tenant, total).co2e_nano_kg)
                    for total in TOTALS
                },
            }
            for tenant in allocation.tenants
        ],
        "notes": list(allocation.notes),
    }


def entity_document(view: EntityView, park: dict[Total, int | None]) -> Json:
    """As API and command line show it.

    Args:
        view: the entity view.
        park: the park's own totals [1e-9 kg].
    """
    return {
        "view": "entity",
        "entities": [_entity(view, entity) for entity in view.entities],
        "lines": [
            {
                "entity": line.entity,
                "total": line.total,
                "basis": line.basis,
                "source": line.source,
                "kind": line.kind,
                "counterpart": line.counterpart or None,
                "co2e_kg": _kg(line.co2e_nano_kg),
            }
            for line in view.lines
        ],
        "eliminations": [
            {
                "medium": row.medium,
                "seller": row.seller,
                "buyer": row.buyer,
                "source": row.source,
                "amount": row.amount / 1e6,
                "unit": row.unit,
                "basis": row.basis,
                "from_entity": row.from_entity,
                "from_total": row.from_total,
                "co2e_kg": _kg(row.co2e_nano_kg),
            }
            for row in view.eliminations
        ],
        "reconciliation": [_reconciled(view, total, basis, park[total]) for total, basis in _PAIRS],
        "notes": list(view.notes),
    }


_PAIRS: Final[tuple[tuple[Total, str], ...]] = (
    ("scope1", "location"),
    ("scope2_location", "location"),
    ("scope2_market", "market"),
    ("scope3", "location"),
    ("scope3", "market"),
)


def _reconciled(view: EntityView, total: Total, basis: str, park: int | None) -> Json:
    wanted = BASES[0] if basis == "location" else BASES[1]
    entities = sum(view.part(entity, total, wanted).co2e_nano_kg for entity in view.entities)
    eliminated = view.eliminated(total, wanted)
    return {
        "total": total,
        "basis": basis,
        "entities_kg": _kg(entities),
        "eliminated_kg": _kg(eliminated),
        "park_kg": _kg(park),
        "difference_nano_kg": entities - eliminated - (park or 0),
    }


def _entity(view: EntityView, entity: str) -> Json:
    drawn = sum(power.drawn.get(entity, 0) for power in view.power.values())
    pairs = [item for power in view.power.values() for item in power.generation.items()]
    return {
        "entity": entity,
        **{total: _kg(view.part(entity, total).co2e_nano_kg) for total in TOTALS},
        "drawn_kwh": drawn / 1e6,
        "own_generation_used_kwh": sum(kwh for (seller, buyer), kwh in pairs if seller == buyer == entity) / 1e6,
        "roof_power_bought_kwh": sum(kwh for (seller, buyer), kwh in pairs if buyer == entity != seller) / 1e6,
        "roof_power_sold_kwh": sum(kwh for (seller, buyer), kwh in pairs if seller == entity != buyer) / 1e6,
    }


def _kg(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO
