"""Registers to values and back, and the read planner: the laws."""

import math
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.profile import WORDS, Part, PointDef, RegisterType, SerialDef, WordOrder, scale_fraction
from parkcarbon.domain.reading import Quality
from parkcarbon.domain.readplan import Block, plan_reads
from parkcarbon.domain.registers import (
    bits_to_number,
    bits_to_words,
    decode,
    decode_serial,
    encode,
    encode_serial,
    looks_swapped,
    number_to_bits,
    words_to_bits,
)

NUMBER_TYPES = tuple(kind for kind in get_args(RegisterType) if kind in WORDS)
ORDERS: tuple[WordOrder, ...] = ("big", "little")


@given(st.sampled_from(NUMBER_TYPES), st.data())
def test_every_bit_pattern_survives(kind: RegisterType, data: st.DataObject) -> None:
    bits = data.draw(st.integers(0, (1 << 16 * WORDS[kind]) - 1))
    number = bits_to_number(bits, kind)
    if isinstance(number, float) and math.isnan(number):
        return
    assert number_to_bits(number, kind) == bits


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=4), st.sampled_from(ORDERS))
def test_words_survive_joining_and_splitting(words: list[int], order: WordOrder) -> None:
    assert list(bits_to_words(words_to_bits(words, order), len(words), order)) == words


@given(
    st.sampled_from([k for k in NUMBER_TYPES if k[0] in "ui"]),
    st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0]),
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.data(),
)
def test_decoding_shows_the_nearest_double(
    kind: RegisterType, scale: float, word_order: WordOrder, byte_order: WordOrder, data: st.DataObject
) -> None:
    point = PointDef(
        "active_energy_import", 7, 3, kind, word_order=word_order, byte_order=byte_order, scale=scale, minimum=-math.inf
    )
    bits = data.draw(st.integers(0, (1 << 16 * WORDS[kind]) - 1))
    raw = bits_to_number(bits, kind)
    value = float(f"{raw}e0") if scale == 1 else raw * scale_fraction(scale)[0] / scale_fraction(scale)[1]
    if abs(raw) < 2**50:
        assert decode(point, encode(point, value)).value == value
        assert value == float(f"{int(raw)}e{round(math.log10(scale))}")


@given(st.floats(min_value=0, max_value=4e9, allow_nan=False))
def test_a_pair_of_integer_and_decimals_adds_up(value: float) -> None:
    point = PointDef("gas_volume_base", 10, 3, "u32", parts=(Part(12, "f32"),), minimum=0)
    registers = encode(point, value)
    assert sorted(registers) == [10, 11, 12, 13]
    decoded = decode(point, registers)
    assert decoded.quality is Quality.GOOD
    assert decoded.value == pytest.approx(value, abs=1e-6, rel=1e-12)


def test_a_register_that_was_not_read_is_an_error_not_a_zero() -> None:
    point = PointDef("active_power", 10, 3, "i32")
    with pytest.raises(KeyError):
        decode(point, {10: 0})


def test_a_missing_integer_half_hides_its_decimals() -> None:
    point = PointDef("gas_volume_base", 0, 3, "u32", not_available=(0xFFFFFFFF,), parts=(Part(2, "f32"),))
    registers = encode(point, None)
    assert registers == {0: 0xFFFF, 1: 0xFFFF, 2: 0, 3: 0}
    assert decode(point, registers).value is None


@pytest.mark.parametrize(
    ("kind", "value"), [("u16", 65536), ("u16", -1), ("i16", 32768), ("u32", 2**32), ("f32", 1e39), ("i32", math.inf)]
)
def test_what_does_not_fit_is_refused_with_its_value(kind: RegisterType, value: float) -> None:
    with pytest.raises(ValueError, match=str(value).replace("+", r"\+").split("e", maxsplit=1)[0]):
        encode(PointDef("active_power", 0, 3, kind), value)


def test_a_type_without_a_missing_code_cannot_show_nothing() -> None:
    with pytest.raises(ValueError, match="u16 without a code"):
        encode(PointDef("frequency", 0, 3, "u16"), None)
    assert decode(PointDef("frequency", 0, 3, "f32"), encode(PointDef("frequency", 0, 3, "f32"), None)).value is None


def test_the_edges_of_the_range_are_inside() -> None:
    point = PointDef("frequency", 0, 3, "u16", scale=0.01, minimum=40, maximum=70)
    qualities = [decode(point, {0: raw}).quality for raw in (3999, 4000, 7000, 7001)]
    assert qualities == [Quality.OUT_OF_RANGE, Quality.GOOD, Quality.GOOD, Quality.OUT_OF_RANGE]


def test_swapped_words_are_not_suspected_without_evidence() -> None:
    power = PointDef("active_power", 0, 3, "i32", scale=0.001, minimum=-500, maximum=500)
    assert not looks_swapped([power], {0: 0, 1: 0})
    assert not looks_swapped([power], {})
    assert looks_swapped([power], {0: 5000, 1: 0})
    assert not looks_swapped([power], {0: 0, 1: 5000})


@given(st.integers(1, 2**32 - 2))
def test_serial_number_survives(number: int) -> None:
    serial = SerialDef(100, 3, "u32", 2)
    assert decode_serial(serial, encode_serial(serial, str(number))) == str(number)


def test_blank_serial_numbers_are_none() -> None:
    assert decode_serial(SerialDef(0, 3, "u32", 2), {0: 0xFFFF, 1: 0xFFFF}) is None
    assert decode_serial(SerialDef(0, 3, "u32", 2), {0: 0, 1: 0}) is None
    assert decode_serial(SerialDef(0, 3, "string", 2), {0: 0x2020, 1: 0}) is None
    assert decode_serial(SerialDef(0, 3, "string", 2), encode_serial(SerialDef(0, 3, "string", 2), "A1")) == "A1"
    with pytest.raises(ValueError, match="'ABCDE' is longer than 4"):
        encode_serial(SerialDef(0, 3, "string", 2), "ABCDE")


@st.composite
def point_sets(draw: st.DrawFn) -> list[PointDef]:
    """Points of both function codes that do not overlap."""
    points = []
    for function in (3, 4):
        address = 0
        for _ in range(draw(st.integers(0, 12))):
            address += draw(st.integers(0, 30))
            kind = draw(st.sampled_from(NUMBER_TYPES))
            points.append(PointDef("temperature", address, function, kind))
            address += WORDS[kind]
    return draw(st.permutations(points))


@given(point_sets(), st.integers(4, 125), st.integers(0, 40))
def test_plan_laws(points: list[PointDef], longest: int, gap: int) -> None:
    """Each point once and whole; no block too long; no gap too wide; no two blocks that one could replace."""
    blocks = plan_reads(points, longest, gap)
    assert sorted((p.function, p.address) for b in blocks for p in b.points) == sorted(
        (p.function, p.address) for p in points
    )
    for block in blocks:
        assert block.count <= longest
        assert block.points[0].first == block.address
        assert max(point.end for point in block.points) == block.address + block.count
        assert all(right.first - left.end <= gap for left, right in pairwise(block.points))
    for left, right in pairwise(blocks):
        too_long = right.points[0].end - left.address > longest
        too_far = right.address - left.address - left.count > gap
        assert left.function != right.function or too_long or too_far


@given(point_sets())
def test_plan_does_not_depend_on_order(points: list[PointDef]) -> None:
    assert plan_reads(points, 64, 16) == plan_reads(points[::-1], 64, 16)


def test_a_value_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="gas_volume_base: 4 registers do not fit 3"):
        plan_reads([PointDef("gas_volume_base", 0, 3, "u32", parts=(Part(2, "f32"),))], 3, 0)


def test_a_short_answer_is_refused() -> None:
    block = Block(3, 100, 3, ())
    assert block.registers([1, 2, 3]) == {100: 1, 101: 2, 102: 3}
    with pytest.raises(ValueError, match="2 registers answered, 3 asked for at 100"):
        block.registers([1, 2])
