"""A batch as it travels: header line, newline, body; frozen once and sent again byte for byte.

The signature covers the header line up to, not including, `,"sig"`; the header names the hash of the body, and through
`prev` the header before it, so that one signature vouches for everything a source sent since its outbox was made.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Meta, Struct

from .body import BODY_MAX_BYTES, Body, Draft, Tombstone, decode_body
from .errors import Reason, RefusedError, WireError
from .topics import SEQ_MAX, Topic

VERSION = 1
HEADER_MAX_BYTES = 16 * 1024
FRAME_MAX_BYTES = HEADER_MAX_BYTES + 1 + BODY_MAX_BYTES
COMPRESS_FROM_BYTES = 512
_ZSTD_WINDOW_MAX = 2**23  # what every decoder of the format is asked to accept

_Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Link = Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")]
_Slug = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")]
_Millis = Annotated[int, Meta(ge=-(2**62), le=2**62)]

_signed = re.compile(rb'(.*),"sig":"([A-Za-z0-9+/]{86}==)"\}', re.DOTALL)


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a batch says about itself; members in wire order.

    Attributes:
        v: version of the wire.
        park: organisation.
        source: who made it.
        boot: identity of the outbox file.
        seq: number within the boot, gapless from 1.
        made: when it was frozen [ms UTC].
        prev: hash of the header line before it, "" for the first.
        body: hash of the body bytes as sent.
        enc: `zstd` for a compressed body.
        n: readings in the body.
        t_min: earliest reading [ms UTC].
        t_max: latest reading [ms UTC].
        profile: hashes of the device profiles that decoded the readings.
        sig: base64 Ed25519 signature, if the source signs.
    """

    v: int
    park: _Slug
    source: _Slug
    boot: Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
    seq: Annotated[int, Meta(ge=1, le=SEQ_MAX)]
    made: _Millis
    prev: _Link
    body: _Hash
    enc: Literal["zstd"] | None = None
    n: Annotated[int, Meta(ge=0, le=BODY_MAX_BYTES)]
    t_min: _Millis
    t_max: _Millis
    profile: tuple[_Hash, ...]
    sig: str | None = None


class _Version(Struct):
    v: int


_header = msgspec.json.Decoder(Header)
_version = msgspec.json.Decoder(_Version)
_encode = msgspec.json.Encoder().encode


def link(line: bytes) -> str:
    """Return the hash that the next header names as `prev`; `line` is a header line or a whole frame."""
    return hashlib.sha256(line.partition(b"\n")[0]).hexdigest()


def digest(frame: bytes) -> bytes:
    """Return the identity of the bytes: the same boot and seq must always carry the same."""
    return hashlib.sha256(frame).digest()


def freeze(
    draft: Draft,
    *,
    park: str,
    source: str,
    boot: str,
    seq: int,
    prev: str,
    made: int,
    profile: Sequence[str] = (),
    key: Ed25519PrivateKey | None = None,
    compress: bool = True,
) -> bytes:
    """Make the bytes of a batch.

    Args:
        draft: encoded readings.
        park: organisation.
        source: who sends.
        boot: identity of the outbox file.
        seq: number within the boot.
        prev: `link` of the header before, "" for the first.
        made: now [ms UTC].
        profile: hashes of the device profiles used.
        key: signs the header where given.
        compress: use zstd where the body is large enough to gain.

    Raises:
        WireError: the header would be larger than allowed.
    """
    body, enc = draft.body, None
    if compress and len(body) >= COMPRESS_FROM_BYTES:
        body, enc = zstandard.ZstdCompressor(level=3).compress(body), "zstd"
    members: dict[str, object] = {
        "v": VERSION,
        "park": park,
        "source": source,
        "boot": boot,
        "seq": seq,
        "made": made,
        "prev": prev,
        "body": hashlib.sha256(body).hexdigest(),
    }
    if enc is not None:
        members["enc"] = enc
    members |= {"n": draft.n, "t_min": draft.t_min, "t_max": draft.t_max, "profile": list(profile)}
    line = _encode(members)
    if key is not None:
        signature = base64.b64encode(key.sign(line[:-1]))
        line = line[:-1] + b',"sig":"' + signature + b'"}'
    if len(line) > HEADER_MAX_BYTES:
        raise WireError(f"header of {len(line)} bytes")
    return line + b"\n" + body


def builder(
    draft: Draft,
    *,
    park: str,
    source: str,
    made: int,
    profile: Sequence[str] = (),
    key: Ed25519PrivateKey | None = None,
) -> Callable[[str, int, str], tuple[bytes, str, int]]:
    """Return what an outbox calls with (boot, seq, prev) to make (frame, link, readings) inside its transaction."""

    def build(boot: str, seq: int, prev: str) -> tuple[bytes, str, int]:
        frame = freeze(
            draft, park=park, source=source, boot=boot, seq=seq, prev=prev, made=made, profile=profile, key=key
        )
        return frame, link(frame), draft.n

    return build


def load_key(text: bytes) -> Ed25519PrivateKey:
    """Read a source's private key: PEM, or base64 of the 32 raw bytes.

    Raises:
        WireError: it is neither.
    """
    try:
        if text.lstrip().startswith(b"-----BEGIN"):
            key = load_pem_private_key(text, password=None)
        else:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
    except (ValueError, TypeError):
        raise WireError("not a private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise WireError("not an Ed25519 key")
    return key


def parse_header(line: bytes) -> Header:
    """Decode a header line.

    Raises:
        RefusedError: `version` or `undecodable`.
    """
    if len(line) > HEADER_MAX_BYTES:
        raise RefusedError(Reason.OVERSIZE, f"header of {len(line)} bytes")
    try:
        version = _version.decode(line).v
        if version == VERSION:
            return _header.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RefusedError(Reason.UNDECODABLE, f"header: {str(error)[:200]}") from None
    raise RefusedError(Reason.VERSION, f"version {version} is not {VERSION}")


def split(frame: bytes) -> tuple[bytes, bytes]:
    """Split a frame into header line and body as sent.

    Raises:
        RefusedError: `oversize` or `undecodable`.
    """
    if len(frame) > FRAME_MAX_BYTES:
        raise RefusedError(Reason.OVERSIZE, f"frame of {len(frame)} bytes is larger than {FRAME_MAX_BYTES}")
    line, newline, body = frame.partition(b"\n")
    if len(line) > HEADER_MAX_BYTES:
        raise RefusedError(Reason.OVERSIZE, f"header of {len(line)} bytes is larger than {HEADER_MAX_BYTES}")
    if not newline:
        raise RefusedError(Reason.UNDECODABLE, "no header line")
    return line, body


def verify(line: bytes, public_key: bytes) -> None:
    """Check the signature of a header line.

    Args:
        line: header line as received.
        public_key: raw Ed25519 public key [32 bytes].

    Raises:
        RefusedError: `signature`, also where there is none.
    """
    match = _signed.fullmatch(line)
    if match is None:
        raise RefusedError(Reason.SIGNATURE, "the header is not signed")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(base64.b64decode(match[2], validate=True), match[1])
    except (InvalidSignature, ValueError, binascii.Error):
        raise RefusedError(Reason.SIGNATURE, "the signature does not fit") from None


def identify(header: Header, topic: Topic) -> None:
    """Check that a header says what the topic says; identity is the topic's.

    Raises:
        RefusedError: `identity`.
    """
    said = (header.park, header.source, header.boot, header.seq)
    named = (topic.address.park, topic.address.source, topic.boot, topic.seq)
    if said != named:
        raise RefusedError(Reason.IDENTITY, f"header says {said}, topic {named}")


def open_frame(frame: bytes, *, topic: Topic | None = None, public_key: bytes | None = None) -> tuple[Header, Body]:
    """Check and decode a batch.

    Args:
        frame: bytes as received.
        topic: where it came from; identity is checked when given.
        public_key: raw Ed25519 key of the source; the signature is checked when given.

    Raises:
        RefusedError: whatever the bytes are, nothing else is raised.
    """
    line, body = split(frame)
    header = parse_header(line)
    if topic is not None:
        identify(header, topic)
    if public_key is not None:
        verify(line, public_key)
    if hashlib.sha256(body).hexdigest() != header.body:
        raise RefusedError(Reason.UNDECODABLE, "the body is not the one its header names")
    decoded = decode_body(_inflate(body) if header.enc == "zstd" else body)
    n = len(decoded.t) + len(decoded.rejects)
    if n != header.n:
        raise RefusedError(Reason.UNDECODABLE, f"header says {header.n} readings, body has {n}")
    return header, decoded


def buried_header(stone: Tombstone) -> Header:
    """Decode the header that a tombstone carries.

    Raises:
        RefusedError: it is no header.
    """
    try:
        return parse_header(stone.header.encode())
    except UnicodeEncodeError:
        raise RefusedError(Reason.UNDECODABLE, "the tombstone is not text") from None


def _inflate(body: bytes) -> bytes:
    """Decompress at most one byte more than allowed, in bounded memory."""
    try:
        if zstandard.frame_content_size(body) > BODY_MAX_BYTES:
            raise RefusedError(Reason.OVERSIZE, f"body of more than {BODY_MAX_BYTES} bytes after decompression")
        with zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX).stream_reader(body) as reader:
            plain = reader.read(BODY_MAX_BYTES + 1)
    except zstandard.ZstdError as error:
        raise RefusedError(Reason.UNDECODABLE, f"zstd: {error}") from None
    if len(plain) > BODY_MAX_BYTES:
        raise RefusedError(Reason.OVERSIZE, f"body of more than {BODY_MAX_BYTES} bytes after decompression")
    return plain
