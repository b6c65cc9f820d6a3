"""From true values to registers: transformers, steps, exchanged meters, images, faults."""

import doctest
import importlib
import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.faults import FOREVER_MS, Fault, answers, tear, verdict, wrap
from firmware_sim.image import Image, counted, registers_of_value, shown
from firmware_sim.localtime import DAY_MS
from firmware_sim.meters import Meter
from firmware_sim.noise import Floats, Ints
from firmware_sim.park import SimulatedPark, new_state
from firmware_sim.scenario import FaultSpec, Scenario, ScenarioError, load_scenario, scenario_names, scenario_text
from parkcarbon.catalog.profiles import load_profile, profile_names
from parkcarbon.domain.profile import PointDef
from parkcarbon.domain.readplan import plan_profile
from parkcarbon.domain.registers import decode, decode_serial, encode

NOW_MS = 1_795_237_380_000  # 2026-11-21T04:23Z
MODBUS = [load_profile(name) for name in profile_names() if load_profile(name).transport == "modbus"]
POINTS = [point for profile in MODBUS for point in profile.points]


@cache
def scenario(name: str) -> Scenario:
    return load_scenario(scenario_text(name))


@cache
def park(name: str = "jiangsu", seed: int = 1) -> SimulatedPark:
    return SimulatedPark(scenario(name), new_state(scenario(name), seed, NOW_MS))


def meter(device: str, name: str = "jiangsu") -> Meter:
    return next(meter for meter in park(name).meters if meter.plan.device == device)


def at(*moments: int) -> Ints:
    return np.array(moments, dtype=np.int64)


def ramp(time_ms: Ints) -> Floats:
    """A register that gains 1 in a second."""
    return time_ms / 1000.0


@pytest.mark.parametrize("module", ["balance", "faults", "noise", "scenario", "solar"])
def test_examples_in_docstrings_hold(module: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(f"firmware_sim.{module}"))
    assert (failed, tried > 0) == (0, True)


# ── images ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.quantity)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1))
def test_what_is_shown_is_what_a_reader_decodes(point: PointDef, share: float) -> None:
    low = 0.0 if point.minimum is None else point.minimum
    high = 60_000.0 if point.maximum is None else min(point.maximum, 1e7)
    value = low + share * (high - low)
    decoded = decode(point, encode(point, value))
    vector, quality = shown(point, np.array([value]))
    assert vector[0] == decoded.value
    assert quality[0] == decoded.quality


def test_a_mechanism_counts_whole_steps_and_starts_again() -> None:
    point = load_profile("acrel-dtsd1352").point("active_energy_import")
    assert point.modulus is not None
    assert counted(point, np.array([12.349, 12.35, point.modulus + 0.019])) == pytest.approx([12.34, 12.35, 0.01])


@pytest.mark.parametrize("profile", MODBUS, ids=lambda profile: profile.name)
def test_every_block_a_reader_plans_is_answered_whole(profile: object) -> None:
    device = next(m for m in park().meters if m.profile is profile)
    quantities = tuple(point.quantity for point in device.profile.points)
    for block in plan_profile(device.profile, quantities):
        answer = device.answer(block.function, block.address, block.count, NOW_MS)
        assert not isinstance(answer, int), block
        words, values = answer
        registers = block.registers(words)
        for point in block.points:
            assert values[point.quantity] == decode(point, registers).value
            assert decode(point, registers).quality == 0, point.quantity


def test_what_is_not_in_the_map_is_an_illegal_address() -> None:
    device = meter("coldchain-1")
    assert device.answer(3, 5000, 2, NOW_MS) == 2
    assert device.answer(4, 0x000A, 2, NOW_MS) == 2
    assert device.answer(3, 0x000A, 125, NOW_MS) == 3
    assert device.answer(3, 0x000A, 0, NOW_MS) == 3


def test_a_part_of_a_value_is_answered_but_not_logged_as_a_value() -> None:
    device = meter("coldchain-1")
    whole, half = device.answer(3, 0x000A, 2, NOW_MS), device.answer(3, 0x000B, 1, NOW_MS)
    assert not isinstance(whole, int)
    assert not isinstance(half, int)
    assert half == ([whole[0][1]], {})


def test_the_serial_number_is_in_the_registers() -> None:
    device = meter("battery")
    assert device.profile.serial is not None
    answer = device.answer(device.profile.serial.function, device.profile.serial.address, 2, NOW_MS)
    assert not isinstance(answer, int)
    registers = dict(enumerate(answer[0], device.profile.serial.address))
    assert decode_serial(device.profile.serial, registers) == device.plan.fittings[0].serial


def test_a_value_that_does_not_fit_is_shown_as_the_nearest() -> None:
    point = load_profile("acrel-dtsd1352").point("voltage_l1n")
    assert decode(point, registers_of_value(point, 1e9)).value == point.maximum
    assert Image(load_profile("acrel-dtsd1352"), "1").points_in(4, 0, 100) == []


# ── transformers and exchanged meters ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("device", "ratio"), [("gate", 200.0), ("workshop-1", 15.0), ("workshop-2", 1.0)])
def test_registers_are_secondary_side_where_the_model_says_so(device: str, ratio: float) -> None:
    one = meter(device, "tiny")
    ledger = park("tiny").ledger
    span = at(NOW_MS - DAY_MS, NOW_MS)
    register = np.diff(one.decoded("active_energy_import", span)[0])[0]
    energy = np.diff(ledger.energy(device, span))[0]
    step = one.profile.point("active_energy_import").resolution
    assert register * ratio == pytest.approx(energy, abs=1.5 * step * ratio)
    power = one.decoded("active_power", span)[0]
    assert power * ratio == pytest.approx(ledger.power(device, span), rel=1e-3, abs=0.001 * ratio)


def test_an_exchanged_meter_shows_its_own_register_behind_its_own_transformer() -> None:
    one = meter("research-2")
    old, new = one.plan.fittings
    before, after = new.from_ms - 1, new.from_ms
    end = one.before_fault("active_energy_import", old, after)
    assert one.decoded("active_energy_import", at(before))[0][0] == pytest.approx(end, abs=0.011)
    assert one.decoded("active_energy_import", at(after))[0][0] == new.start == 0.4
    span = at(after, NOW_MS)
    gained = np.diff(one.decoded("active_energy_import", span)[0])[0] * new.ct
    assert gained == pytest.approx(np.diff(park().ledger.energy("research-2", span))[0], abs=1.5 * 0.01 * new.ct)
    assert (old.ct, new.ct) == (15, 20)


def test_the_balance_closes_over_the_registers_of_a_month() -> None:
    """From decoded registers, ratios and declared exchanges alone: losses of 1-3 % remain."""
    start, end = NOW_MS - 30 * DAY_MS, NOW_MS
    total: dict[str, float] = {}
    for one in park().meters:
        for quantity, flow in one.plan.flows.items():
            total[flow] = total.get(flow, 0.0) + _primary(one, quantity, start, end)
    known = total["import"] + total["generation"] + total["discharge"] - total["export"] - total["charge"]
    assert 0.01 < (known - total["sub_meter"]) / total["sub_meter"] < 0.03
    assert total["export"] > 0


def _primary(one: Meter, quantity: str, start: int, end: int) -> float:
    bounds = [start, *(f.from_ms for f in one.plan.fittings if start < f.from_ms < end), end]
    energy = 0.0
    for left, right in pairwise(bounds):
        fitting = [f for f in one.plan.fittings if f.from_ms <= left or f is one.plan.fittings[0]][-1]
        first, last = (one.before_fault(quantity, fitting, moment) for moment in (left, right))
        energy += (last - first) * one.ratio(quantity, fitting)
    return energy


def test_no_point_ever_exceeds_its_limit_or_its_range() -> None:
    hours = np.arange(NOW_MS - 5 * DAY_MS, NOW_MS, 900_000, dtype=np.int64)
    for one in park().meters:
        for quantity in one.plan.quantities:
            values, quality = one.decoded(quantity, hours)
            assert not quality.any(), (one.plan.device, quantity)
            if quantity in one.plan.flows:
                step = max(one.profile.point(quantity).resolution, 0.07)
                assert np.diff(values).min() >= 0
                assert np.diff(values).max() <= one.limit_per_h(quantity, one.plan.fittings[-1]) / 4 + step


# ── faults ───────────────────────────────────────────────────────────────────────────────────────

SPAN = at(*range(0, 100_000, 10_000))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("stuck", [0, 10, 20, 30, 30, 30, 60, 70, 80, 90]),
        ("drop", [0, 10, 20, 25, 35, 45, 60, 70, 80, 90]),
        ("glitch", [0, 10, 20, 35, 45, 55, 60, 70, 80, 90]),
        ("reset", [0, 10, 20, 0, 10, 20, 60, 70, 80, 90]),
        ("exchange", [0, 10, 20, 5, 15, 25, 60, 70, 80, 90]),
        ("silent", [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]),
    ],
)
def test_a_fault_changes_the_register_while_it_lasts(kind: str, expected: list[float]) -> None:
    fault = Fault("m", kind, 30_000, 60_000, amount=5)  # type: ignore[arg-type]
    assert wrap(ramp, fault, None)(SPAN).tolist() == expected


def test_a_rollover_reaches_the_modulus_at_its_time() -> None:
    shown_values = wrap(ramp, Fault("m", "rollover", 30_000), 1000.0)(at(20_000, 29_000, 30_000, 31_000))
    assert shown_values.tolist() == [990, 999, 0, 1]


def test_faults_of_the_line() -> None:
    faults = [Fault("m", "silent", 10, 20), Fault("m", "exception", 30, 40, code=6)]
    assert [verdict(faults, moment) for moment in (9, 10, 19, 20, 30, 40)] == [None, 0, 0, None, 6, None]
    assert answers(faults, at(9, 10, 20, 30, 40)).tolist() == [True, False, True, False, True]


def test_a_torn_value_has_words_of_two_moments() -> None:
    point = load_profile("acrel-dtsd1352").point("active_energy_import")
    older, newer = encode(point, 655.35), encode(point, 655.36)  # 0x0000FFFF, 0x00010000
    assert decode(point, tear(older, newer)).value == 0.0


def test_faults_reach_the_answers_of_their_device_only() -> None:
    one = SimulatedPark(scenario("tiny"), new_state(scenario("tiny"), 1, NOW_MS))
    before = {m.plan.device: m.decoded("active_energy_import", at(NOW_MS))[0][0] for m in one.meters}
    one.set_faults(
        (
            Fault("workshop-1", "drop", NOW_MS - 1000, amount=50.0),
            Fault("workshop-2", "exception", NOW_MS - 1000, code=11),
            Fault("gate", "silent", NOW_MS + 1, FOREVER_MS),
        )
    )
    gate, first, second = one.meters
    assert first.decoded("active_energy_import", at(NOW_MS))[0][0] == pytest.approx(before["workshop-1"] - 50)
    assert second.answer(4, 0x0048, 2, NOW_MS) == 11
    assert not isinstance(gate.answer(3, 0x101E, 2, NOW_MS), int)
    assert gate.answer(3, 0x101E, 2, NOW_MS + 1) == 0
    one.set_faults(())
    assert first.decoded("active_energy_import", at(NOW_MS))[0][0] == before["workshop-1"]


# ── scenarios ────────────────────────────────────────────────────────────────────────────────────


def test_our_scenarios_load() -> None:
    assert scenario_names() == ["jiangsu", "tiny"]
    points = sum(len(one.plan.quantities) for one in park().meters)
    assert points <= 150


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("share: 0.7", "share: 0.6", "shares sum to 0.9"),
        ("load_factor: 0.5", "load_factor: 0.2", "would need a base load of -"),
        ("load_factor: 0.5", "load_factor: 0.99", "would need a base load of 1"),
        ("unit: 2}", "unit: 1}", "unit 1 twice on workshop"),
        ("bus: workshop\n    meters", "bus: nowhere\n    meters", "no bus 'nowhere'"),
        ("buses: [substation, workshop]", "buses: [substation]", "bus 'workshop' is read by 0 sources"),
        ("device: workshop-2", "device: workshop-1", "3 devices with 2 names"),
    ],
)
def test_a_scenario_that_contradicts_itself_is_refused(old: str, new: str, message: str) -> None:
    text = scenario_text("tiny")
    assert text.count(old) == 1
    with pytest.raises(ScenarioError, match=message):
        load_scenario(text.replace(old, new))


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match="jiangsu, tiny"):
        scenario_text("nowhere")


def test_faults_of_a_scenario_count_from_prepare() -> None:
    spec = FaultSpec(device="workshop-1", kind="silent", after_s=60, for_s=30)
    text = scenario_text("tiny") + "\nfaults: [{device: workshop-1, kind: silent, after_s: 60, for_s: 30}]\n"
    faulty = load_scenario(text)
    assert faulty.faults == (spec,)
    one = SimulatedPark(faulty, new_state(faulty, 1, NOW_MS))
    device = next(m for m in one.meters if m.plan.device == "workshop-1")
    replies = [device.answer(3, 0x000A, 2, NOW_MS + after_s * 1000) == 0 for after_s in (59, 60, 89, 90)]
    assert replies == [False, True, True, False]


def test_seeds_differ_and_repeat() -> None:
    moment = at(NOW_MS)
    values = [
        float(next(m for m in park("tiny", seed).meters if m.plan.device == "gate").values("active_power", moment)[0])
        for seed in (1, 2)
    ]
    assert values[0] != values[1]
    again = SimulatedPark(scenario("tiny"), new_state(scenario("tiny"), 1, NOW_MS))
    assert float(again.meters[0].values("active_power", moment)[0]) == values[0]
    assert math.isfinite(values[0])
