"""Forward-only migrations under an advisory lock: each numbered file once, in one transaction.

A file is never changed after it was released; `schema/*.sql` is what replaying all of them gives.
"""

import hashlib
import importlib.resources
import re
from dataclasses import dataclass
from typing import LiteralString

import structlog

from parkcarbon.kit.db import Database, RejectedError, Session

log = structlog.get_logger(__name__)

_LOCK = 0x7061726B  # "park"
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


class MigrationError(Exception):
    """The database was migrated by other files than these."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    statements: LiteralString

    @property
    def digest(self) -> bytes:
        """Sha256 of the text: tells an edited file from the one that ran."""
        return hashlib.sha256(self.statements.encode()).digest()


def load_migrations() -> list[Migration]:
    """Return the migrations of this version in their order."""
    folder = importlib.resources.files(__package__).joinpath("sql/migrations")
    found = []
    for entry in folder.iterdir():
        if match := _NAME.match(entry.name):
            text: LiteralString = entry.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), entry.name, text))
    return sorted(found, key=lambda migration: migration.number)


async def migrate(database: Database) -> list[str]:
    """Bring the schema up to date and return the names of the files that ran.

    Raises:
        MigrationError: a migration that ran before has another text here, or the database is newer than this program.
    """
    async with database.session() as session:
        await session.execute("select pg_advisory_lock($1)", _LOCK)
        try:
            return await _migrate(session)
        finally:
            await session.execute("select pg_advisory_unlock($1)", _LOCK)


async def _migrate(session: Session) -> list[str]:
    await _enable_timescale(session)
    await session.execute(
        "create table if not exists schema_migration (number int primary key, name text not null,"
        " digest bytea not null, recorded_at timestamptz not null default now())"
    )
    done = {row["number"]: row for row in await session.fetch("select * from schema_migration")}
    migrations = load_migrations()
    unknown = done.keys() - {migration.number for migration in migrations}
    if unknown:
        raise MigrationError(f"the database has migrations {sorted(unknown)} that this version does not know")
    ran = []
    for migration in migrations:
        if migration.number in done:
            if done[migration.number]["digest"] != migration.digest:
                raise MigrationError(f"{migration.name} was changed after it ran on this database")
            continue
        async with session.transaction():
            await session.execute(migration.statements)
            await session.execute(
                "insert into schema_migration (number, name, digest) values ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.digest,
            )
        log.info("migration.done", name=migration.name)
        ran.append(migration.name)
    return ran


async def _enable_timescale(session: Session) -> None:
    """Create the extension in an empty database where the server has it loaded."""
    loaded = await session.fetchval(
        "select exists (select from pg_available_extensions where name = 'timescaledb')"
        " and current_setting('shared_preload_libraries') like '%timescaledb%'"
        " and to_regclass('schema_migration') is null"
    )
    if not loaded:
        return
    try:
        await session.execute("create extension if not exists timescaledb")
    except RejectedError as error:
        log.warning("timescaledb.not_enabled", reason=str(error))
