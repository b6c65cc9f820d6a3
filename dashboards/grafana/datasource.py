"""The data source: PostgreSQL with the role that may read schema `report` and nothing else."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from .draw import DATASOURCE_TYPE, DATASOURCE_UID

ROLE: Final = "parkcarbon_report"
NAME: Final = "ParkCarbon"
_SSL_MODES: Final = ("disable", "require", "verify-ca", "verify-full")


def data_source(url: str, user: str, database: str, *, ssl: str = "require", timescale: bool = False) -> dict[str, Any]:
    """Make the data source as Grafana keeps it, without its password.

    Args:
        url: `host:port` as Grafana reaches it.
        user: role that reads.
        database: name of the database.
        ssl: `disable`, `require`, `verify-ca` or `verify-full`.
        timescale: whether the server has TimescaleDB.
    """
    if ssl not in _SSL_MODES:
        raise ValueError(f"sslmode {ssl!r}: one of {', '.join(_SSL_MODES)}")
    return {
        "uid": DATASOURCE_UID,
        "name": NAME,
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": url,
        "user": user,
        "database": database,
        "isDefault": False,
        "jsonData": {
            "database": database,
            "sslmode": ssl,
            "postgresVersion": 1500,
            "timescaledb": timescale,
            "maxOpenConns": 10,
            "maxIdleConns": 2,
            "connMaxLifetime": 14400,
        },
    }


def from_url(text: str, ssl: str = "require") -> tuple[dict[str, Any], str]:
    """Make the data source of `postgresql://user:password@host:port/database`; returns it and the password.

    Raises:
        ValueError: something is missing in the address.
    """
    parts = urlsplit(text)
    database = parts.path.lstrip("/")
    if parts.scheme not in ("postgres", "postgresql") or not (parts.hostname and parts.username and database):
        raise ValueError("a data source is given as postgresql://user:password@host:port/database")
    made = data_source(f"{parts.hostname}:{parts.port or 5432}", unquote(parts.username), database, ssl=ssl)
    return made, unquote(parts.password or "")
