"""One conformance suite: every device profile against its register vectors."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from parkcarbon.catalog.profiles import load_profile, profile_names
from parkcarbon.domain.profile import DeviceProfile, PointDef, check_profile
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.reading import Quality
from parkcarbon.domain.readplan import plan_profile, plan_reads
from parkcarbon.domain.registers import (
    bits_to_number,
    decode,
    decode_serial,
    encode,
    encode_serial,
    looks_swapped,
    swap_bytes,
    words_to_bits,
)

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = sorted(path for path in VECTORS.glob("*.yaml") if path.name != "floats.yaml")
MODBUS = [name for name in profile_names() if load_profile(name).transport == "modbus"]
FLOATS = yaml.safe_load((VECTORS / "floats.yaml").read_text(encoding="utf-8"))


def vector(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def registers_of(document: dict[str, Any], point: PointDef) -> dict[int, int]:
    found: dict[int, int] = document["registers"].get(point.function, {})
    return found


def multi_word(profile: DeviceProfile) -> list[PointDef]:
    return [point for point in profile.points if point.registers > 1]


def test_the_models_asked_for_are_there() -> None:
    assert set(profile_names()) >= {
        "acrel-dtsd1352",
        "chint-dtsu666",
        "eastron-sdm630",
        "flonidan-uniflo1200",
        "huawei-sun2000",
        "interval-file",
        "tuf-2000m",
    }


@pytest.mark.parametrize("name", MODBUS)
def test_every_profile_has_a_vector(name: str) -> None:
    documents = [vector(path) for path in FILES]
    mine = [document for document in documents if document["profile"] == name]
    assert mine
    assert all(document["source"] and document["kind"] in ("capture", "published", "typed") for document in mine)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_vector_decodes_to_what_its_source_says(path: Path) -> None:
    document = vector(path)
    profile = load_profile(document["profile"])
    for quantity, (value, unit, tolerance) in document["expect"].items():
        point = profile.point(quantity)
        decoded = decode(point, registers_of(document, point))
        assert unit == QUANTITIES[quantity].unit == point.unit
        if value is None:
            assert (decoded.value, decoded.quality) == (None, Quality.NOT_AVAILABLE), quantity
        else:
            assert decoded.quality is Quality.GOOD, quantity
            assert decoded.value == pytest.approx(value, rel=tolerance, abs=0), quantity


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_encoding_gives_the_vector_back(path: Path) -> None:
    """The simulator shows the words of the vector, so it cannot agree with the edge alone."""
    document = vector(path)
    profile = load_profile(document["profile"])
    for quantity, (value, _, tolerance) in document["expect"].items():
        point = profile.point(quantity)
        registers = registers_of(document, point)
        if value is not None and tolerance == 0:
            assert encode(point, value) == {a: registers[a] for a in encode(point, value)}, quantity
    if "serial" in document:
        assert profile.serial is not None
        shown = document["registers"][profile.serial.function]
        assert decode_serial(profile.serial, shown) == document["serial"]
        assert encode_serial(profile.serial, document["serial"]).items() <= shown.items()


def crc16(data: bytes) -> bytes:
    """CRC of the Modbus serial line specification 1.02, 6.2.2, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


@pytest.mark.parametrize("path", [p for p in FILES if "frames" in vector(p)], ids=lambda path: path.stem)
def test_published_frames_are_whole_and_carry_the_words(path: Path) -> None:
    document = vector(path)
    for frame in document["frames"]:
        request, answer = bytes.fromhex(frame["request"]), bytes.fromhex(frame["answer"])
        assert crc16(request[:-2]) == request[-2:]
        assert crc16(answer[:-2]) == answer[-2:]
        function, address = request[1], int.from_bytes(request[2:4], "big")
        words = [int.from_bytes(answer[3 + i : 5 + i], "big") for i in range(0, answer[2], 2)]
        assert len(words) == int.from_bytes(request[4:6], "big")
        registers = document["registers"][function]
        assert [registers[address + i] for i in range(len(words))] == words


@pytest.mark.parametrize("name", profile_names())
def test_profile_contradicts_nothing(name: str) -> None:
    profile = load_profile(name)
    assert check_profile(profile) == []
    assert all(point.quantity in QUANTITIES for point in profile.points)


@pytest.mark.parametrize("name", MODBUS)
def test_blocks_are_legal_and_split_no_value(name: str) -> None:
    profile = load_profile(name)
    blocks = plan_profile(profile, tuple(point.quantity for point in profile.points))
    assert sorted(p.quantity for block in blocks for p in block.points) == sorted(p.quantity for p in profile.points)
    for block in blocks:
        assert 1 <= block.count <= profile.max_registers_per_read
        wanted: set[int] = set()
        for point in block.points:
            assert block.function == point.function
            assert block.address <= point.first
            assert point.end <= block.address + block.count
            wanted |= set(range(point.first, point.end))
        holes = "".join(
            " " if address in wanted else "." for address in range(block.address, block.address + block.count)
        )
        assert max(len(hole) for hole in holes.split(" ")) <= profile.max_gap


@pytest.mark.parametrize("name", MODBUS)
def test_pairs_are_read_in_one_request_however_short_the_limit(name: str) -> None:
    profile = load_profile(name)
    longest = max(point.end - point.first for point in profile.points)
    for block in plan_reads(profile.points, longest, 0):
        assert block.count <= longest
        assert all(block.address <= point.first <= point.end <= block.address + block.count for point in block.points)


@pytest.mark.parametrize("name", MODBUS)
def test_wrong_word_order_is_noticed(name: str) -> None:
    """For each profile at least one vector that has something to say; a right order is never doubted."""
    profile = load_profile(name)
    swapped = [replace(p, word_order="little" if p.word_order == "big" else "big") for p in multi_word(profile)]
    noticed = []
    for document in (vector(path) for path in FILES):
        if document["profile"] != name:
            continue
        for function, registers in document["registers"].items():
            assert not looks_swapped([p for p in multi_word(profile) if p.function == function], registers)
            noticed.append(looks_swapped([p for p in swapped if p.function == function], registers))
    assert any(noticed)


@pytest.mark.parametrize("name", MODBUS)
def test_missing_codes_become_null_and_nothing_else_does(name: str) -> None:
    for point in load_profile(name).points:
        codes = list(point.not_available)
        if point.type == "f32":
            codes += [0x7FC00000, 0xFFC00001, 0x7F800000, 0xFF800000]
        for code in codes:
            words = [code >> 16 * (point.registers - 1 - i) & 0xFFFF for i in range(point.registers)]
            words = words if point.word_order == "big" else words[::-1]
            words = words if point.byte_order == "big" else [swap_bytes(word) for word in words]
            registers = dict.fromkeys(range(point.first, point.end), 0) | dict(enumerate(words, point.address))
            assert decode(point, registers).value is None, point.quantity
        zero = decode(point, dict.fromkeys(range(point.first, point.end), 0))
        assert zero.value == 0.0, point.quantity


@pytest.mark.parametrize("name", MODBUS)
def test_out_of_range_keeps_its_value(name: str) -> None:
    for point in load_profile(name).points:
        if point.type == "f32" and point.maximum is not None:
            decoded = decode(point, encode(point, point.maximum * 1.01))
            assert decoded.quality is Quality.OUT_OF_RANGE, point.quantity
            assert decoded.value == pytest.approx(point.maximum * 1.01, rel=1e-6)


@pytest.mark.parametrize(("bits", "number"), FLOATS["floats"])
def test_known_floats(bits: int, number: float) -> None:
    assert bits_to_number(bits, "f32") == number


@pytest.mark.parametrize(("high", "low", "word_order", "byte_order"), FLOATS["orders"])
def test_four_byte_orders_of_one_voltage(high: int, low: int, word_order: Any, byte_order: Any) -> None:
    point = PointDef("voltage_l1n", 0, 4, "f32", word_order=word_order, byte_order=byte_order, minimum=0, maximum=600)
    assert decode(point, {0: high, 1: low}).value == pytest.approx(230.2, rel=1e-6)


@pytest.mark.parametrize(("high", "low", "shown"), FLOATS["misread"])
def test_misread_orders_are_not_voltages(high: int, low: int, shown: float) -> None:
    assert math.isclose(bits_to_number(words_to_bits([high, low]), "f32"), shown, rel_tol=0.005)
