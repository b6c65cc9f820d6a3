"""The hourly balance: the identity, the band, what is unknown, and which meter is named when it does not close."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.balance.formula import Formula, evaluate
from parkcarbon.domain.balance.hourly import Balance, Band, Channel, HourState, of_channels, suspects
from parkcarbon.domain.balance.storage import storage_loss
from parkcarbon.domain.refusal import RefusedError

KWH = 1_000_000
HOUR_MS = 3_600_000


def balance(
    amounts: dict[str, list[float | None]], *, band: Band | None = None, error: float = 0.01, step: float = 0.0
) -> Balance:
    """Points are named by their role, or `role-name`."""
    size = len(next(iter(amounts.values())))
    channels = [
        Channel(name, name.partition("-")[0], name, error, round(step * KWH))  # type: ignore[arg-type]
        for name in amounts
    ]
    values = {name: np.array([round((v or 0) * KWH) for v in row], dtype=np.int64) for name, row in amounts.items()}
    known = {name: np.array([v is not None for v in row]) for name, row in amounts.items()}
    start = np.arange(size, dtype=np.int64) * HOUR_MS
    return of_channels("grid", channels, start, values, known, band=band or Band())


@pytest.mark.rule("5.6")
def test_an_hour_by_hand() -> None:
    # 100 + 60 + 10 = 70 + 50 + 20 + 15 + unmetered
    found = balance(
        {"import": [100], "generation": [60], "discharge": [10], "load-a": [70], "load-b": [50], "charge": [20],
         "export": [15]}
    )  # fmt: skip
    assert found.unmetered.tolist() == [15 * KWH]
    assert found.state.tolist() == [HourState.ABOVE]  # the band ends at 3
    # error of 1 % each: 1 % of √(100² + 60² + 10² + 70² + 50² + 20² + 15²)
    assert found.error[0] == pytest.approx(0.01 * np.sqrt(100**2 + 60**2 + 10**2 + 70**2 + 50**2 + 20**2 + 15**2) * KWH)


@pytest.mark.rule("5.6", "6.7")
@pytest.mark.parametrize(
    ("load", "state"),
    [
        (100.0, HourState.IN_BAND),
        (97.0, HourState.IN_BAND),
        (96.0, HourState.WITHIN_ERROR),  # 4 is above 3, by less than the error of 1.39
        (101.0, HourState.WITHIN_ERROR),
        (95.0, HourState.ABOVE),
        (101.5, HourState.BELOW),
        (None, HourState.UNKNOWN),
        (-1.0, HourState.REJECTED),
    ],
)
def test_what_an_hour_says(load: float | None, state: HourState) -> None:
    found = balance({"import": [100.0], "load": [load]})
    assert found.state.tolist() == [state]
    assert found.flagged.tolist() == [state not in {HourState.IN_BAND, HourState.UNKNOWN}]
    assert found.known.tolist() == [state not in {HourState.UNKNOWN, HourState.REJECTED}]
    assert found.negative.tolist() == [state is HourState.BELOW]
    assert found.missing_of(0) == (["load"] if load is None else [])


@pytest.mark.rule("6.8")
def test_a_rounded_amount_never_decides_the_band() -> None:
    inside = balance({"import": [100.0], "load": [97.0]}, error=0.0)
    outside = balance({"import": [100.0], "load": [96.999999]}, error=0.0)
    assert inside.state.tolist() == [HourState.IN_BAND]
    assert outside.state.tolist() == [HourState.ABOVE]


@pytest.mark.rule("6.7")
def test_unknown_hours_are_in_no_sum_and_a_park_without_supply_meters_has_no_balance() -> None:
    found = balance({"import": [100, None, 50], "load": [99, 40, 50]})
    assert (found.total("import"), found.total("load"), found.total_unmetered) == (150 * KWH, 149 * KWH, KWH)
    assert found.states() == {
        "in_band": 2, "within_error": 0, "above": 0, "below": 0, "rejected": 0, "unknown": 1,
    }  # fmt: skip
    assert balance({"load": [1, 2]}).states()["unknown"] == 2


def test_the_band_may_rest_on_the_whole_supply_and_begin_below_zero() -> None:
    amounts: dict[str, list[float | None]] = {"import": [0], "generation": [100], "load": [98]}
    assert balance(amounts, error=0.0).state.tolist() == [HourState.ABOVE]
    assert balance(amounts, error=0.0, band=Band(of="supply")).state.tolist() == [HourState.IN_BAND]
    over: dict[str, list[float | None]] = {"import": [100], "load": [100.5]}
    assert balance(over, error=0.0, band=Band(low_pct=-1)).state.tolist() == [HourState.IN_BAND]


def test_register_steps_are_part_of_the_error() -> None:
    found = balance({"import": [1.0], "load": [1.3]}, error=0.0, step=0.2)
    assert found.error[0] == pytest.approx(np.sqrt(4 * 0.2**2) * KWH)
    assert found.state.tolist() == [HourState.WITHIN_ERROR]


whole = st.lists(st.integers(0, 10**12), min_size=4, max_size=4)


@given(st.fixed_dictionaries(dict.fromkeys(("import", "generation", "discharge", "load", "charge", "export"), whole)))
def test_the_identity_holds_to_the_last_unit(amounts: dict[str, list[int]]) -> None:
    channels = [Channel(role, role) for role in amounts]  # type: ignore[arg-type]
    values = {role: np.array(row, dtype=np.int64) for role, row in amounts.items()}
    known = {role: np.ones(4, dtype=np.bool_) for role in amounts}
    found = of_channels("grid", channels, np.arange(4, dtype=np.int64), values, known, band=Band())
    into = values["import"] + values["generation"] + values["discharge"]
    assert (into == values["load"] + values["charge"] + values["export"] + found.unmetered).all()


def day(seed: int, hours: int = 48) -> dict[str, np.ndarray]:
    """Three loads, a roof, 1.5 % losses."""
    rng = np.random.default_rng(seed)
    loads = {
        f"load-{name}": rng.uniform(low, high, hours)
        for name, low, high in (("a", 40, 90), ("b", 5, 60), ("c", 10, 30))
    }
    use = sum(loads.values())
    roof = np.clip(np.sin(np.arange(hours) / 24 * 2 * np.pi), 0, None) * 30
    return {"import": (use - roof) / 0.985, "generation": roof + (use - roof) * 0.0, **loads}


def as_amounts(rows: dict[str, np.ndarray]) -> dict[str, list[float | None]]:
    return {name: [float(v) for v in row] for name, row in rows.items()}


def test_a_sound_park_has_no_suspect() -> None:
    found = balance(as_amounts(day(1)))
    assert found.states()["in_band"] == 48
    assert suspects(found) == []


@pytest.mark.rule("5.6")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_load_meter_with_the_wrong_ratio_is_named(seed: int) -> None:
    rows = day(seed)
    rows["load-b"] = rows["load-b"] * 2  # its transformer has half the ratio that was entered
    found = balance(as_amounts(rows))
    assert found.negative.sum() > 40
    best = suspects(found)[0]
    assert (best.device, best.kind) == ("load-b", "ratio")
    assert best.factor == pytest.approx(0.5, abs=0.02)
    assert best.share > 0.95


@pytest.mark.rule("5.6")
def test_a_reversed_gate_meter_is_named_by_the_sign_that_closes_the_balance() -> None:
    rows = day(4)
    start = np.arange(48, dtype=np.int64) * HOUR_MS
    gate = {"gate/import": np.zeros(48), "gate/export": rows["import"]}  # what came in counted as what went out
    names = {"gate/import": "import", "gate/export": "export", "generation": "generation"}
    channels = [
        Channel(name, names.get(name, "load"), name.partition("/")[0], 0.01)  # type: ignore[arg-type]
        for name in (*gate, *rows)
        if name != "import"
    ]
    rows |= gate
    values = {name: np.rint(row * KWH).astype(np.int64) for name, row in rows.items()}
    known = {name: np.ones(48, dtype=np.bool_) for name in rows}
    found = of_channels("grid", channels, start, values, known, band=Band(of="supply"))
    assert found.negative.all()
    best = suspects(found)[0]
    assert (best.device, best.kind, best.factor, best.closed) == ("gate", "reversed", -1.0, 48)


@pytest.mark.rule("5.6")
def test_a_reversed_load_meter_counts_in_its_export_register() -> None:
    rows = day(5)
    start = np.arange(48, dtype=np.int64) * HOUR_MS
    turned = rows.pop("load-c")
    rows |= {"c/import": np.zeros(48), "c/export": turned}
    roles = {"import": "import", "generation": "generation"}
    channels = [
        Channel(name, roles.get(name, "load"), name.partition("/")[0], 0.01, gives_back=name == "c/export")  # type: ignore[arg-type]
        for name in rows
    ]
    values = {name: np.rint(row * KWH).astype(np.int64) for name, row in rows.items()}
    known = {name: np.ones(48, dtype=np.bool_) for name in rows}
    found = of_channels("grid", channels, start, values, known, band=Band())
    assert found.states()["above"] == 48  # it takes away what it should add
    best = suspects(found)[0]
    assert (best.device, best.kind) == ("c", "reversed")


def test_a_few_odd_hours_accuse_nobody() -> None:
    """Whatever is scaled to fit three hours would open all those between them."""
    rows = day(6)
    for hour in (5, 20, 44):
        rows["load-c"][hour] -= 8.0
    found = balance(as_amounts(rows), error=0.001)
    assert found.states()["above"] == 3
    assert suspects(found) == []


def test_a_formula_is_a_sum_with_factors_and_known_where_its_terms_are() -> None:
    formula = Formula("net", (("main", 1.0), ("part", -1.0), ("shop", 0.1)), constant_per_h=0.4)
    amounts = {"main": np.array([10, 20]), "part": np.array([3, 30]), "shop": np.array([4, 6])}
    known = {"main": np.array([True, True]), "part": np.array([True, False]), "shop": np.array([True, True])}
    total, where = evaluate(formula, amounts, known, span_ms=900_000)
    assert total.tolist() == [100_000 + 10 - 3 + 0, 100_000 + 20 - 30 + 1]
    assert where.tolist() == [True, False]


@pytest.mark.rule("5.6", "1.9")
def test_storage_keeps_a_loss_that_is_load() -> None:
    # 250 in, 214 out, 3 % of 430 kWh more in it than before: 250 - 214 - 12.9
    found = storage_loss(250 * KWH, 214 * KWH, soc_from_pct=40, soc_to_pct=43, capacity_kwh=430)
    assert found.loss_micro == 23_100_000
    assert found.efficiency == pytest.approx(214 / 237.1)
    unknown = storage_loss(250 * KWH, 214 * KWH, soc_from_pct=None, soc_to_pct=43, capacity_kwh=430)
    assert (unknown.loss_micro, unknown.efficiency) == (None, None)
    with pytest.raises(RefusedError, match=r"rule 6\.10: a state of charge of 104 %"):
        storage_loss(0, 0, soc_from_pct=104, soc_to_pct=0, capacity_kwh=1)
    with pytest.raises(RefusedError, match=r"rule 6\.10: a store of -1 kWh"):
        storage_loss(0, 0, soc_from_pct=0, soc_to_pct=100, capacity_kwh=-1)
    with pytest.raises(RefusedError, match=r"rule 5\.6: charge of -1 kWh"):
        storage_loss(-KWH, 0, soc_from_pct=0, soc_to_pct=0, capacity_kwh=1)
