"""Find the answer to one request among received bytes, and nothing else.

A Modbus master must never take the answer to an earlier request for the answer to this one, nor an answer of another
unit, nor its own echo. Pure functions over bytes; the connection is in `modbus.py`.

References:
    Modbus Application Protocol 1.1b3, 4.1 and 7; Modbus over Serial Line 1.02, 2.5.1; Modbus Messaging on TCP/IP
    Implementation Guide 1.0b, 3.1.3.
"""

from dataclasses import dataclass
from enum import StrEnum

_MBAP_BYTES = 7
_MBAP_LENGTH_MAX = 254
"""Most bytes that can follow the length field: unit identifier and a PDU of 253."""


class Flaw(StrEnum):
    """Why received bytes are no answer."""

    PROTOCOL = "protocol identifier is not 0"
    LENGTH = "impossible length"
    UNIT = "answer of another unit"
    FUNCTION = "answer to another function"
    BYTE_COUNT = "byte count does not fit the request"
    CHECKSUM = "checksum wrong or frame cut short"


@dataclass(frozen=True, slots=True)
class Expected:
    """The request that waits for an answer.

    Attributes:
        unit: unit identifier.
        function: function code, 3 or 4.
        count: registers asked for.
        sent: the request as it went out.
    """

    unit: int
    function: int
    count: int
    sent: bytes = b""

    @property
    def transaction(self) -> int:
        """Transaction identifier of the request (TCP)."""
        return int.from_bytes(self.sent[:2], "big")


def find_tcp(received: bytes, expected: Expected) -> bytes | Flaw | None:
    """Return the whole frame that answers, why the stream cannot be trusted any more, or None to wait for more.

    Frames with another transaction identifier are answers to requests given up long ago: they are passed over.
    """
    start = 0
    while len(received) - start >= _MBAP_BYTES + 1:
        head = received[start : start + _MBAP_BYTES]
        length = int.from_bytes(head[4:6], "big")
        if head[2:4] != b"\0\0":
            return Flaw.PROTOCOL
        if not 3 <= length <= _MBAP_LENGTH_MAX:
            return Flaw.LENGTH
        end = start + 6 + length
        if end > len(received):
            return None
        if int.from_bytes(head[:2], "big") == expected.transaction:
            frame = received[start:end]
            return _flaw(frame[6:], expected) or frame
        start = end
    return None


def _flaw(frame: bytes, expected: Expected) -> Flaw | None:
    """Judge unit, function and length of `unit, function, data`; None where they fit."""
    if frame[0] != expected.unit:
        return Flaw.UNIT
    if frame[1] == expected.function | 0x80:
        return None if len(frame) == 3 else Flaw.LENGTH
    if frame[1] != expected.function:
        return Flaw.FUNCTION
    if frame[2] != 2 * expected.count or len(frame) != 3 + 2 * expected.count:
        return Flaw.BYTE_COUNT
    return None


def find_rtu(received: bytes, expected: Expected) -> bytes | None:
    """Return the frame that answers, or None to wait for more.

    Noise before it, an echo of the request, and answers of other units or of another length are passed over; a frame
    counts only with its checksum.
    """
    skip = len(expected.sent) if expected.sent and received.startswith(expected.sent) else 0
    for start in range(skip, len(received) - 4):
        if received[start] != expected.unit:
            continue
        function, third = received[start + 1], received[start + 2]
        if function == expected.function and third == 2 * expected.count:
            end = start + 5 + third
        elif function == expected.function | 0x80:
            end = start + 5
        else:
            continue
        if end <= len(received) and checksum(received[start : end - 2]) == received[end - 2 : end]:
            return received[start:end]
    return None


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_CRC = _table()


def checksum(frame: bytes) -> bytes:
    """Return the two checksum bytes of an RTU frame, low byte first.

    >>> checksum(bytes.fromhex("010400000002")).hex()
    '71cb'
    """
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")
