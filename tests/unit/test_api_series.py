"""Sums to values: what is unknown stays unknown, and coverage says how much is known."""

import numpy as np

from api.plan import Component, GroupPlan
from api.series import History, group_values
from parkcarbon.live.model import PointInfo

SPAN = np.array([3_600_000.0, 3_600_000.0])


def point(name: str, flow: str, carrier: str = "electricity") -> PointInfo:
    return PointInfo(1, 1, f"{name}/x", "active_energy_import", "counter", "kWh", carrier, flow, None, 5000, 1.0)


def plan(*flows: tuple[str, int, float]) -> GroupPlan:
    return GroupPlan(
        "total",
        None,
        tuple(
            Component(flow, tuple(point(f"{flow}{n}", flow) for n in range(count)), sign) for flow, count, sign in flows
        ),
    )


def history(amounts: list[list[float]], coverage: list[list[float]], *, co2e: float | None = None) -> History:
    """`amounts` [unit] by component and bucket; `coverage` summed over its points."""
    micro = (np.array(amounts) * 1e6).astype(np.int64)
    covered = np.array(coverage)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(covered > 0, np.array(amounts) / covered, 0.0)
    nano = micro * 500 if co2e is None else (micro * co2e * 1000).astype(np.int64)
    return History(
        amount_micro=micro,
        rate=rate,
        coverage=covered,
        known=(covered > 0).astype(np.int64),
        method=np.zeros(covered.shape, np.int64),
        co2e_nano_kg=nano,
        co2e_rate_kg=rate / 2,
        co2e_coverage=covered if co2e != 0 else np.zeros(covered.shape),
        measured_ms=(covered * 3_600_000).astype(np.int64),
    )


def test_load_is_a_signed_sum() -> None:
    group = plan(("import", 1, 1.0), ("export", 1, -1.0), ("generation", 1, 1.0))
    values, coverage, method = group_values(group, history([[5, 1], [1, 0], [2, 3]], [[1, 1]] * 3), "power", SPAN, SPAN)
    assert values.tolist() == [6, 4]
    assert coverage.tolist() == [1, 1]
    assert method.tolist() == [0, 0]


def test_a_flow_without_data_makes_the_load_unknown() -> None:
    group = plan(("import", 1, 1.0), ("generation", 1, 1.0))
    values, coverage, method = group_values(group, history([[5, 5], [0, 2]], [[1, 1], [0, 1]]), "power", SPAN, SPAN)
    assert np.isnan(values[0])
    assert values[1] == 7
    assert coverage.tolist() == [0, 1]
    assert method.tolist() == [5, 0]


def test_power_is_the_mean_of_the_known_part() -> None:
    values, coverage, _ = group_values(plan(("import", 1, 1.0)), history([[5, 0]], [[0.5, 0]]), "power", SPAN, SPAN)
    assert values[0] == 10
    assert coverage.tolist() == [0.5, 0]


def test_an_amount_is_what_is_known_of_it() -> None:
    values, _, _ = group_values(plan(("import", 1, 1.0)), history([[5, 0]], [[0.5, 0]]), "amount", SPAN, SPAN)
    assert values[0] == 5
    assert np.isnan(values[1])


def test_one_of_two_meters_silent_shows_in_the_coverage() -> None:
    values, coverage, _ = group_values(plan(("generation", 2, 1.0)), history([[5, 9]], [[1, 2]]), "amount", SPAN, SPAN)
    assert values.tolist() == [5, 9]
    assert coverage.tolist() == [0.5, 1]


def test_sums_are_exact() -> None:
    group = plan(("import", 1, 1.0), ("export", 1, -1.0), ("generation", 1, 1.0))
    sums = history([[0.1, 0], [0.3, 0], [0.2, 0]], [[1, 1]] * 3)
    assert group_values(group, sums, "amount", SPAN, SPAN)[0][0] == 0.0


def test_emission_without_an_amount_is_unknown_and_without_a_factor_is_outside() -> None:
    group = plan(("import", 1, 1.0), ("fuel", 1, 1.0))
    silent = history([[4, 4], [0, 1]], [[1, 1], [0, 1]])
    values, coverage, _ = group_values(group, silent, "co2e", SPAN, SPAN)
    assert np.isnan(values[0])
    assert values[1] == (4 + 1) * 500 * 1e6 / 1e9
    assert coverage[1] == 1
    unpriced = history([[4, 4], [2, 2]], [[1, 1], [1, 1]], co2e=0)
    assert np.isnan(group_values(group, unpriced, "co2e", SPAN, SPAN)[0]).all()


def test_emissions_of_what_is_subtracted_are_subtracted_exactly() -> None:
    group = plan(("sub_meter", 1, 1.0), ("sub_meter", 1, -1.0))
    found = history([[5, 5], [2, 2]], [[1, 1], [1, 0]])
    values, _, _ = group_values(group, found, "co2e", SPAN, SPAN)
    assert values[0] == (5 - 2) * 1e6 * 500 / 1e9
    assert np.isnan(values[1])


def test_self_consumption() -> None:
    group = plan(("generation", 1, 1.0), ("export", 1, -1.0))
    values, _, _ = group_values(group, history([[10, 0], [4, 0]], [[1, 1], [1, 1]]), "self_consumption", SPAN, SPAN)
    assert values[0] == 60
    assert np.isnan(values[1])  # nothing was generated: no share


def test_completeness_counts_only_what_is_past() -> None:
    elapsed = np.array([3_600_000.0, 1_800_000.0])
    values, coverage, _ = group_values(
        plan(("all", 2, 1.0)), history([[0, 0]], [[1, 1]]), "completeness", SPAN, elapsed
    )
    assert values.tolist() == [50, 100]
    assert coverage.tolist() == [1, 0.5]
    future = np.zeros(2)
    assert np.isnan(
        group_values(plan(("all", 2, 1.0)), history([[0, 0]], [[0, 0]]), "completeness", SPAN, future)[0]
    ).all()
