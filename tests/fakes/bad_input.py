"""Bad input that the books refuse, each with the rule it breaks and what it looks like at every door.

A case is given once, as plain data, and turned into a request, a command with its file and a file of the trial
calculator. The park is the one of `api_park`, known since 2019; everything happens in 2020 and 2021, so that no case
depends on the day on which it is tried.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

FILE: Final = "FILE"
"""Stands in a command for the file that holds its document."""

PERIOD: Final = "2020-03"
FACTOR: Final[Json] = {
    "factor": "OWN-HEAT-1",
    "purpose": "heat_purchased",
    "carrier": "heat",
    "region": "China/JS",
    "gas": "CO2",
    "unit": "tCO2/GJ",
    "value": 0.09,
    "data_year": 2020,
    "publisher": "heat supplier",
    "edition": "contract 2020",
    "source_page": "annex 2",
    "evidence": "contract 3",
    "valid_from": "2020-01-01",
    "valid_to": "2021-01-01",
}
OVERLAPPING: Final[Json] = FACTOR | {"factor": "OWN-HEAT-2", "value": 0.08, "valid_from": "2020-12-31"}
GEC: Final[Json] = {
    "kind": "GEC",
    "registry": "gec-cn",
    "serial_prefix": "GEC-",
    "first": 1,
    "count": 10,
    "technology": "wind",
    "plant": "wind-1",
    "market": "China",
    "generated": PERIOD,
    "origin": "bought",
    "evidence": "statement of account 1",
}
CCER: Final[Json] = {
    "kind": "CCER",
    "registry": "ccer",
    "serial_prefix": "CCER-",
    "first": 1,
    "count": 10,
    "technology": "forestry",
    "market": "China",
    "generated": "2019",
    "origin": "bought",
    "criteria": dict.fromkeys(
        ("additional", "permanent", "programme_verified", "leakage_treated", "not_double_counted"), True
    ),
    "evidence": "register extract 1",
}
PURCHASES: Final[Json] = {
    "kind": "electricity",
    "document": {"amount": 5, "unit": "MWh"},
    "period": PERIOD,
    "evidence": "bill 1",
}
GEC_LOT: Final = 1
CCER_LOT: Final = 2

_SUPPLIER: Final[Json] = {"value": 0.5, "unit": "kgCO2e/kWh", "publisher": "supplier", "document": "label 2020"}
_CALC: Final = """calc: 1
period: 2020-03
settings: {electricity_region: China/JS, fuel_region: China, heat_region: China, fuel_set: NDRC 2015}
activities:
  - {activity: gate, kind: electricity, amount: 5, unit: MWh}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that is refused; a door that it cannot come through is None.

    Attributes:
        name: what is wrong.
        rule: number of the rule that refuses it.
        says: the offending value, which every message names.
        path: of the request, after the park.
        body: of the request; None: it only asks.
        approver: True for what a second person asks.
        verb: the command, without park and person.
        file: what its file holds.
        calc: a file of the trial calculator.
    """

    name: str
    rule: str
    says: str
    path: str
    body: Json | None
    verb: tuple[str, ...]
    file: Any = None
    approver: bool = False
    calc: str | None = None


def _entry(name: str, rule: str, says: str, document: Json, calc: str, **frame: Any) -> Case:
    kind = document.pop("kind")
    entry = {"kind": kind, "document": document, "period": PERIOD, "evidence": "invoice 7"} | frame
    return Case(
        name=name,
        rule=rule,
        says=says,
        path="/entries",
        body={"entries": [entry]},
        verb=("entry", "enter", FILE),
        file=[entry],
        calc=f"{_CALC}  - {{activity: bad, {calc}}}\n",
    )


def _factor(name: str, rule: str, says: str, calc: Mapping[str, Any] | None = None, **members: Any) -> Case:
    record = FACTOR | {"factor": "OWN-BAD"} | members
    line = None if calc is None else json.dumps(calc, ensure_ascii=False)
    return Case(
        name=name,
        rule=rule,
        says=says,
        path="/factors",
        body=record | {"reason": "a case"},
        verb=("factor", "propose", FILE, "--reason", "a case"),
        file=record,
        calc=None if line is None else f"{_CALC}factors:\n  - {line}\n",
    )


def _lot(name: str, rule: str, says: str, lot: Json, *calc: Json) -> Case:
    return Case(
        name=name,
        rule=rule,
        says=says,
        path="/ledger/lots",
        body=lot | {"reason": "a case"},
        verb=("ledger", "enter", FILE, "--reason", "a case"),
        file=lot,
        calc=_certificates(*calc),
    )


def _act(name: str, rule: str, says: str, *, verb: str, kind: str, lot: int, calc: Json, **act: Any) -> Case:
    named = {"first": "--first", "count": "--count", "on_day": "--on", "period": "--period"}
    options = [text for member, value in act.items() for text in (named[member], str(value))]
    return Case(
        name=name,
        rule=rule,
        says=says,
        path=f"/ledger/lots/{lot}/events",
        body={"kind": kind, **act, "public_record": "https://registry.example/1", "reason": "a case"},
        verb=(
            "ledger",
            verb,
            str(lot),
            *options,
            "--public-record",
            "https://registry.example/1",
            "--reason",
            "a case",
        ),
        calc=_certificates(calc),
    )


def _certificates(*lots: Json) -> str:
    lines = [f"  - {json.dumps({'lot': f'lot {number}', **lot})}\n" for number, lot in enumerate(lots, 1)]
    return f"{_CALC}certificates:\n{''.join(lines)}"


def _calc_lot(lot: Json, **more: Any) -> Json:
    """A lot as the trial calculator has it."""
    members = {name: value for name, value in lot.items() if name not in ("serial_prefix", "origin", "market")}
    generated = lot["generated"] if len(lot["generated"]) > 4 else f"{lot['generated']}-06"
    return {**members, "prefix": lot["serial_prefix"], "generated": generated, "act": "held", **more}


_I_REC: Final = GEC | {"kind": "I-REC", "registry": "evident", "serial_prefix": "IREC-", "generated": "2025-03"}
_CEA: Final = CCER | {"kind": "CEA", "registry": "cea", "serial_prefix": "CEA-"}

CASES: Final = (
    _entry(
        "wrong dimension of an amount",
        "6.10",
        "Nm3",
        {"kind": "electricity", "amount": 5, "unit": "Nm3"},
        "kind: electricity, amount: 5, unit: Nm3",
    ),
    _entry(
        "a factor of another dimension",
        "6.10",
        "kgCO2e/kWh",
        {"kind": "process", "product": "lime", "amount": 5, "unit": "t", "supplier": _SUPPLIER},
        f"kind: process, subject: lime, amount: 5, unit: t, factor: {json.dumps(_SUPPLIER)}",
    ),
    _factor("wrong dimension of an own factor", "1.8", "kWh/GJ", unit="kWh/GJ"),
    _factor(
        "a life-cycle value as a factor of the grid",
        "1.4",
        "life-cycle",
        calc={
            "factor": "OWN-BAD",
            "purpose": "grid_average",
            "carrier": "electricity",
            "region": "China/JS",
            "gas": "CO2e",
            "unit": "kgCO2e/kWh",
            "value": 0.6,
            "publisher": "p",
            "edition": "e",
            "basis": "carbon footprint",
        },
        purpose="grid_average",
        carrier="electricity",
        gas="CO2e",
        unit="kgCO2e/kWh",
        basis="carbon footprint",
    ),
    _entry(
        "a life-cycle factor for purchased electricity",
        "1.4",
        "life-cycle",
        {"kind": "electricity", "amount": 5, "supplier": _SUPPLIER | {"life_cycle": True}},
        f"kind: electricity, amount: 5, unit: kWh, factor: {json.dumps(_SUPPLIER | {'life_cycle': True})}",
    ),
    _entry(
        "a life-cycle record named for purchased heat",
        "1.4",
        "CN-FP-2023",
        {"kind": "heat", "amount": 5, "origin": "fossil", "factor": "CN-FP-2023"},
        "kind: heat, amount: 5, unit: GJ, origin: fossil, factor_id: CN-FP-2023",
    ),
    Case(
        name="overlapping validity of two own factors",
        rule="1.11",
        says="OWN-HEAT-1",
        path="/factors/{overlapping}/decision",
        body={"decision": "approved", "reason": "a case"},
        verb=("factor", "decide", "{overlapping}", "approved", "--reason", "a case"),
        approver=True,
    ),
    _lot(
        "an overlapping serial range",
        "3.5",
        "serials",
        GEC | {"first": 10, "count": 3},
        _calc_lot(GEC),
        _calc_lot(GEC, first=10, count=3),
    ),
    _entry(
        "a negative quantity",
        "6.10",
        "-5",
        {"kind": "electricity", "amount": -5},
        "kind: electricity, amount: -5, unit: kWh",
    ),
    _factor("a negative factor", "6.10", "-0.5", value=-0.5),
    _act(
        "a retirement after the deadline",
        "3.4",
        "12 months",
        verb="retire",
        kind="retired",
        lot=CCER_LOT,
        calc=_calc_lot(CCER, act="retired", on_day="2021-04-01", public_record="https://registry.example/1"),
        first=1,
        count=1,
        period=PERIOD,
        on_day="2021-04-01",
    ),
    _entry(
        "mixed GWP sets",
        "1.15",
        "AR5",
        {"kind": "refrigerant", "substance": "R-410A", "refilled_kg": 5, "gwp_set": "AR5"},
        "kind: refrigerant, subject: R-410A, amount: 5, unit: kg, evidence: invoice 7, gwp_set: AR5",
    ),
    _entry(
        "mixed fuel default sets",
        "1.11",
        "IPCC 2006",
        {"kind": "fuel", "fuel": "diesel", "amount": 5, "unit": "t", "fuel_set": "IPCC 2006"},
        "kind: fuel, subject: diesel, amount: 5, unit: t, fuel_set: IPCC 2006",
    ),
    _entry(
        "NCV against HHV",
        "1.10",
        "HHV",
        {
            "kind": "fuel",
            "fuel": "gas",
            "amount": 5,
            "unit": "MWh",
            "basis": "HHV",
            "supplier": _SUPPLIER | {"unit": "kgCO2/MWh", "basis": "NCV"},
        },
        "kind: fuel, subject: gas, amount: 5, unit: MWh, basis: HHV,"
        f" factor: {json.dumps(_SUPPLIER | {'unit': 'kgCO2/MWh', 'basis': 'NCV'})}",
    ),
    _entry(
        "cubic metres without standard conditions",
        "1.12",
        "m3",
        {"kind": "fuel", "fuel": "gas", "amount": 5, "unit": "m3"},
        "kind: fuel, subject: gas, amount: 5, unit: m3",
    ),
    _entry(
        "steam without pressure",
        "1.13",
        "pressure",
        {"kind": "steam", "amount_t": 5, "origin": "fossil"},
        "kind: steam, amount: 5, unit: t, origin: fossil",
    ),
    _entry(
        "cooling without COP or factor",
        "3.15",
        "COP",
        {"kind": "cooling", "amount": 5},
        "kind: cooling, amount: 5, unit: GJ",
    ),
    _entry(
        "planting as removal",
        "3.4",
        "trees along the road",
        {"kind": "removal", "subject": "trees along the road", "removed_t": 5},
        "kind: removal, subject: trees along the road, amount: 5, unit: tCO2, evidence: photograph",
    ),
    _lot(
        "I-REC for mainland generation after 2024",
        "4.1",
        "2025",
        _I_REC,
        _calc_lot(_I_REC, unit_kwh=1000),
    ),
    _act(
        "GEC above purchases",
        "4.3",
        "6000",
        verb="cancel",
        kind="cancelled",
        lot=GEC_LOT,
        calc=_calc_lot(GEC, count=6, act="cancelled", on_day="2020-05-01"),
        first=1,
        count=6,
        period=PERIOD,
        on_day="2020-05-01",
    ),
    _lot("an allowance (CEA) as an offset", "4.7", "CEA", _CEA, _calc_lot(_CEA)),
    _entry(
        "a refrigerant without evidence",
        "1.17",
        "R-410A",
        {"kind": "refrigerant", "substance": "R-410A", "refilled_kg": 5},
        "kind: refrigerant, subject: R-410A, amount: 5, unit: kg",
        evidence="",
    ),
    Case(
        name="an as_of in the last minute",
        rule="6.9",
        says="newer than a minute ago",
        path=f"/inventory?period={PERIOD}&as_of={{now}}",
        body=None,
        verb=("inventory", "--period", PERIOD, "--as-of", "{now}"),
    ),
)
