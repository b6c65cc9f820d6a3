"""Receipt, status, command and reply: round trips, versions, bounds."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.wire.errors import Reason, RefusedError
from parkcarbon.wire.messages import (
    MESSAGE_MAX_BYTES,
    RECEIPT_MAX_SEQS,
    Command,
    DeviceStatus,
    QuarantinedIn,
    Receipt,
    RefusedBatch,
    Reply,
    Status,
    decode,
    encode,
    receipts,
)

BOOT = "0123456789abcdef"
MESSAGES = [
    Receipt(boot=BOOT, committed=(1, 2), stored=(3,), refused=(RefusedBatch(seq=4, reason="signature"),)),
    Receipt(boot=BOOT, committed=(1, 2), quarantined=(QuarantinedIn(seq=1, n=7),)),
    Status(source="e", at=1, online=True, quarantined=3),
    Status(
        source="e", at=1, online=True, depth=2, readings=3, bytes=4, hours_left=5.5, backlog=True, clock="uncertain"
    ),
    Status(
        source="e", at=1, online=False, devices=(DeviceStatus(device="d", state="silent", last_seen=7, detail="x"),)
    ),
    Command(id="1", kind="resend", boot=BOOT, from_seq=3, to_seq=9),
    Command(id="1", kind="ping"),
    Reply(id="1", ok=False, detail="no"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_messages_come_back_as_they_were(message: Receipt | Status | Command | Reply) -> None:
    assert decode(encode(message), type(message)) == message


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.UNDECODABLE),
        (b"\xff", Reason.UNDECODABLE),
        (b"[]", Reason.UNDECODABLE),
        (b"[" * 100_000, Reason.UNDECODABLE),
        (b'{"v":2,"boot":5}', Reason.VERSION),
        (b'{"v":1}', Reason.UNDECODABLE),
        (b'{"v":1,"boot":"0123456789abcdef","committed":[0]}', Reason.UNDECODABLE),
        (b'{"v":1,"boot":"0123456789abcdef","committed":["1"]}', Reason.UNDECODABLE),
        (b'{"v":1,"boot":"0123456789abcdef","committed":[9223372036854775808]}', Reason.UNDECODABLE),
        (b'{"v":1,"boot":"nothex0123456789"}', Reason.UNDECODABLE),
        (b'{"v":1,"boot":"0123456789abcdef","committed":[1],"quarantined":[{"seq":1,"n":0}]}', Reason.UNDECODABLE),
        (b'{"v":1,"boot":"0123456789abcdef","committed":[1],"quarantined":null}', Reason.UNDECODABLE),
        (b" " * (MESSAGE_MAX_BYTES + 1), Reason.OVERSIZE),
    ],
)
def test_receipts_that_are_none(payload: bytes, reason: Reason) -> None:
    with pytest.raises(RefusedError) as caught:
        decode(payload, Receipt)
    assert caught.value.reason is reason


def test_unknown_members_are_ignored() -> None:
    payload = b'{"v":1,"boot":"0123456789abcdef","committed":[5],"also":{"new":[1]}}'
    assert decode(payload, Receipt) == Receipt(boot=BOOT, committed=(5,))


def test_a_peer_of_before_reads_a_receipt_with_quarantined_readings() -> None:
    class Before(msgspec.Struct):
        boot: str
        committed: tuple[int, ...] = ()
        v: int = 1

    (receipt,) = receipts(BOOT, committed=[1, 2], quarantined={2: 5})
    assert msgspec.json.decode(encode(receipt), type=Before) == Before(BOOT, (1, 2))
    (silent,) = receipts(BOOT, committed=[1, 2], quarantined={2: 0})
    assert b"quarantined" not in encode(silent)
    assert silent.in_quarantine() == {}


@given(st.dictionaries(st.integers(1, 5000), st.integers(0, 4000), max_size=2500))
def test_receipts_say_of_each_batch_what_is_in_quarantine(batches: dict[int, int]) -> None:
    parts = list(receipts(BOOT, committed=list(batches), quarantined=batches))
    told: dict[int, int] = {}
    for part in parts:
        assert part.in_quarantine().keys() <= set(part.committed)
        told |= decode(encode(part), Receipt).in_quarantine()
    assert told == {seq: n for seq, n in batches.items() if n}


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    kinds: tuple[type[Receipt | Status | Command | Reply], ...] = (Receipt, Status, Command, Reply)
    for kind in kinds:
        with pytest.raises(RefusedError):
            decode(payload, kind)


@given(
    st.lists(st.integers(1, 10**6), max_size=2500),
    st.lists(st.integers(1, 10**6), max_size=50),
    st.lists(st.tuples(st.integers(1, 10**6), st.sampled_from(["identity", "version"])), max_size=50),
)
def test_receipts_are_cut_to_size_and_lose_nothing(
    committed: list[int], stored: list[int], refused: list[tuple[int, str]]
) -> None:
    parts = list(receipts(BOOT, committed=committed, stored=stored, refused=refused))
    assert all(len(p.committed) + len(p.stored) + len(p.refused) <= RECEIPT_MAX_SEQS for p in parts)
    assert all(len(encode(part)) <= MESSAGE_MAX_BYTES for part in parts)
    assert [seq for part in parts for seq in part.committed] == committed
    assert [seq for part in parts for seq in part.stored] == stored
    assert [(entry.seq, entry.reason) for part in parts for entry in part.refused] == refused
