"""What a statement is asked for: which park and period, as known when, and what it takes the place of."""

import datetime as dt
from dataclasses import dataclass

from parkcarbon.books.inventory import refuse_unsettled
from parkcarbon.statement.record import Kind, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A statement to be composed.

    Attributes:
        park: id.
        period: local month `2026-10`, or year `2026` of an annual statement.
        kind: flash report, statement of a month, or annual statement.
        as_of: moment of knowledge, settled: at least a minute before `now`.
        now: time of asking.
        version: 1 for the first; of a re-issue one more than its predecessor's.
        number: printed number; empty: `PC-{park}-{period}`, of a flash with `-F` behind.
        predecessor: record that this one takes the place of; None: the first.
        reason: why it is issued again; empty for the first.
        software: name and version of the program.
    """

    park: str
    period: str
    kind: Kind
    as_of: dt.datetime
    now: dt.datetime
    version: int = 1
    number: str = ""
    predecessor: Record | None = None
    reason: str = ""
    software: str = "parkcarbon"

    def __post_init__(self) -> None:
        """Refuse a moment of knowledge that is not settled.

        Raises:
            RefusedError: `as_of` is newer than a minute before `now`.
        """
        refuse_unsettled(self.now, self.as_of)

    @property
    def printed_number(self) -> str:
        """The number that is printed."""
        return self.number or f"PC-{self.park}-{self.period}{'-F' if self.kind == 'flash' else ''}"
