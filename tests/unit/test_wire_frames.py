"""Frames and bodies: round trips, every refusal, single bad readings, and bytes that must never crash anything."""

import hashlib
import json
import math
from typing import Any

import numpy as np
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.wire.body import (
    BODY_MAX_BYTES,
    Loss,
    Row,
    Tombstone,
    _decode_rows,
    decode_body,
    draft,
    drafts,
    encode_body,
    journal_lines,
)
from parkcarbon.wire.errors import Flaw, Reason, RefusedError, WireError
from parkcarbon.wire.frame import (
    FRAME_MAX_BYTES,
    Header,
    buried_header,
    digest,
    freeze,
    identify,
    link,
    load_key,
    open_frame,
    parse_header,
    split,
    verify,
)
from parkcarbon.wire.topics import parse

BOOT = "0123456789abcdef"
TOPIC = f"parkcarbon/v1/park/edge-1/readings/{BOOT}/7"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ROWS = [Row("m1/active_power", 1_700_000_000_000, 1.5), Row("m1/gas_volume", 1_700_000_001_000, None, 2)]


def frozen(rows: list[Row] | None = None, **changes: Any) -> bytes:
    members: dict[str, Any] = {"park": "park", "source": "edge-1", "boot": BOOT, "seq": 7, "prev": "", "made": 1}
    return freeze(draft(ROWS if rows is None else rows), **(members | changes))


def with_body(payload: bytes, /, *, n: int, **changes: object) -> bytes:
    """A frame around any bytes, with an honest header unless changed."""
    header = {
        "v": 1, "park": "park", "source": "edge-1", "boot": BOOT, "seq": 7, "made": 1, "prev": "",
        "body": hashlib.sha256(payload).hexdigest(), "n": n, "t_min": 0, "t_max": 0, "profile": [],
    }  # fmt: skip
    return json.dumps(header | changes).encode() + b"\n" + payload


def reason_of(frame: bytes, **options: Any) -> Reason:
    with pytest.raises(RefusedError) as caught:
        open_frame(frame, **options)
    return caught.value.reason


# ── round trip ───────────────────────────────────────────────────────────────────────────────────

finite = st.floats(allow_nan=False, allow_infinity=False)
rows_of = st.lists(
    st.builds(
        Row,
        st.sampled_from(["m1/active_power", "m-2/heat_energy", "0/x"]),
        st.integers(-(2**61), 2**61),
        st.none() | finite,
        st.integers(0, 7),
        st.integers(0, 2**31 - 1),
    ),
    max_size=40,
)


@given(rows_of, st.booleans(), st.booleans(), st.none() | st.integers(-(10**12), 10**12))
def test_what_is_frozen_opens_bit_for_bit(rows: list[Row], compress: bool, signed: bool, offset_ms: int | None) -> None:
    part = draft(rows, offset_ms=offset_ms)
    frame = freeze(
        part,
        park="park",
        source="edge-1",
        boot=BOOT,
        seq=7,
        prev="",
        made=5,
        compress=compress,
        key=KEY if signed else None,
    )
    header, body = open_frame(frame, topic=parse(TOPIC), public_key=PUBLIC if signed else None)
    assert body.rows() == rows
    assert [math.copysign(1, r.x) for r in body.rows() if r.x == 0] == [math.copysign(1, r.x) for r in rows if r.x == 0]
    assert (body.offset_ms, body.rejects, header.n) == (offset_ms, (), len(rows))
    assert body.row.tolist() == list(range(len(rows)))
    if rows:
        assert (header.t_min, header.t_max) == (min(r.t for r in rows), max(r.t for r in rows))


@given(rows_of)
def test_the_slow_path_reads_what_the_fast_path_reads(rows: list[Row]) -> None:
    body = encode_body(rows)
    slow, fast = _decode_rows(body), decode_body(body)
    assert slow.rows() == fast.rows()
    for name in ("p", "t", "x", "q", "d", "row"):
        left, right = getattr(slow, name), getattr(fast, name)
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes() or (np.isnan(left) == np.isnan(right)).all()


def test_tombstones_travel() -> None:
    line = split(frozen())[0]
    stone = Tombstone(
        header=line.decode(), loss=(Loss(point="m1/active_power", t_from=1, t_to=2, n=3, reason="outbox-full"),)
    )
    part = draft(ROWS, tombstones=[stone])
    body = open_frame(freeze(part, park="p", source="s", boot=BOOT, seq=8, prev=link(line), made=1))[1]
    assert body.tombstones == (stone,)
    assert buried_header(stone).seq == 7


@pytest.mark.parametrize("text", ["", "no json", "\ud800", '{"v":2}', "[" * 10_000])
def test_a_tombstone_without_a_header_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        buried_header(Tombstone(header=text, loss=()))


def test_large_bodies_are_cut_into_allowed_ones_in_order() -> None:
    rows = [Row(f"meter-{i}/active_power", 10**12 + i, i / 7) for i in range(30_000)]
    parts = drafts(rows, most=20_000)
    assert all(len(part.body) <= BODY_MAX_BYTES for part in parts)
    assert [row for part in parts for row in decode_body(part.body).rows()] == rows
    with pytest.raises(WireError):
        draft(rows)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_never_sent(value: float) -> None:
    with pytest.raises(WireError):
        draft([Row("a/b", 1, value)])


def test_the_journal_has_a_line_for_each_reading() -> None:
    lines = journal_lines([Row("a/b", 1, 0.1), Row("a/b", 2, None, 2)]).splitlines()
    assert [json.loads(line) for line in lines] == [["a/b", 1, 0.1, 0, 0], ["a/b", 2, None, 2, 0]]


# ── whole batches refused ────────────────────────────────────────────────────────────────────────

GOOD_BODY = encode_body(ROWS)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", Reason.UNDECODABLE),
        (b"{}", Reason.UNDECODABLE),
        (b"{}\n{}", Reason.UNDECODABLE),
        (b"\xff\xfe\n\x00", Reason.UNDECODABLE),
        (b"[" * 10_000 + b"\n", Reason.UNDECODABLE),
        (b"x" * (FRAME_MAX_BYTES + 1), Reason.OVERSIZE),
        (b" " * 20_000 + b"\n{}", Reason.OVERSIZE),
        (with_body(GOOD_BODY, n=2, v=2), Reason.VERSION),
        (b'{"v":9,"other":"shape"}\n', Reason.VERSION),
        (with_body(GOOD_BODY, n=2, v="1"), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=3), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, seq=0), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, seq=2**63), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, seq=7.5), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, boot=BOOT + "\n"), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, source="edge-1\n"), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, park="../x"), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, enc="gzip"), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, enc="zstd"), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, body="0" * 64), Reason.UNDECODABLE),
        (with_body(GOOD_BODY, n=2, profile=["x"]), Reason.UNDECODABLE),
        (with_body(b"", n=0), Reason.UNDECODABLE),
        (with_body(b"null", n=0), Reason.UNDECODABLE),
        (with_body(b'{"points":[],"p":[]}', n=0), Reason.UNDECODABLE),
        (with_body(b'{"points":["a/b"],"p":[0],"t":[1,2],"x":[1],"q":[0]}', n=1), Reason.UNDECODABLE),
        (with_body(b'{"points":{},"p":[0],"t":[1],"x":["a"],"q":[0]}', n=1), Reason.UNDECODABLE),
        (with_body(b'{"points":[],"p":[],"t":[],"x":[],"q":[],"offset_ms":"x"}', n=0), Reason.UNDECODABLE),
        (with_body(b'{"points":[],"p":[],"t":[],"x":[],"q":[],"tombstones":[{}]}', n=0), Reason.UNDECODABLE),
        (with_body(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", n=0), Reason.UNDECODABLE),
        (with_body(b'{"points":["a/b"],"p":[0],"t":[1],"x":[' + b"9" * 5000 + b'],"q":[0]}', n=1), Reason.UNDECODABLE),
        (with_body(b" " * (BODY_MAX_BYTES + 1), n=0), Reason.OVERSIZE),
        (with_body(zstandard.compress(b"0" * 10**8), n=0, enc="zstd"), Reason.OVERSIZE),
        (with_body(zstandard.compress(GOOD_BODY)[:-9], n=2, enc="zstd"), Reason.UNDECODABLE),
    ],
    ids=range(33),
)  # fmt: skip
def test_batches_that_are_refused_whole(frame: bytes, reason: Reason) -> None:
    assert reason_of(frame) is reason


def test_a_bomb_without_a_declared_size_is_stopped_early() -> None:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    assert reason_of(with_body(bomb, n=0, enc="zstd")) is Reason.OVERSIZE


def test_identity_is_the_topics() -> None:
    topic = parse(TOPIC)
    assert topic is not None
    assert open_frame(frozen(), topic=topic)
    for change in ({"park": "other"}, {"source": "edge-2"}, {"boot": "f" * 16}, {"seq": 8}):
        assert reason_of(frozen(**change), topic=topic) is Reason.IDENTITY
    with pytest.raises(RefusedError):
        identify(parse_header(split(frozen(seq=9))[0]), topic)


def test_unknown_members_are_ignored() -> None:
    body = json.dumps(json.loads(GOOD_BODY) | {"future": [{"x": 1}]}).encode()
    header, decoded = open_frame(with_body(body, n=2, future={"a": [None]}))
    assert header.n == len(decoded.t) == 2


def test_the_last_of_doubled_members_counts_and_nothing_breaks() -> None:
    body = b'{"points":["a/b"],"p":[5],"p":[0],"t":[1],"x":[1],"q":[0]}'
    assert open_frame(with_body(body, n=1))[1].rows() == [Row("a/b", 1, 1.0)]


# ── signature ────────────────────────────────────────────────────────────────────────────────────


def test_a_signed_batch_verifies_and_a_changed_one_does_not() -> None:
    frame = frozen(key=KEY)
    assert open_frame(frame, public_key=PUBLIC)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert reason_of(frame, public_key=other) is Reason.SIGNATURE
    assert reason_of(frozen(), public_key=PUBLIC) is Reason.SIGNATURE
    assert reason_of(frame.replace(b'"made":1,', b'"made":2,'), public_key=PUBLIC) is Reason.SIGNATURE
    line, body = split(frame)
    assert reason_of(line[:-1] + b',"seq":7}\n' + body, public_key=PUBLIC) is Reason.SIGNATURE
    assert reason_of(line + b"\n" + body + b" ", public_key=PUBLIC) is Reason.UNDECODABLE


def test_members_after_the_signature_do_not_count_as_signed() -> None:
    line, body = split(frozen(key=KEY))
    signature = line[line.index(b',"sig"') :]
    forged = line[: -len(signature)] + b',"seq":9' + signature + b"\n" + body
    assert reason_of(forged, public_key=PUBLIC) is Reason.SIGNATURE


@given(st.binary(max_size=300))
def test_any_line_either_verifies_or_is_refused(line: bytes) -> None:
    with pytest.raises(RefusedError):
        verify(line, PUBLIC)


def test_a_key_of_wrong_length_refuses() -> None:
    with pytest.raises(RefusedError):
        verify(split(frozen(key=KEY))[0], b"short")


def test_private_keys_come_as_pem_or_as_base64() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert load_key(pem).private_bytes_raw() == KEY.private_bytes_raw()
    assert load_key(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").private_bytes_raw() == KEY.private_bytes_raw()
    for text in (b"", b"AAEC", b"-----BEGIN nonsense", b"\xff"):
        with pytest.raises(WireError):
            load_key(text)


# ── single readings ──────────────────────────────────────────────────────────────────────────────


def body_with(**one: str) -> bytes:
    """Three readings, the middle one replaced member by member with raw JSON."""
    p, t, x, q, d = (one.get(name, default) for name, default in zip("ptxqd", ("0", "2", "2.5", "0", "0"), strict=True))
    readings = f'"p":[0,{p},0],"t":[1,{t},3],"x":[1.5,{x},3.5],"q":[0,{q},0],"d":[0,{d},0]'
    return f'{{"points":["a/b"],{readings}}}'.encode()


@pytest.mark.parametrize(
    ("one", "flaw"),
    [
        ({"x": '"7"'}, Flaw.WRONG_TYPE),
        ({"x": "true"}, Flaw.WRONG_TYPE),
        ({"x": "[1]"}, Flaw.WRONG_TYPE),
        ({"x": '{"a":' * 300 + "1" + "}" * 300}, Flaw.WRONG_TYPE),
        ({"x": '"\\ud800\\u0000"'}, Flaw.WRONG_TYPE),
        ({"x": "NaN"}, Flaw.NON_FINITE),
        ({"x": "-Infinity"}, Flaw.NON_FINITE),
        ({"x": "1e400"}, Flaw.NON_FINITE),
        ({"x": "9" * 400}, Flaw.NON_FINITE),
        ({"t": '"2"'}, Flaw.WRONG_TYPE),
        ({"t": "2.5"}, Flaw.WRONG_TYPE),
        ({"t": "null"}, Flaw.WRONG_TYPE),
        ({"t": "9223372036854775808"}, Flaw.WRONG_TYPE),
        ({"t": "9" * 100}, Flaw.WRONG_TYPE),
        ({"q": "8"}, Flaw.BAD_QUALITY),
        ({"q": "-1"}, Flaw.BAD_QUALITY),
        ({"q": '"good"'}, Flaw.BAD_QUALITY),
        ({"q": "true"}, Flaw.BAD_QUALITY),
        ({"d": "-1"}, Flaw.BAD_SPAN),
        ({"d": "34560000001"}, Flaw.BAD_SPAN),
        ({"d": "1.5"}, Flaw.BAD_SPAN),
        ({"p": "1"}, Flaw.UNKNOWN_POINT),
        ({"p": "-1"}, Flaw.UNKNOWN_POINT),
        ({"p": "0.5"}, Flaw.UNKNOWN_POINT),
        ({"p": '"a/b"'}, Flaw.UNKNOWN_POINT),
    ],
)
def test_a_bad_reading_costs_itself_only(one: dict[str, str], flaw: Flaw) -> None:
    body = decode_body(body_with(**one))
    assert [(row.t, row.x) for row in body.rows()] == [(1, 1.5), (3, 3.5)]
    assert body.row.tolist() == [0, 2]
    (reject,) = body.rejects
    assert (reject.row, reject.flaw) == (1, flaw)
    for text in (reject.point, reject.value_text):
        assert text.encode().decode() == text
        assert "\x00" not in text
        assert len(text) <= 200


def test_integers_and_whole_floats_are_numbers_like_any_other() -> None:
    body = decode_body(b'{"points":["a/b"],"p":[0,0],"t":[1,2],"x":[9007199254740993,-0.0],"q":[0,0]}')
    assert body.x.tolist() == [9007199254740992.0, 0.0]
    assert math.copysign(1, body.x[1]) == -1


@pytest.mark.parametrize("name", ["a", "A/b", "a/b/c", "a/b\\n", "\\u0000", "\\ud800", "点/位", "", "x" * 5000])
def test_names_outside_the_grammar_match_no_point_and_are_printable(name: str) -> None:
    body = decode_body(f'{{"points":["{name}"],"p":[0],"t":[1],"x":[1],"q":[0]}}'.encode())
    (point,) = body.points
    assert point.isprintable()
    assert 1 <= len(point) <= 200
    assert point.encode().decode() == point


# ── anything at all ──────────────────────────────────────────────────────────────────────────────

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=20,
)
members = st.fixed_dictionaries(
    {name: st.lists(json_values, max_size=4) for name in ("points", "p", "t", "x", "q")},
    optional=dict.fromkeys(("d", "offset_ms", "tombstones"), json_values),
)


@settings(max_examples=400)
@given(members | json_values)
def test_any_json_body_is_decoded_or_refused(body: object) -> None:
    try:
        decoded = decode_body(json.dumps(body).encode())
    except RefusedError as error:
        assert error.reason is Reason.UNDECODABLE  # noqa: PT017
    else:
        assert np.isfinite(decoded.x[~np.isnan(decoded.x)]).all()


@settings(max_examples=400)
@given(st.binary(max_size=400), st.integers(0, 2**16), st.booleans())
def test_any_bytes_are_decoded_or_refused(noise: bytes, place: int, insert: bool) -> None:
    frame = frozen()
    at = place % len(frame)
    for candidate in (noise, frame[:at] + noise + frame[at if insert else at + len(noise) :], frame[:at]):
        try:
            header, _ = open_frame(candidate)
        except RefusedError:
            continue
        assert isinstance(header, Header)


def test_the_digest_is_of_all_bytes_and_the_link_of_the_header_line() -> None:
    frame = frozen()
    assert digest(frame) == hashlib.sha256(frame).digest()
    assert link(frame) == link(split(frame)[0]) == hashlib.sha256(frame.split(b"\n")[0]).hexdigest()
