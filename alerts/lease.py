"""Who decides: one row of the database, held for a few seconds at a time, with an epoch that rises with each holder.

Each decision's transaction checks the epoch and keeps the row from changing hands until it ends: an evaluator that
stalled and wakes late is refused, whatever it believes of itself. Times are those of the database's clock.
"""

import datetime as dt
import os
import secrets
import socket
from dataclasses import dataclass
from typing import Final

import structlog

from parkcarbon.alarm.store import QUERIES
from parkcarbon.kit.db import Database, Session, to_ms

log = structlog.get_logger(__name__)

CUT_OFF_MS: Final = 5_000
"""A decision's transaction that is idle for so long is ended by the database [ms]: it would keep the lease."""


class LeaseLostError(Exception):
    """Another evaluator decides by now: nothing of this decision was written."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The lease, just taken.

    Attributes:
        epoch: ours.
        alive_ms: when the last holder was last heard of, at the earliest [ms UTC]; None: there was none.
        now_ms: time of the database [ms UTC].
    """

    epoch: int
    alive_ms: int | None
    now_ms: int


class Lease:
    """The right to decide.

    Args:
        seconds: how long it is held at a time [s]; it is renewed three times as often.
        holder: name of this evaluator, unlike any other.
    """

    def __init__(self, seconds: float = 10.0, holder: str = "") -> None:
        self.seconds = seconds
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.epoch: int | None = None

    async def keep(self, database: Database) -> Taken | None:
        """Renew the lease, or take it where it is free.

        Returns:
            What was taken; None: held as before, or held by another.
        """
        if self.epoch is not None:
            async with database.session() as session:
                renewed = await session.fetchval(QUERIES["lease_renew"], self.holder, self.epoch, self.seconds)
            if renewed is not None:
                return None
            self.lost()
        async with database.session() as session:
            row = await session.fetchrow(QUERIES["lease_take"], self.holder, self.seconds)
        if row is None:
            return None
        epoch, before = int(row["epoch"]), row["before"]
        self.epoch = epoch
        log.info("lease.taken", epoch=epoch)
        alive = None if before is None else to_ms(before - dt.timedelta(seconds=self.seconds))
        return Taken(epoch, alive, to_ms(row["now"]))

    async def hold(self, session: Session, epoch: int | None = None) -> None:
        """Keep the lease until the transaction ends; first statement of each decision's transaction.

        Args:
            session: in a transaction.
            epoch: in which the decision was made; None: in that of now.

        Raises:
            LeaseLostError: another holds it, or did since.
        """
        mine = self.epoch if epoch is None else epoch
        if mine is None or mine != self.epoch:
            raise LeaseLostError(f"epoch {mine} is over")
        row = await session.fetchrow(QUERIES["lease_hold"], self.holder, mine, str(CUT_OFF_MS))
        if row is None:
            self.lost()
            raise LeaseLostError(f"epoch {mine} is over: another evaluator decides")

    async def release(self, database: Database) -> None:
        """Let another take over at once."""
        if self.epoch is not None:
            await database.execute(QUERIES["lease_release"], self.holder, self.epoch)
            self.epoch = None

    def lost(self) -> None:
        """Another holds it."""
        if self.epoch is not None:
            log.warning("lease.lost", epoch=self.epoch)
        self.epoch = None
