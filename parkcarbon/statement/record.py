"""The frozen record of a statement: every figure once, and the pages that refer to them.

PDF, XLSX, CSV and web page are made from these bytes alone. A figure is kept as an exact decimal in the unit it is
printed in, with the text that is printed and, where it follows from others, how. `docs/statement.md` explains it.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct, field

SCHEMA: Final = "parkcarbon.statement/1"

Op = Literal["sum", "difference", "product", "quotient"]
Basis = Literal["registers", "entered", "ledger", "factor", "setting", "context", "computed"]
Word = Literal["covered_to_date", "partly_covered", "not_covered", "cannot_be_judged", "neutral", "none"]
Kind = Literal["flash", "statement", "annual"]


class Text(Struct, frozen=True):
    """The same words in Chinese and English."""

    zh: str
    en: str


class Formula(Struct, frozen=True, omit_defaults=True):
    """How a figure follows from others.

    Attributes:
        op: `sum`; `difference`: the first less all others; `product`; `quotient`: the first by the second.
        of: ids of figures, in order.
        scale: what the result is multiplied by, a decimal: `0.001` from kg to t, `100` from a ratio to %.
    """

    op: Op
    of: tuple[str, ...]
    scale: str = "1"


class Figure(Struct, frozen=True, omit_defaults=True):
    """One printed number.

    Attributes:
        value: exact decimal [unit]; None: not known, printed 无数据 or a dash, never 0.
        unit: as it is printed, for example `t CO2e`.
        places: decimals that are printed.
        shown: what is printed, the same in every format: `3,214.6`.
        formula: how it follows from others; None: it was measured, entered or published.
        within: how far the formula may be from the value [unit]: half a step for each part that was rounded.
        basis: what it rests on, and so what a check can do with it; `context`: known from earlier periods.
        explain: name under which `parkcarbon explain` shows the working; empty: it has none of its own.
        rule: number of the accounting rule behind it.
    """

    value: str | None
    unit: str
    places: int
    shown: str
    formula: Formula | None = None
    within: str = "0"
    basis: Basis = "computed"
    explain: str = ""
    rule: str = ""


class Cell(Struct, frozen=True, omit_defaults=True):
    """What stands in a place of a table: a figure, or words; neither: empty."""

    figure: str | None = None
    text: Text | None = None


class Column(Struct, frozen=True, omit_defaults=True):
    """Head of a column; numbers stand right with aligned decimals. `weight`: share of the width."""

    head: Text
    unit: str = ""
    align: Literal["left", "right"] = "right"
    weight: float = 1.0

    def __post_init__(self) -> None:
        """A whole width is `3.0` too: a record that was read back has the same bytes."""
        msgspec.structs.force_setattr(self, "weight", float(self.weight))


class Line(Struct, frozen=True, omit_defaults=True):
    """A row of a table. `memo`: shown, in no sum; `indent`: levels under the row it belongs to."""

    cells: tuple[Cell, ...]
    style: Literal["normal", "subtotal", "total", "memo"] = "normal"
    indent: int = 0


class Paragraph(Struct, frozen=True, omit_defaults=True, tag_field="block", tag="paragraph"):
    """Words."""

    text: Text
    style: Literal["normal", "note", "warning", "strong"] = "normal"


class Pairs(Struct, frozen=True, omit_defaults=True, tag_field="block", tag="pairs"):
    """Names with what belongs to them: entity, criteria, sets."""

    rows: tuple[tuple[Text, Cell], ...]


class Table(Struct, frozen=True, omit_defaults=True, tag_field="block", tag="table"):
    """A table. `id` is unique in the record: sheets, CSV rows and page labels carry it."""

    id: str
    head: Text
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    note: Text | None = None


class Step(Struct, frozen=True):
    """A bar of a bridge."""

    label: Text
    figure: str
    kind: Literal["total", "change"]


class Bridge(Struct, frozen=True, tag_field="block", tag="bridge"):
    """From one total to another in steps."""

    id: str
    head: Text
    steps: tuple[Step, ...]


class Series(Struct, frozen=True, omit_defaults=True):
    """Values of a chart; None: missing, a gap and never 0."""

    name: Text
    values: tuple[str | None, ...]
    style: Literal["bar", "hatched", "line", "ghost"] = "bar"


class Chart(Struct, frozen=True, omit_defaults=True, tag_field="block", tag="chart"):
    """Bars or lines over labels, with the completeness of each label beneath [%]."""

    id: str
    head: Text
    unit: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    completeness_pct: tuple[str | None, ...] = ()


class HeatMap(Struct, frozen=True, tag_field="block", tag="heat_map"):
    """One value an hour: a row each local day, as many columns as the longest day has hours."""

    id: str
    head: Text
    unit: str
    days: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]


class Box(Struct, frozen=True, tag_field="block", tag="box"):
    """Bordered: outside the sum 不计入, or on a different method 另一口径."""

    kind: Literal["not_counted", "other_method"]
    head: Text
    blocks: tuple["Paragraph | Pairs | Table | Chart", ...]


Block = Paragraph | Pairs | Table | Bridge | Chart | HeatMap | Box


class Section(Struct, frozen=True, omit_defaults=True):
    """A page, or a few. `page` False: it goes on where the one before ended."""

    id: str
    head: Text
    blocks: tuple[Block, ...]
    page: bool = True


class Verdict(Struct, frozen=True):
    """The conclusion, in words.

    Attributes:
        word: one of four for a month; `none` for a flash report; `neutral` for a closed, verified year alone.
        label: of the word.
        sentence: the whole verdict with its amounts.
        reasons: each condition that fails, with its rule in brackets.
        basis: figure id of the scope 2 basis that it was judged on.
    """

    word: Word
    label: Text
    sentence: Text
    scope_words: Text
    reasons: tuple[Text, ...]
    basis: str


class Front(Struct, frozen=True, omit_defaults=True):
    """Page 1.

    Attributes:
        title: of the statement.
        stamp: for example 暂定 PROVISIONAL.
        judged: figure ids of the total on the declared basis and of its half-width at 95 %.
        other: the same on the other scope 2 basis, printed in the same size.
        boundary: boundary and exclusions, a line each.
        bridge: location-based to remaining emissions.
        verification: none, limited or reasonable, body and date.
    """

    title: Text
    stamp: Text
    judged: tuple[str, str]
    other: tuple[str, str]
    boundary: tuple[Text, ...]
    bridge: Bridge
    verification: Text


class Missing(Struct, frozen=True, omit_defaults=True):
    """What is not there yet, who owes it, and until when.

    Attributes:
        item: `bill:electricity`, `certificates`, `production`, `meter:m1/active_energy_import`, ….
        text: in words.
        owner: role or person that owes it.
        due: day [YYYY-MM-DD].
    """

    item: str
    text: Text
    owner: str
    due: str


class Act(Struct, frozen=True, omit_defaults=True):
    """What a person did with the statement."""

    role: Literal["prepared", "reviewed", "approved"]
    person: str
    at: str
    comment: str = ""


class Change(Struct, frozen=True, omit_defaults=True):
    """A line that a re-issue changed."""

    figure: str
    label: Text
    before: str | None
    after: str | None
    unit: str
    cause: Text


class Predecessor(Struct, frozen=True):
    """What a re-issue takes the place of."""

    number: str
    version: int
    digest: str
    reason: str
    changes: tuple[Change, ...]


class FactorRecord(Struct, frozen=True):
    """A factor as it was used."""

    factor: str
    value: str | None
    unit: str
    publisher: str
    edition: str
    data_year: int | None
    recorded_at: str
    verified: bool


class Root(Struct, frozen=True):
    """A daily root of the log of batches, and where it was sent."""

    day: str
    size: int
    root: str
    sent: tuple[str, ...] = ()


class Loss(Struct, frozen=True):
    """Readings a source had to give up."""

    point: str
    from_time: str
    to_time: str
    readings: int
    reason: str


class Evidence(Struct, frozen=True):
    """What the figures rest on, as it was when they were frozen.

    Attributes:
        log_size: batches in the park's log.
        log_root: Merkle root over them, hex.
        batches: of them, how many carry readings of the period.
        roots: daily roots since the last statement.
        factors: records that were used.
        ledger_digest: sha256 of the canonical JSON of the ledger's lots and events as known, hex.
        ledger_events: how many events that is.
        entries: ids of the entries that count.
        losses: loss records of the period.
        park_revision: of the park document.
    """

    log_size: int
    log_root: str
    batches: int
    roots: tuple[Root, ...]
    factors: tuple[FactorRecord, ...]
    ledger_digest: str
    ledger_events: int
    entries: tuple[int, ...]
    losses: tuple[Loss, ...]
    park_revision: int


class Record(Struct, frozen=True, omit_defaults=True):
    """A statement.

    Attributes:
        schema: `SCHEMA`.
        kind: flash report, statement of a month, or annual statement.
        park: id.
        park_name: of it.
        entity: organisation that signs; never the district.
        timezone: IANA name.
        period: `2026-10` or `2026`.
        from_time: begin [ISO 8601 with offset].
        to_time: end, exclusive.
        number: `PC-{park}-{period}`, of a flash with `-F` behind.
        version: 1 for the first.
        status: provisional, or final once the year is closed and verified.
        known_on: moment of knowledge [ISO 8601 UTC].
        method_profile: `ghgp`.
        method_version: of the calculation.
        software: name and version that froze it.
        figures: every printed number by its id.
        sections: pages after the first, in order.
        missing: what is pending.
        acts: who prepared, reviewed, approved; empty while it is a draft.
        supersedes: the version before.
        issued_at: when it was signed; empty while it is a draft.
    """

    schema: str
    kind: Kind
    park: str
    park_name: Text
    entity: Text
    timezone: str
    period: str
    from_time: str
    to_time: str
    number: str
    version: int
    status: Literal["provisional", "final"]
    known_on: str
    method_profile: str
    method_version: str
    software: str
    verdict: Verdict
    front: Front
    figures: dict[str, Figure]
    sections: tuple[Section, ...]
    missing: tuple[Missing, ...]
    evidence: Evidence
    acts: tuple[Act, ...] = ()
    supersedes: Predecessor | None = None
    issued_at: str = ""
    notes: tuple[Text, ...] = field(default_factory=tuple)


def encode(record: Record) -> bytes:
    """Canonical JSON: members sorted, no spaces, UTF-8. No floats but the weights of columns are in it."""
    return msgspec.json.encode(record, order="sorted")


def decode(data: bytes | str) -> Record:
    """Read a record.

    Raises:
        msgspec.ValidationError: with the path of the first member that is wrong; another schema too.
    """
    record = msgspec.json.decode(data, type=Record)
    if record.schema != SCHEMA:
        raise msgspec.ValidationError(f"schema is {record.schema!r}, this reads {SCHEMA!r} - at `$.schema`")
    return record


def content_digest(record: Record) -> str:
    """Sha256 (hex) of what was frozen: the record without who approved it and when it was issued.

    Reviewers and approvers put their names to this digest; footers print its first 16 digits.
    """
    return hashlib.sha256(encode(msgspec.structs.replace(record, acts=(), issued_at=""))).hexdigest()


def tables(record: Record) -> Iterator[tuple[Section, Table]]:
    """Every table with its section, in the order of the pages; those in boxes too."""
    for section in record.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                yield section, block
            elif isinstance(block, Box):
                yield from ((section, inner) for inner in block.blocks if isinstance(inner, Table))
