"""The role that dashboards read with."""

from typing import Final

from parkcarbon.kit.db import Database

from .queries import QUERIES

NAME: Final = "parkcarbon_report"


async def make_role(database: Database, name: str = NAME, password: str = "") -> None:
    """Make the role, or bring it in line: it may read schema `report`, and nothing else.

    Args:
        database: as a user who may create roles and owns the schema.
        name: of the role.
        password: of the role; empty: it keeps the one it has.
    """
    async with database.transaction() as session:
        await session.fetch(QUERIES["role_settings"], name, password)
        await session.execute(QUERIES["make_role"])
