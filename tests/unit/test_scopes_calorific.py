"""Dated calorific values of metered gas: vectors by hand, rule 6.2, a constant series against one record, refusals."""

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.catalog.check import check_park
from parkcarbon.catalog.park import decode_park
from parkcarbon.domain.activities.activity import GasState
from parkcarbon.domain.activities.metered import metered_fuel
from parkcarbon.domain.calorific import CalorificMean, at_mean, at_value, filled, mean_calorific, priced, varies
from parkcarbon.domain.emissions import CarrierFactor, Settings, interval_nano_kg, resolve
from parkcarbon.domain.factor_rules import check_one_set
from parkcarbon.domain.factors import Factor, FactorSeries, Match, NoFactorError
from parkcarbon.domain.inventory import Inventory, PointAmount
from parkcarbon.domain.inventory_figures import scope_figure
from parkcarbon.domain.methods.gbt32150 import gbt32150
from parkcarbon.domain.methods.result import MethodResult
from parkcarbon.domain.methods.zcp910 import zcp910
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check
from tests.fakes.scopes_park import CATALOG, GAS, JIANGSU, frame, inventory, point, query

HOUR_MS = 3_600_000
QUARTER_MS = 900_000
START = 1_791_000_000_000 // HOUR_MS * HOUR_MS
DECLARED = replace(JIANGSU, gas_calorific_value="GAS-NCV")
KNOWN = dt.date(2026, 11, 21)


def record(value: float | None = 389.31, **more: Any) -> Factor:
    """A supplier's calorific value, or a series of it where there is no value."""
    members: dict[str, Any] = {
        "basis": "NCV",
        "unit": "GJ/10^4Nm3",
        "carrier": "gas",
        "region": "China",
        "publisher": "gas supplier",
        "edition": "certificates",
        "own": True,
    }
    return Factor(
        factor="GAS-NCV",
        purpose="calorific_value",
        gas="",
        value=value,
        series=value is None,
        **(members | more),
    )


SERIES = record(None)


def series(*values: float, start: int = START, span: int = HOUR_MS, factor: Factor = SERIES) -> FactorSeries:
    starts = start + span * np.arange(len(values))
    return FactorSeries(factor, starts, np.full(len(values), span), np.array(values))


def gas_factor(factor: Factor, unit: str = "Nm3", settings: Settings = DECLARED) -> CarrierFactor:
    return resolve([*CATALOG, factor], settings, carrier="gas", unit=unit, data_year=2026, known_on=KNOWN)


def amounts(known: FactorSeries, start_ms: np.ndarray, micro: np.ndarray, unit: str = "Nm3") -> list[int]:
    template = gas_factor(known.factor, unit)
    emitted, found = interval_nano_kg(start_ms, micro, template, priced(filled(known), template))
    assert found.all()
    return [int(nano) for nano in emitted]


@pytest.mark.rule("1.12")
def test_each_hour_by_its_own_value() -> None:
    """V/1e4 x NCV x (0.0153 x 0.99 x 44/12 x 1000 + 1e-3 x 1.0 x 27.0 + 1e-4 x 273), by hand for 100 Nm3.

    CO2 a GJ: 0.0153 x 0.99 x 44/12 x 1000 = 55.539 kg; CH4 0.001 kg x 27.0 = 0.027; N2O 0.0001 kg x 273 = 0.0273.
    350 GJ/1e4 Nm3: 3.5 GJ x 55.5933 = 194.57655 kg; 400: 4 x 55.5933 = 222.3732 kg.
    """
    starts = START + QUARTER_MS * np.arange(8)
    emitted = amounts(series(350.0, 400.0), starts, np.full(8, 100_000_000))
    assert emitted == [194_576_550_000] * 4 + [222_373_200_000] * 4
    joule = series(35.0, 40.0, factor=record(None, unit="MJ/Nm3"))
    assert amounts(joule, starts, np.full(8, 100_000_000)) == emitted


@pytest.mark.rule("1.12")
def test_the_published_vector_comes_out_of_a_series_too() -> None:
    """389.31 GJ/1e4 Nm3 x 0.0153 tC/GJ x 99 % x 44/12 = 21.6219 tCO2/1e4 Nm3."""
    gas = at_value(gas_factor(SERIES), 389.31)
    assert round(gas.gases["CO2"] * 1e4 / 1e3, 4) == 21.6219
    assert gas.gj == pytest.approx(0.038931)


@pytest.mark.rule("6.2")
def test_a_missing_hour_takes_the_mean_of_before_and_after() -> None:
    known = series(350.0, 0.0, 0.0, 400.0, 410.0)
    keep = np.array([0, 3, 4])
    known = FactorSeries(SERIES, known.start_ms[keep], known.span_ms[keep], known.value[keep])
    hours = START + HOUR_MS * np.arange(-2, 7)
    found = filled(known)
    assert found.at(hours).tolist() == [350.0, 350.0, 350.0, 375.0, 375.0, 400.0, 410.0, 410.0, 410.0]
    assert found.substituted_at(hours).tolist() == [True, True, False, True, True, False, False, True, True]
    assert np.isnan(known.at(hours)).tolist() == found.substituted_at(hours).tolist()
    assert not known.substituted_at(hours).any()


@pytest.mark.rule("6.2")
def test_a_series_without_values_substitutes_nothing_and_counts_nothing() -> None:
    empty = series()
    template = gas_factor(SERIES)
    emitted, known = interval_nano_kg(np.array([START]), np.array([1]), template, priced(filled(empty), template))
    assert (emitted.tolist(), known.tolist()) == ([0], [False])
    assert mean_calorific(filled(empty), np.array([START]), np.array([1])) is None
    found = counted(None)
    assert found.scope(1).co2e_nano_kg is None
    assert found.energy["gas_gj"] is None
    assert "the series GAS-NCV has no calorific values" in str(found.not_in_total[0]["reason"])


values = st.floats(min_value=1.0, max_value=1000.0)
micros = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=40)


@given(values, micros, st.sampled_from(["GJ/10^4Nm3", "MJ/Nm3"]), st.sampled_from(["Nm3", "m3"]))
@pytest.mark.rule("1.12", "6.2")
def test_a_constant_series_is_the_record_bit_for_bit(value: float, micro: list[int], unit: str, meter: str) -> None:
    """Interval by interval, in the mean, and in every number that follows from it; also where hours are missing."""
    settings = replace(DECLARED, gas_state=GasState(temperature_c=18.5, pressure_kpa_abs=250.0))
    one = gas_factor(record(value, unit=unit), meter, settings)
    template = gas_factor(record(None, unit=unit), meter, settings)
    assert varies(template)
    assert not varies(one)
    sparse = series(value, value, start=START + 2 * HOUR_MS, span=3 * HOUR_MS, factor=record(None, unit=unit))
    sparse = FactorSeries(sparse.factor, sparse.start_ms, sparse.span_ms // 3, sparse.value)
    starts = START + QUARTER_MS * np.arange(len(micro))
    by_record, _ = interval_nano_kg(starts, np.array(micro), one)
    by_series, known = interval_nano_kg(starts, np.array(micro), template, priced(filled(sparse), template))
    assert known.all()
    assert by_series.tolist() == by_record.tolist()
    mean = mean_calorific(filled(sparse), starts, np.array(micro))
    assert mean is not None
    assert mean.value == value
    same = at_mean(template, mean, sum(micro))
    assert (same.co2e, dict(same.gases), same.gj) == (one.co2e, dict(one.gases), one.gj)
    full = (metered_full(record(value, unit=unit), settings), metered_full(record(None, unit=unit), settings))
    assert at_value(full[1], value).gases == full[0].gases


def metered_full(factor: Factor, settings: Settings) -> CarrierFactor:
    asked = replace(query(settings, [*CATALOG, factor]), carrier="gas", unit="Nm3")
    return metered_fuel(asked, full_oxidation=True)


@given(st.lists(st.tuples(values, st.integers(min_value=0, max_value=10**9)), min_size=1, max_size=60))
def test_the_mean_gives_the_sum_of_the_intervals(hours: list[tuple[float, int]]) -> None:
    known = series(*(value for value, _ in hours))
    micro = np.array([amount for _, amount in hours])
    emitted = sum(amounts(known, known.start_ms, micro))
    mean = mean_calorific(filled(known), known.start_ms, micro)
    assert mean is not None
    assert mean.substituted_micro == 0
    whole = sum(amount for _, amount in hours)
    by_mean = whole * at_value(gas_factor(SERIES), mean.value).co2e * 1e3
    assert math.isclose(emitted, by_mean, rel_tol=1e-12, abs_tol=len(hours))


def test_nothing_burnt_has_a_mean_too() -> None:
    mean = mean_calorific(filled(series(300.0, 400.0)), START + HOUR_MS * np.arange(2), np.zeros(2, np.int64))
    assert mean == CalorificMean("GAS-NCV", 350.0, 0)


# ── inventory and methods ────────────────────────────────────────────────────────────────────────

STARTS = START + HOUR_MS * np.arange(4)
MICRO = np.array([100, 200, 300, 400]) * 10**9
HOURS = series(350.0, 360.0, 0.0, 380.0)
KEPT = np.array([0, 1, 3])
HOLED = FactorSeries(SERIES, HOURS.start_ms[KEPT], HOURS.span_ms[KEPT], HOURS.value[KEPT])


def burnt() -> PointAmount:
    """1e6 Nm3: 100, 200, 300 and 400 thousand at 350, 360, (360 + 380) / 2 = 370 and 380 GJ/1e4 Nm3."""
    stored = sum(amounts(HOLED, STARTS, MICRO))
    mean = mean_calorific(filled(HOLED), STARTS, MICRO)
    gas = point("boiler/gas_volume_base", "fuel", 1e6, "gas", "Nm3", co2e_nano_kg=stored, calorific=mean)
    return replace(gas, intervals=4)


def counted(mean: CalorificMean | None) -> Inventory:
    return inventory([replace(burnt(), calorific=mean)], settings=DECLARED, factors=[*CATALOG, SERIES])


@pytest.mark.rule("6.2", "1.11", "1.12")
def test_the_line_of_the_inventory() -> None:
    """Energy 3500 + 7200 + 11100 + 15200 = 37,000 GJ, so a mean of 370; x 55.5933 = 2,056,952.1 kg CO2e.

    CO2 37,000 x 55.539 = 2,054,943; CH4 37,000 x 0.027 = 999; N2O 37,000 x 0.0273 = 1,010.1 kg CO2e.
    """
    found = counted(burnt().calorific)
    (line,) = found.scope(1).lines
    assert line.co2e_nano_kg == burnt().co2e_nano_kg == 2_056_952_100_000_000
    assert line.gas_nano_kg == pytest.approx(
        {"CO2": 2_054_943_000_000_000, "CH4": 999_000_000_000, "N2O": 1_010_100_000_000}, abs=1
    )
    assert sum(line.gas_nano_kg.values()) == line.co2e_nano_kg
    assert line.gases["CH4"] == pytest.approx(37.0)
    assert found.energy["gas_gj"] == 37_000.0
    assert "GAS-NCV: 30 % of the amount by calorific values substituted by rule 6.2" in found.warnings
    assert "gas: calorific value by GAS-NCV, carbon by CNDRC-CC-natural-gas (NDRC 2015)" in line.note
    assert line.factors[0].factor is SERIES
    assert line.factors[0].match is Match.SERIES
    assert not any("sets" in warning for warning in found.warnings)
    assert check(scope_figure("scope1", found.scope(1))) == []


def test_intervals_of_other_values_are_told_and_not_counted() -> None:
    stale = inventory([replace(burnt(), co2e_nano_kg=10**15)], settings=DECLARED, factors=[*CATALOG, SERIES])
    assert stale.scope(1).co2e_nano_kg == pytest.approx(2_056_952_100_000_000, abs=1)
    assert any("computed with another factor" in warning for warning in stale.warnings)


def methods() -> tuple[MethodResult, MethodResult]:
    first = gbt32150([burnt()], [*CATALOG, SERIES], DECLARED, **frame())
    second = zcp910([burnt()], [*CATALOG, SERIES], DECLARED, **frame())
    return first, second


@pytest.mark.rule("2.5", "2.9")
def test_the_other_methods_use_the_same_energy() -> None:
    """zcp910: 37,000 GJ x 0.0153 tC/GJ x 100 % x 44/12 = 2,075,700 kg CO2; gbt32150: the line of the inventory."""
    general, park = methods()
    assert [line.nano_kg for line in general.lines] == [2_056_952_100_000_000]
    assert [line.nano_kg for line in park.lines] == [2_075_700_000_000_000]
    (energy,) = [item for item in park.energy if item.carrier == "gas"]
    assert energy.amount_micro == 37_000_000_000


# ── which record ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("1.10")
@pytest.mark.parametrize("basis", ["HHV", "gross HHV, dry", ""])
def test_a_gross_or_unnamed_basis_is_refused(basis: str) -> None:
    for value in (430.0, None):
        with pytest.raises(NoFactorError, match=r"rule 1\.10.*GAS-NCV"):
            gas_factor(record(value, basis=basis))


@pytest.mark.rule("1.12", "6.10", "1.6")
def test_what_is_no_calorific_value_of_this_gas_is_refused() -> None:
    with pytest.raises(NoFactorError, match=r"rule 1\.12.*GJ/t"):
        gas_factor(record(48.0, unit="GJ/t"))
    with pytest.raises(NoFactorError, match=r"rule 6\.10.*coke-oven-gas"):
        gas_factor(record(170.0, carrier="coke-oven-gas"))
    with pytest.raises(NoFactorError, match=r"rule 1\.6.*CNDRC-CC-natural-gas"):
        gas_factor(SERIES, settings=replace(DECLARED, gas_calorific_value="CNDRC-CC-natural-gas"))
    with pytest.raises(NoFactorError, match="no factor 'NONE'"):
        gas_factor(SERIES, settings=replace(DECLARED, gas_calorific_value="NONE"))


def test_a_record_of_the_year_goes_before_those_of_others() -> None:
    older, newer = record(350.0, data_year=2025), record(360.0, data_year=2026)
    found = {
        year: resolve([*CATALOG, older, newer], DECLARED, carrier="gas", unit="Nm3", data_year=year, known_on=KNOWN).gj
        for year in (2025, 2026, 2027)
    }
    assert found == {2025: pytest.approx(0.035), 2026: pytest.approx(0.036), 2027: pytest.approx(0.036)}
    late = resolve([*CATALOG, older], DECLARED, carrier="gas", unit="Nm3", data_year=2026, known_on=KNOWN)
    assert "GAS-NCV describes 2025, not 2026" in late.notes


def test_a_record_of_some_months_does_not_speak_for_the_year() -> None:
    with pytest.raises(NoFactorError, match=r"from 2026-03-01 to ever.*load its values as a series"):
        gas_factor(record(350.0, valid_from=dt.date(2026, 3, 1)))
    with pytest.raises(NoFactorError, match="from ever to 2026-07-01"):
        gas_factor(record(350.0, valid_to=dt.date(2026, 7, 1)))
    assert gas_factor(record(350.0, valid_from=dt.date(2026, 1, 1))).gj == pytest.approx(0.035)


@pytest.mark.rule("1.11")
def test_a_default_of_another_set_is_told_a_measured_one_is_not() -> None:
    other = record(390.0, own=False, publisher="another ministry", edition="another guideline")
    with pytest.raises(RefusedError, match=r"rule 1\.11"):
        check_one_set(gas_factor(other).matches)
    check_one_set(gas_factor(replace(other, value=None, series=True)).matches)
    check_one_set(gas_factor(record(390.0)).matches)


def test_without_the_setting_nothing_changes() -> None:
    """A series that no setting names is not the default either."""
    plain = resolve(CATALOG, JIANGSU, carrier="gas", unit="Nm3", data_year=2026, known_on=KNOWN)
    assert plain.leading.factor.factor == "CNDRC-CC-natural-gas"
    declared = replace(JIANGSU, gas_calorific_value="CNDRC-NCV-natural-gas")
    named = resolve(CATALOG, declared, carrier="gas", unit="Nm3", data_year=2026, known_on=KNOWN)
    assert (named.co2e, named.gj) == (plain.co2e, plain.gj)
    with pytest.raises(NoFactorError, match=r"GAS-NCV is by the hour.*gas_calorific_value"):
        resolve([*CATALOG, SERIES], JIANGSU, carrier="gas", unit="Nm3", data_year=2026, known_on=KNOWN)


@pytest.mark.rule("1.12", "6.10")
def test_raw_cubic_metres_count_in_a_declared_state_only() -> None:
    """1000 m3 at 20 degC and 3 bar: 1000 x 300 / 101.325 x 273.15 / 293.15 = 2758.77 Nm3."""
    raw = replace(GAS, unit="m3", point="boiler/gas_volume", amount_micro=10**9)
    refused = inventory([raw]).not_in_total[0]["reason"]
    assert "rule 1.12" in str(refused)
    state = GasState(temperature_c=20.0, pressure_kpa_abs=300.0)
    found = inventory([raw], settings=replace(JIANGSU, gas_state=state)).scope(1).co2e_nano_kg
    standard = inventory([replace(GAS, amount_micro=10**9)]).scope(1).co2e_nano_kg
    assert found is not None
    assert standard is not None
    assert found / standard == pytest.approx(2.75877, abs=1e-5)
    vacuum = replace(JIANGSU, gas_state=GasState(temperature_c=20.0, pressure_kpa_abs=0.0))
    assert "rule 6.10" in str(inventory([raw], settings=vacuum).not_in_total[0]["reason"])


# ── the park document ────────────────────────────────────────────────────────────────────────────

DOCUMENT = """
park: demo
name: {zh: 甲, en: A}
timezone: Asia/Shanghai
method: {electricity_region: China/JS, fuel_region: China, gas_calorific_value: NAMED,
         gas_conditions: {temperature_c: 20, pressure_kpa_abs: 300, compressibility_ratio: 0.99}}
factor_series:
  - {factor: gas-ncv, purpose: calorific_value, carrier: gas, region: China, gas: "", unit: UNIT, basis: BASIS,
     span_s: 86400, file: gas.csv, time_column: t, value_column: x, publisher: gas supplier, edition: certificates}
"""


def problems(name: str = "gas-ncv", unit: str = "MJ/Nm3", basis: str = "NCV") -> list[str]:
    return check_park(decode_park(DOCUMENT.replace("NAMED", name).replace("UNIT", unit).replace("BASIS", basis)))


@pytest.mark.rule("1.6", "1.10", "1.12")
def test_the_park_document_is_checked() -> None:
    """An id that neither catalog nor document knows may be an approved record of the database."""
    assert problems() == []
    assert problems("CNDRC-NCV-natural-gas") == []
    assert problems("OWN-RECORD") == []
    for said, found in (
        ("rule 1.10", problems(basis="HHV")),
        ("rule 1.10", problems(basis='""')),
        ("rule 1.12", problems(unit="GJ/t")),
        ("rule 1.6", problems("CNDRC-CC-natural-gas")),
    ):
        (one,) = found
        assert one.startswith("method.gas_calorific_value")
        assert said in one
    settings = decode_park(DOCUMENT).method.settings()
    assert settings.gas_state == GasState(temperature_c=20.0, pressure_kpa_abs=300.0, compressibility_ratio=0.99)
