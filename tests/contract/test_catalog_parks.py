"""Park documents: accepted ones load, rejected ones say everything that is wrong with them.

A rejected document begins with the lines that its refusal must contain, one `# expect:` each.
"""

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from parkcarbon.catalog.changes import describe_changes
from parkcarbon.catalog.park import Park, ParkError, decode_park, load_park, parse_park

PARKS = Path(__file__).parent / "parks"
ACCEPTED = sorted((PARKS / "accepted").glob("*.yaml"))
GATE = "device gate, point active_energy_import"
REJECTED = sorted((PARKS / "rejected").glob("*.yaml"))


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    park = load_park(path)
    assert decode_park(path.read_bytes()) == park
    again = msgspec.json.encode(park).decode()
    assert parse_park(again, folder=path.parent) == park


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_rejected_with_every_problem_at_once(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: ")]
    assert expected
    with pytest.raises(ParkError) as caught:
        load_park(path)
    message = str(caught.value)
    for problem in expected:
        assert problem in message
    surprises = [found for found in caught.value.problems if not any(problem in found for problem in expected)]
    assert surprises == []
    assert all(line.startswith(f"{path.name}: ") for line in message.splitlines())


def test_times_are_read_with_their_offset() -> None:
    park = load_park(PARKS / "accepted" / "whole.yaml")
    first, second = park.devices[0].points[0].episodes
    assert first.at == dt.datetime(2024, 12, 31, 16, tzinfo=dt.UTC)
    assert (second.ct, second.pt, second.end_reading) == (60, 100, 71234.5)


def whole(*changes: tuple[str, str]) -> Park:
    text = (PARKS / "accepted" / "whole.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_park(text)


def test_nothing_changed() -> None:
    assert describe_changes(whole(), whole()) == []


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (("price_per_kwh: 0.72", "price_per_kwh: 0.755"), ["electricity_price_per_kwh: 0.72 → 0.755"]),
        (("gwp_set: AR6", "gwp_set: AR5"), ["method, gwp_set: AR6 → AR5"]),
        (("en: North works", "en: Northern works"), ["tenant north, name: 北厂 / North works → 北厂 / Northern works"]),
        (("    tenant: north\n", ""), ["device boiler, tenant: north → none"]),
        (
            ("kind: gateway}\n", "kind: gateway}\n  - {source: edge-2, via: gw-1}\n"),
            ["source edge-2: added (via gw-1)"],
        ),
        (
            (", {quantity: gas_flow_base, kind: gauge}", ""),
            ["device boiler, point gas_flow_base: removed (kind gauge)"],
        ),
        (
            ("end_reading: 71234.5", "end_reading: 71243.5"),
            [f"{GATE}, episode 2026-06-01T10:30:00+08:00, end_reading: 71234.5 → 71243.5"],
        ),
        (
            (
                "ct: 40, pt: 100}\n",
                'ct: 40, pt: 100}\n          - {at: 2025-07-01T00:00:00Z, serial: "1b", ct: 40, pt: 100}\n',
            ),
            [f"{GATE}, episode 2025-07-01T00:00:00+00:00: added (serial 1b, ct 40, pt 100)"],
        ),
        (("modulus: 1000000\n", "modulus: 10000000.5\n"), [f"{GATE}, modulus: 1000000 → 10000000.5"]),
    ],
)
def test_changes_in_plain_words(change: tuple[str, str], lines: list[str]) -> None:
    assert describe_changes(whole(), whole(change)) == lines


def test_a_removed_and_an_added_device_are_told_and_a_moved_one_once() -> None:
    old = whole()
    renamed = msgspec.structs.replace(old.devices[2], device="heat-2")
    new = msgspec.structs.replace(old, devices=(old.devices[1], old.devices[0], renamed, old.devices[3]))
    assert describe_changes(old, new) == [
        "device heat: removed (name 热力 / Heat, profile interval-file, 1 point, source bills)",
        "device heat-2: added (name 热力 / Heat, profile interval-file, 1 point, source bills)",
        "devices: order is now boiler, gate, heat-2, old-meter",
    ]


def harbour(*changes: tuple[str, str]) -> Park:
    text = (PARKS / "accepted" / "tenancy.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_park(text)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("band_high_pct: 5", "band_high_pct: 4"), "connection feeder-2, band_high_pct: 5 → 4"),
        (("obligated: true", "obligated: false"), "entity north-co, obligated: True → False"),
        (("capacity_kwh: 430", "capacity_kwh: 400"), "storage battery, capacity_kwh: 430 → 400"),
        (("weight: 800", "weight: 750"), "allocation rule heat-by-area, weight south, weight: 800 → 750"),
        (
            ("factor: -1}", "factor: -0.5}"),
            "formula north-net, term north-canteen/active_energy_import, factor: -1 → -0.5",
        ),
        (
            ("fuel: [boiler-gas/gas_volume_base], produced: [boiler-steam/heat_energy]}", "}"),
            "delivery steam, fuel: boiler-gas/gas_volume_base → none",
        ),
        (("    owner: operator\n", ""), "device roof, owner: operator → none"),
    ],
)
def test_changes_of_who_is_who_in_plain_words(change: tuple[str, str], line: str) -> None:
    assert line in describe_changes(harbour(), harbour(change))
