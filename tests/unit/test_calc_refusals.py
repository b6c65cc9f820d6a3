"""Bad files of the trial calculator: every problem with file, line, place, value and the rule it breaks."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from parkcarbon.calc.engine import calculate
from parkcarbon.calc.loader import CalcError, Problem, load
from parkcarbon.catalog.factors import load_factors

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
HEAD = """calc: 1
period: 2026-10
settings: {electricity_region: China/JS, fuel_region: China, heat_region: China, fuel_set: NDRC 2015}
"""
GEC = "kind: GEC, registry: gec, prefix: G-, technology: wind, plant: w1, evidence: e"
CCER = "kind: CCER, registry: ccer, prefix: C-, technology: forestry, evidence: e, public_record: r"
CRITERIA = ("additional", "permanent", "programme_verified", "leakage_treated", "not_double_counted")
GOOD = f"criteria: {{{', '.join(f'{name}: true' for name in CRITERIA)}}}"
GIVEN = "publisher: p, document: d"
FOOTPRINT = f"factor: {{value: 60, unit: kgCO2e/GJ, {GIVEN}, life_cycle: true}}"
NET = f"factor: {{value: 200, unit: kgCO2/MWh, {GIVEN}, basis: NCV}}"


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(CalcError) as caught:
        calculate(load(text, "file.yaml"), load_factors(), now=NOW)
    assert str(caught.value).splitlines() == [problem.text("file.yaml") for problem in caught.value.problems]
    return caught.value.problems


LINES = {
    "wrong dimension": ("6.10", "{activity: a, kind: electricity, amount: 5, unit: Nm3}", "'Nm3'"),
    "negative": ("6.10", "{activity: a, kind: electricity, amount: -5, unit: kWh}", "-5 kWh is negative"),
    "life cycle": (
        "1.4",
        f"{{activity: a, kind: heat, amount: 5, unit: GJ, {FOOTPRINT}}}",
        "life-cycle",
    ),
    "life cycle by id": (
        "1.4",
        "{activity: a, kind: electricity, amount: 5, unit: kWh, factor_id: CN-FP-2023}",
        "CN-FP-2023",
    ),
    "mixed GWP": (
        "1.15",
        "{activity: a, kind: refrigerant, subject: R-410A, amount: 5, unit: kg, evidence: e, gwp_set: AR5}",
        "AR5",
    ),
    "mixed fuel sets": (
        "1.11",
        "{activity: a, kind: fuel, subject: diesel, amount: 5, unit: t, fuel_set: IPCC 2006}",
        "IPCC 2006",
    ),
    "NCV or HHV": ("1.10", "{activity: a, kind: fuel, subject: gas, amount: 5, unit: MWh}", "NCV or HHV"),
    "NCV against HHV": (
        "1.10",
        f"{{activity: a, kind: fuel, subject: gas, amount: 5, unit: MWh, basis: HHV, {NET}}}",
        "HHV",
    ),
    "raw cubic metres": ("1.12", "{activity: a, kind: fuel, subject: gas, amount: 5, unit: m3}", "5 m3"),
    "steam without a state": ("1.13", "{activity: a, kind: steam, amount: 5, unit: t, origin: fossil}", "pressure"),
    "heat from nowhere": ("1.13", "{activity: a, kind: heat, amount: 5, unit: GJ}", "origin"),
    "cooling": ("3.15", "{activity: a, kind: cooling, amount: 5, unit: GJ}", "COP"),
    "refrigerant without evidence": (
        "1.17",
        "{activity: a, kind: refrigerant, subject: R-410A, amount: 5, unit: kg}",
        "evidence",
    ),
    "another period": (
        "6.10",
        "{activity: a, kind: electricity, amount: 5, unit: kWh, from_day: 2026-09-01}",
        "2026-09-01",
    ),
}


@pytest.mark.rule("1.4", "1.10", "1.11", "1.12", "1.13", "1.15", "1.17", "3.15", "6.10")
@pytest.mark.parametrize("case", sorted(LINES))
def test_a_bad_line_is_refused_with_its_rule(case: str) -> None:
    rule, line, value = LINES[case]
    [problem] = problems(
        f"{HEAD}activities:\n  - {{activity: good, kind: electricity, amount: 1, unit: kWh}}\n  - {line}\n"
    )
    assert (problem.rule, problem.place, problem.line) == (rule, "activities[a]", 6)
    assert value in problem.message


LOTS = {
    "overlap": (
        "3.5",
        f"{{lot: x, {GEC}, first: 1, count: 10, generated: 2026-03, act: held}}",
        f"{{lot: y, {GEC}, first: 10, count: 1, generated: 2026-03, act: held}}",
    ),
    "above purchases": (
        "4.3",
        f"{{lot: y, {GEC}, first: 1, count: 2, generated: 2026-03, act: cancelled, on_day: 2026-11-01}}",
    ),
    "expired": (
        "4.2",
        f"{{lot: y, {GEC}, first: 1, count: 1, generated: 2024-01, act: cancelled, on_day: 2026-11-01}}",
    ),
    "other year": (
        "3.14",
        f"{{lot: y, {GEC}, first: 1, count: 1, generated: 2025-03, act: cancelled, on_day: 2026-11-01}}",
    ),
    "I-REC": (
        "4.1",
        f"{{lot: y, {GEC.replace('GEC', 'I-REC')}, unit_kwh: 1000, first: 1, count: 1, generated: 2025-03, act: held}}",
    ),
    "too late": (
        "3.4",
        f"{{lot: y, {CCER}, {GOOD}, first: 1, count: 1, generated: 2025-03, act: retired, on_day: 2027-11-01}}",
    ),
    "poor credit": (
        "3.4",
        f"{{lot: y, {CCER}, first: 1, count: 1, generated: 2025-03, act: retired, on_day: 2026-11-01}}",
    ),
    "compliance": (
        "4.5",
        f"{{lot: y, {CCER}, {GOOD}, first: 1, count: 1, generated: 2025-03, act: surrendered, on_day: 2026-11-01}}",
    ),
    "storage": (
        "4.1",
        f"{{lot: y, {GEC.replace('wind', 'storage')}, first: 1, count: 1, generated: 2026-03, act: held}}",
    ),
}


@pytest.mark.rule("3.4", "3.5", "3.14", "4.1", "4.2", "4.3", "4.5")
@pytest.mark.parametrize("case", sorted(LOTS))
def test_a_certificate_that_cannot_count_is_refused(case: str) -> None:
    rule, *lots = LOTS[case]
    text = f"{HEAD}activities:\n  - {{activity: gate, kind: electricity, amount: 1500, unit: kWh}}\ncertificates:\n"
    found = problems(text + "".join(f"  - {lot}\n" for lot in lots))
    assert [(problem.rule, problem.place) for problem in found] == [(rule, f"certificates[{'y'}]")]
    assert found[0].line == 6 + len(lots)


def test_every_problem_is_told_at_once_in_order_of_its_line() -> None:
    text = f"""{HEAD}activities:
  - {{activity: a, kind: electricity, amount: -1, unit: kWh}}
  - {{activity: b, kind: fuel, subject: gas, amount: 5, unit: m3}}
  - {{activity: a, kind: heat, amount: 5, unit: GJ, origin: fossil}}
factors:
  - {{factor: F, purpose: grid_average, carrier: electricity, region: China/JS, gas: CO2e, unit: kgCO2e/kWh,
     value: 0.6, publisher: p, edition: e, basis: carbon footprint}}
certificates:
  - {{lot: x, {GEC}, first: 1, count: 1, generated: 2026-03, act: cancelled}}
"""
    assert [(problem.line, problem.rule) for problem in problems(text)] == [
        (5, "6.10"),
        (6, "1.12"),
        (7, "6.10"),
        (9, "1.4"),
        (12, "3.5"),
    ]


@pytest.mark.rule("1.11")
def test_what_is_named_must_be_there() -> None:
    line = "activities:\n  - {activity: a, kind: electricity, amount: 5, unit: kWh, factor_id: NOWHERE}\n"
    [problem] = problems(HEAD.replace("NDRC 2015", "NDRC 1815") + line.replace("factor_id: NOWHERE", "note: x"))
    assert (problem.place, problem.rule, problem.line) == ("settings.fuel_set", "1.11", 3)
    [problem] = problems(HEAD + line)
    assert (problem.place, problem.line) == ("activities[a].factor_id", 5)


SHAPES = {
    "unknown member": ("activities:\n  - {activity: a, kind: fuel, amount: 1, unit: t, colour: red}\n", 5, "colour"),
    "missing member": ("activities:\n  - {activity: a, kind: fuel, unit: t}\n", 5, "amount: missing"),
    "wrong type": ("activities:\n  - activity: a\n    kind: fuel\n    amount: many\n    unit: t\n", 7, "'many'"),
    "unknown kind": ("activities:\n  - {activity: a, kind: magic, amount: 1, unit: t}\n", 5, "'magic'"),
    "twice": ("name: a\nname: b\n", 5, "appears twice"),
    "not YAML": ("activities: [\n", 5, "not YAML"),
}


@pytest.mark.parametrize("case", sorted(SHAPES))
def test_a_file_of_the_wrong_shape_is_told_where(case: str) -> None:
    more, line, said = SHAPES[case]
    [problem] = problems(HEAD + more)
    assert problem.line == line
    assert said in problem.text("file.yaml")


@pytest.mark.rule("3.18", "5.6", "6.4")
def test_hours_and_classes_are_checked() -> None:
    gate = "activities:\n  - {activity: a, kind: electricity, amount: 1, unit: kWh, accuracy_class: '9'}\n"
    [problem] = problems(HEAD + gate + "uncertainty: {}\n")
    assert (problem.rule, problem.place) == ("6.4", "activities[a].accuracy_class")
    start = "hourly: {start: 2026-10-01T00:00:00+08:00, "
    [problem] = problems(HEAD + start + "load_kwh: [1, 2], clean_kwh: [1]}\n")
    assert (problem.rule, problem.line) == ("3.18", 4)
    [problem] = problems(HEAD + start + "load_kwh: [-1], clean_kwh: [1]}\n")
    assert problem.rule == "5.6"


@pytest.mark.rule("1.18", "2.3")
def test_the_park_indicator_takes_no_odd_numbers() -> None:
    line = "activities:\n  - {activity: a, kind: electricity, amount: 5, unit: kWh}\n"
    [problem] = problems(HEAD + line + "park_indicator: {equal_kgce_per_kwh: 3.1}\n")
    assert (problem.rule, problem.place, problem.line) == ("1.18", "park_indicator", 6)
    [problem] = problems(HEAD + line + "park_indicator: {guiding: {luck: {value_pct: 1, evidence: e}}}\n")
    assert (problem.rule, "luck" in problem.message) == ("2.3", True)


def test_from_the_command_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"{HEAD}activities:\n  - {{activity: a, kind: electricity, amount: -5, unit: kWh}}\n")
    command = [sys.executable, "-m", "parkcarbon", "calc", str(bad)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [f"{bad}:5: activities[a]: rule 6.10: a: -5 kWh is negative"]
    done = subprocess.run([*command[:-1], str(tmp_path / "none.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "none.yaml" in done.stderr
