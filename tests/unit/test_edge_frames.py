"""The answer to this request, and nothing else, is found among received bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.frames import Expected, Flaw, checksum, find_rtu, find_tcp

REQUEST = Expected(unit=1, function=4, count=2, sent=bytes.fromhex("01040000000271cb"))
ANSWER = bytes.fromhex("010404436633335afa")  # 230.2 V
EXCEPTION = bytes.fromhex("018402c2c1")


def rtu(body: bytes) -> bytes:
    return body + checksum(body)


def tcp(transaction: int, body: bytes, protocol: int = 0, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"".join(part.to_bytes(2, "big") for part in (transaction, protocol, size)) + body


@pytest.mark.parametrize(
    ("frame", "crc"),
    [("010400000002", "71cb"), ("01030bd30002", "37d6"), ("01040443663333", "5afa"), ("018402", "c2c1")],
)
def test_checksum_vectors(frame: str, crc: str) -> None:
    assert checksum(bytes.fromhex(frame)).hex() == crc


OTHER_UNIT = rtu(bytes.fromhex("02040400000000"))
OTHER_LENGTH = rtu(bytes.fromhex("0104020000"))


@pytest.mark.parametrize("frame", [ANSWER, EXCEPTION])
@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\x00",
        b"\xff\x01\x04",
        REQUEST.sent,
        rtu(bytes.fromhex("02040400000000")),
        rtu(bytes.fromhex("0104020000")),
    ],
    ids=["nothing", "zero", "noise", "echo", "another unit", "another length"],
)
def test_rtu_answer_is_found_behind_what_is_not_it(before: bytes, frame: bytes) -> None:
    assert find_rtu(before + frame, REQUEST) == frame
    assert find_rtu(before + frame + b"\x00", REQUEST) == frame


def test_rtu_waits_for_the_whole_frame() -> None:
    for end in range(len(ANSWER)):
        assert find_rtu(ANSWER[:end], REQUEST) is None


@given(st.integers(0, 8 * len(ANSWER) - 1))
def test_rtu_answer_with_any_flipped_bit_is_no_answer(bit: int) -> None:
    number = int.from_bytes(ANSWER, "big") ^ 1 << bit
    assert find_rtu(number.to_bytes(len(ANSWER), "big"), REQUEST) is None


@given(st.binary(max_size=300))
def test_rtu_noise_never_breaks_the_search(noise: bytes) -> None:
    found = find_rtu(noise, REQUEST)
    assert found is None or checksum(found[:-2]) == found[-2:]


TCP_REQUEST = Expected(unit=1, function=3, count=2, sent=tcp(7, bytes.fromhex("010300000002")))
TCP_BODY = bytes.fromhex("01030443663333")


def test_tcp_answer_is_found_behind_late_ones() -> None:
    late = tcp(6, bytes.fromhex("01030400000001")) + tcp(5, bytes.fromhex("018302"))
    assert find_tcp(late + tcp(7, TCP_BODY), TCP_REQUEST) == tcp(7, TCP_BODY)
    assert find_tcp(late, TCP_REQUEST) is None


def test_tcp_exception_is_an_answer() -> None:
    assert find_tcp(tcp(7, bytes.fromhex("018306")), TCP_REQUEST) == tcp(7, bytes.fromhex("018306"))


def test_tcp_waits_for_the_whole_frame() -> None:
    for end in range(len(tcp(7, TCP_BODY))):
        assert find_tcp(tcp(7, TCP_BODY)[:end], TCP_REQUEST) is None


@pytest.mark.parametrize(
    ("frame", "flaw"),
    [
        (tcp(7, TCP_BODY, protocol=1), Flaw.PROTOCOL),
        (tcp(7, TCP_BODY, length=300), Flaw.LENGTH),
        (tcp(7, b"\x01\x03", length=2), Flaw.LENGTH),
        (tcp(7, bytes.fromhex("01830200")), Flaw.LENGTH),
        (tcp(7, bytes.fromhex("02030443663333")), Flaw.UNIT),
        (tcp(7, bytes.fromhex("01040443663333")), Flaw.FUNCTION),
        (tcp(7, bytes.fromhex("0103024366")), Flaw.BYTE_COUNT),
        (tcp(7, bytes.fromhex("0103044366")), Flaw.BYTE_COUNT),
    ],
)
def test_tcp_wrong_frames_are_told_apart(frame: bytes, flaw: Flaw) -> None:
    assert find_tcp(frame, TCP_REQUEST) is flaw


@given(st.binary(max_size=300))
def test_tcp_noise_never_breaks_the_search(noise: bytes) -> None:
    find_tcp(noise, TCP_REQUEST)
