"""Statements as they are issued: drawn, signed, and signed again by whoever has a key."""

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Literal

from parkcarbon.statement.record import Record, encode
from parkcarbon.statement.render.pdf import render_pdf
from parkcarbon.statement.sign.json import sign_json
from parkcarbon.statement.sign.keys import SigningKey, make_key
from parkcarbon.statement.sign.pdf import sign_pdf
from parkcarbon.statement.verify.paper import RECORD, SIGNATURE

ISSUED = dt.datetime(2026, 11, 15, 1, 6, tzinfo=dt.UTC)
MADE = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@functools.cache
def operator_key() -> SigningKey:
    """The key of the operator."""
    return make_key("苏州示范园区运营有限公司", now=MADE)


@functools.cache
def other_key() -> SigningKey:
    """The key of somebody who calls himself the same."""
    return make_key("苏州示范园区运营有限公司", now=MADE)


@dataclass(frozen=True)
class Issued:
    """A statement in its files."""

    record: Record
    json: bytes
    signature: bytes
    drawn: bytes
    pdf: bytes


def issue(
    record: Record,
    *,
    language: Literal["zh", "en", "both"] = "zh",
    key: SigningKey | None = None,
    attached: bytes | None = None,
) -> Issued:
    """Draw and sign a record; `attached`: the JSON that the PDF carries, if it is another."""
    key = operator_key() if key is None else key
    json = encode(record) if attached is None else attached
    signature = sign_json(json, key)
    drawn = render_pdf(record, language=language, attachments={RECORD: json, SIGNATURE: signature})
    return Issued(record, json, signature, drawn, sign_pdf(drawn, key, at=ISSUED))
