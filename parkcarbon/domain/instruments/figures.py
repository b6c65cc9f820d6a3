"""The working of what instruments do: each figure down to the lots, serials and prices behind it."""

from typing import Final

from parkcarbon.domain.working import Figure, computed

from .cover import Cover, Json
from .gap import Gap, Step

_NONE: Final = Figure("none", 0.0, "kWh", source={"kind": "setting", "name": "never below zero"})


def cover_figure(cover: Cover, purchased: Figure) -> Figure:
    """Purchased electricity that no certificate covers [kWh]: purchased less what each cancelled lot covers.

    Args:
        cover: of the period.
        purchased: gross import of the period [kWh], with whatever working it has.
    """
    covered = computed(
        "covered",
        "sum",
        "kWh",
        *(_lot(use, "kwh", "kWh") for use in cover.used if use["effect"] == "covers_purchased"),
        value=cover.covered_micro_kwh / 1e6,
        label_en="Covered by cancelled certificates",
        label_zh="已核销绿证覆盖电量",
        rule="4.3",
        notes=cover.notes,
    )
    return computed(
        "uncovered",
        "difference",
        "kWh",
        purchased,
        covered,
        label_en="Purchased electricity at the remainder factor",
        label_zh="按剩余电量因子计的下网电量",
        rule="3.15",
    )


def void_figure(cover: Cover, self_used: Figure) -> Figure:
    """Self-used generation without its certificates [kWh]: what was sold, never more than was self-used.

    Args:
        cover: of the period.
        self_used: own generation used inside [kWh]; a value of None: not known, then what was sold counts whole.
    """
    sold = computed(
        "sold_for_self_used",
        "sum",
        "kWh",
        *(_lot(use, "kwh", "kWh") for use in cover.used if use["effect"] == "void"),
        label_en="Certificates sold of self-used generation",
        label_zh="已售出的自用发电绿证",
        rule="3.16",
    )
    terms = (sold,) if self_used.value is None else (sold, self_used)
    return computed(
        "void",
        "minimum",
        "kWh",
        *terms,
        value=cover.void_micro_kwh / 1e6,
        label_en="Self-used generation at the remainder factor",
        label_zh="按剩余电量因子计的自用电量",
        rule="5.3",
    )


def credits_figure(cover: Cover, remaining: Figure) -> Figure:
    """Shortfall after retired credits [kg CO2e]: remaining emissions less each retirement, never below zero.

    Args:
        cover: of the period.
        remaining: emissions on the declared basis before credits [kg CO2e].
    """
    retired = computed(
        "retired",
        "sum",
        "kg CO2e",
        *(_lot(use, "kg", "kg CO2e") for use in cover.used if use["effect"] == "offsets"),
        value=cover.retired_nano_kg / 1e9,
        label_en="Retired credits",
        label_zh="已注销减排量",
        rule="3.4",
    )
    after = computed("after_retirement", "difference", "kg CO2e", remaining, retired)
    nothing = Figure("none", 0.0, "kg CO2e", source=_NONE.source)
    return computed(
        "shortfall",
        "maximum",
        "kg CO2e",
        after,
        nothing,
        label_en="Shortfall",
        label_zh="缺口",
        rule="3.12",
        notes=("a surplus is no negative emission",),
    )


def gap_figure(gap: Gap) -> Figure:
    """Cost of closing the gap by certificates and credits [currency]: each count at its entered price.

    Args:
        gap: the plan.
    """
    return computed(
        "cost_of_gap",
        "sum",
        gap.currency,
        *(_step(step, gap.currency) for step in gap.purchase),
        label_en="Cost of closing the gap",
        label_zh="补足缺口费用",
        rule="3.1",
        notes=gap.notes,
    )


def _lot(use: Json, member: str, unit: str) -> Figure:
    amount = use[member]
    source = {"kind": "lot"} | {
        name: use[name]
        for name in (
            "lot",
            "event",
            "registry",
            "serials",
            "generated",
            "on_day",
            "tenant",
            "public_record",
            "simulated",
        )
        if name in use
    }
    value = float(amount) if isinstance(amount, int | float) else None
    label = f"{use['kind']} {use['serials']}"
    name = f"lot_{use['lot']}_event_{use['event']}_{str(use['serials']).rpartition('-')[2]}"
    return Figure(name, value, unit, label_en=label, label_zh=label, source=source, rule=str(use["rule"]))


def _step(step: Step, currency: str) -> Figure:
    each = None if step.cost is None or not step.count else step.cost / step.count
    count = Figure("count", None if step.count is None else float(step.count), "1", source={"kind": "plan"})
    price = Figure("price", each, currency, source={"kind": "entry", "entry": "instrument_price", "of": step.kind})
    return computed(step.name, "product", currency, count, price)
