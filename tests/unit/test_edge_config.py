"""Configurations that are fine, and all the ways in which they are not: each refusal names file, place and value."""

import textwrap
from pathlib import Path

import pytest

from edge.config import EdgeConfig, RtuBus, TcpBus, load_config, parse_config, unit_of
from edge.errors import ConfigError

GOOD = """
park: riverside
source: edge-1
broker: mqtt://broker:1883
data: state
buses:
  - bus: hall
    kind: tcp
    host: 10.0.0.5
    devices:
      - {device: m1, profile: eastron-sdm630, unit: 1, points: [{quantity: active_power, period_s: 5}]}
      - {device: m2, profile: eastron-sdm630, unit: 2, points: [{quantity: active_energy_import}]}
  - bus: line
    kind: rtu
    path: /dev/ttyUSB0
    baud: 19200
    parity: E
    devices:
      - {device: m3, profile: acrel-dtsd1352, points: [{quantity: active_energy_import}]}
"""


def parse(text: str) -> EdgeConfig:
    return parse_config(textwrap.dedent(text).encode(), "edge.yaml")


def test_a_good_one() -> None:
    config = parse(GOOD)
    tcp, rtu = config.buses
    assert isinstance(tcp, TcpBus)
    assert isinstance(rtu, RtuBus)
    assert (tcp.port, rtu.baud, rtu.parity, rtu.stop_bits) == (502, 19200, "E", 1)
    assert tcp.devices[1].points[0].period_s == 900
    assert unit_of(rtu.devices[0]) == 1
    assert (config.keep_days, config.max_outbox_mb, config.journal, config.key_file) == (3, 512, None, None)


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "edge.yaml"
    path.write_text(GOOD + "journal: j.jsonl\nbackfill: /abs/history.npz\n")
    config = load_config(path)
    assert (config.data, config.journal, config.backfill) == (
        str(tmp_path / "state"),
        str(tmp_path / "j.jsonl"),
        "/abs/history.npz",
    )


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"/no/such\.yaml: No such file"):
        load_config(Path("/no/such.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("park: riverside", "park: River Side", r"park: Expected `str` matching .* \(it is 'River Side'\)"),
        ("park: riverside\n", "", "missing required field `park`"),
        ("data: state", "data: state\ncolour: blue", "unknown field `colour`"),
        ("unit: 1,", "unit: 256,", r"buses\[0\]\.devices\[0\]\.unit: Expected `int` <= 255 \(it is 256\)"),
        ("unit: 1,", "unti: 1,", r"buses\[0\]\.devices\[0\]: .*unknown field `unti`"),
        ("unit: 2,", "unit: 1,", r"buses\[0\]\.devices\[1\]\.unit: the same as buses\[0\]\.devices\[0\]\.unit"),
        ("device: m2", "device: m1", r"devices\[1\]\.device: the same as .* \(it is m1\)"),
        ("device: m3", "device: m1", r"buses\[1\]\.devices\[0\]\.device: the same as buses\[0\]"),
        ("bus: line", "bus: hall", r"buses\[1\]\.bus: the same as buses\[0\]\.bus"),
        ("kind: rtu", "kind: can", r"buses\[1\]\.kind: Invalid value 'can'"),
        ("kind: tcp", "kind: rtu", r"buses\[0\].*(path|host)"),
        ("parity: E", "parity: X", r"buses\[1\]\.parity: Invalid enum value 'X'"),
        ("baud: 19200", "baud: fast", r"buses\[1\]\.baud: Expected `int`, got `str` \(it is 'fast'\)"),
        ("period_s: 5", "period_s: 0", r"points\[0\]\.period_s: Expected `float` >= 0\.2 \(it is 0\)"),
        ("points: [{quantity: active_power, period_s: 5}]", "points: []", r"points: Expected `array` of length >= 1"),
        ("quantity: active_power", "quantity: gas_volume", r"points\[0\]\.quantity: eastron-sdm630 does not have it"),
        (
            "[{quantity: active_power, period_s: 5}]",
            "[{quantity: active_power}, {quantity: active_power}]",
            r"points\[1\]\.quantity: appears twice \(it is 'active_power'\)",
        ),
        ("profile: acrel-dtsd1352", "profile: acrel", r"devices\[0\]\.profile: no device profile 'acrel'; known: "),
        ("profile: acrel-dtsd1352", "profile: interval-file", "'interval-file' has no registers to read"),
        ("profile: acrel-dtsd1352", "unit: 248, profile: acrel-dtsd1352", r"units 1 to 247 \(it is 248\)"),
        ("mqtt://broker:1883", "http://broker", r"broker: expected mqtt://host:port .* \(it is 'http://broker'\)"),
        ("data: state", "data: state\npassword_file: pw", "password_file: needs a username"),
        ("buses:", "buses: []\nother:", "unknown field `other`"),
        ("park: riverside", "park: [", "not YAML"),
    ],
)
def test_refusals(old: str, new: str, complaint: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(ConfigError, match=complaint) as caught:
        parse(GOOD.replace(old, new, 1))
    assert str(caught.value).startswith("edge.yaml: ")


def test_a_serial_port_belongs_to_one_bus() -> None:
    second = (
        "  - {bus: line-2, kind: rtu, path: /dev/ttyUSB0, devices: [{device: m4, profile: acrel-dtsd1352, unit: 9, "
    )
    with pytest.raises(ConfigError, match=r"buses\[2\]\.path: the same as buses\[1\]\.path \(it is /dev/ttyUSB0\)"):
        parse(GOOD + second + "points: [{quantity: active_power}]}]}\n")


def test_nothing_to_do_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to read and nothing to backfill"):
        parse("park: a\nsource: b\nbroker: mqtt://c\ndata: d\n")
    parse("park: a\nsource: b\nbroker: mqtt://c\ndata: d\nbackfill: h.npz\n")


def test_several_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace("acrel-dtsd1352", "acrel").replace("device: m2", "device: m1"))
    assert len(str(caught.value).splitlines()) == 2
