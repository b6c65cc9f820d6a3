"""The bytes of version 1: what was sent once must open for ever, and what we make must be what was agreed."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parkcarbon.wire.body import Loss, Row, draft
from parkcarbon.wire.frame import buried_header, freeze, link, open_frame, split
from parkcarbon.wire.messages import (
    Command,
    DeviceStatus,
    QuarantinedIn,
    Receipt,
    RefusedBatch,
    Reply,
    Status,
    decode,
    encode,
)
from parkcarbon.wire.topics import parse

FOLDER = Path(__file__).parent / "wire"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BOOT = "0123456789abcdef"
ROWS = [
    Row("meter-1/active_energy_import", 1_762_000_000_000, 12345.678),
    Row("meter-1/active_power", 1_762_000_000_000, -1.25),
    Row("meter-1/active_power", 1_762_000_005_000, None, 2),
    Row("boiler/gas_volume", 1_762_000_005_000, 0.1, 4),
]
PLAIN = (
    b'{"v":1,"park":"demo","source":"edge-1","boot":"0123456789abcdef","seq":1,"made":1762000006000,"prev":"",'
    b'"body":"%s","n":4,"t_min":1762000000000,"t_max":1762000005000,"profile":["%s"]}\n%s'
)
PLAIN_BODY = (
    b'{"points":["meter-1/active_energy_import","meter-1/active_power","boiler/gas_volume"],"p":[0,1,1,2],'
    b'"t":[1762000000000,1762000000000,1762000005000,1762000005000],"x":[12345.678,-1.25,null,0.1],"q":[0,0,2,4],'
    b'"offset_ms":-7200000}'
)


def test_a_plain_batch_is_made_as_it_was_agreed() -> None:
    made = freeze(
        draft(ROWS, offset_ms=-7_200_000),
        park="demo",
        source="edge-1",
        boot=BOOT,
        seq=1,
        prev="",
        made=1_762_000_006_000,
        profile=["a" * 64],
        compress=False,
    )
    assert made == PLAIN % (hashlib.sha256(PLAIN_BODY).hexdigest().encode(), b"a" * 64, PLAIN_BODY)
    assert made == (FOLDER / "v1-plain.frame").read_bytes()


def test_a_plain_batch_of_version_1_opens() -> None:
    topic = parse(f"parkcarbon/v1/demo/edge-1/readings/{BOOT}/1")
    header, body = open_frame((FOLDER / "v1-plain.frame").read_bytes(), topic=topic)
    assert body.rows() == ROWS
    assert (header.made, header.prev, header.enc, body.offset_ms) == (1_762_000_006_000, "", None, -7_200_000)


def test_a_signed_compressed_batch_with_a_tombstone_opens() -> None:
    frame = (FOLDER / "v1-signed-zstd.frame").read_bytes()
    first = (FOLDER / "v1-plain.frame").read_bytes()
    topic = parse(f"parkcarbon/v1/demo/gw/from/edge-1/readings/{BOOT}/2")
    header, body = open_frame(frame, topic=topic, public_key=KEY.public_key().public_bytes_raw())
    assert (header.enc, header.n, header.prev) == ("zstd", 24, link(first))
    assert body.rows() == [
        Row("b2-electricity/active_energy_import", 1_640_995_200_000 + hour * 3_600_000, 300 + hour / 10, 0, 3_600_000)
        for hour in range(24)
    ]
    (stone,) = body.tombstones
    assert stone.header.encode() == split(first)[0]
    assert buried_header(stone).seq == 1
    gone = Loss(
        point="meter-1/active_power", t_from=1_762_000_000_000, t_to=1_762_000_005_000, n=2, reason="outbox-full"
    )
    assert stone.loss == (gone,)


MESSAGES: dict[str, Receipt | Status | Command | Reply] = {
    "receipt": Receipt(
        boot=BOOT, committed=(1, 2), stored=(3,), refused=(RefusedBatch(seq=4, reason="identity-conflict"),)
    ),
    "receipt-quarantined": Receipt(boot=BOOT, committed=(1, 2), quarantined=(QuarantinedIn(seq=2, n=17),)),
    "status-quarantined": Status(source="edge-1", at=1_762_000_000_000, online=True, quarantined=17),
    "status": Status(
        source="edge-1",
        at=1_762_000_000_000,
        online=True,
        depth=2,
        readings=120,
        bytes=4096,
        devices=(DeviceStatus(device="meter-1", state="silent", last_seen=1_761_999_990_000, detail="no answer"),),
    ),
    "command": Command(id="c1", kind="resend", boot=BOOT, from_seq=3, to_seq=9),
    "reply": Reply(id="c1", ok=True, detail="7 batches"),
}


@pytest.mark.parametrize("name", list(MESSAGES))
def test_small_messages_of_version_1(name: str) -> None:
    golden = json.loads((FOLDER / "v1-messages.json").read_text())[name].encode()
    message = MESSAGES[name]
    assert decode(golden, type(message)) == message
    assert encode(message) == golden
