"""Settings of the API process, all from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

WEB_DIST = Path("dashboards/web/dist")
_LOCK_TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the process needs to know.

    Attributes:
        database_url: `postgresql://…`; requests read unless they enter something into the books.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        web_dist: folder of the built web app.
        statement_timeout_ms: longest time that a statement may take [ms].
        pool_size: connections for requests that read; one more listens.
        write_pool_size: connections for requests that enter something.
        max_streams: live streams open at once.
        access_log: True writes a line for each request.
    """

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8080
    web_dist: Path = WEB_DIST
    statement_timeout_ms: int = 10_000
    pool_size: int = 6
    write_pool_size: int = 2
    max_streams: int = 500
    access_log: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read `PARKCARBON_*`.

        Raises:
            ValueError: a variable is missing or does not fit, naming it.
        """
        url = env.get("PARKCARBON_DATABASE_URL", "")
        if not url:
            raise ValueError("PARKCARBON_DATABASE_URL is not set")
        return cls(
            database_url=url,
            host=env.get("PARKCARBON_API_HOST", "127.0.0.1"),
            port=_whole(env, "PARKCARBON_API_PORT", 8080, 0, 65_535),
            web_dist=Path(env.get("PARKCARBON_WEB_DIST") or WEB_DIST),
            statement_timeout_ms=_whole(env, "PARKCARBON_API_STATEMENT_TIMEOUT_MS", 10_000, 100, 600_000),
            pool_size=_whole(env, "PARKCARBON_API_POOL_SIZE", 6, 1, 100),
            write_pool_size=_whole(env, "PARKCARBON_API_WRITE_POOL_SIZE", 2, 1, 20),
            max_streams=_whole(env, "PARKCARBON_API_MAX_STREAMS", 500, 1, 100_000),
            access_log=env.get("PARKCARBON_API_ACCESS_LOG", "") == "1",
        )

    @property
    def read_url(self) -> str:
        """The database URL with the limits of a reader: read-only transactions and a statement timeout."""
        return self._limited(default_transaction_read_only="on", application_name="parkcarbon-api")

    @property
    def write_url(self) -> str:
        """The database URL with the limits of a writer: the same timeout, and no long wait for a lock."""
        return self._limited(lock_timeout=str(_LOCK_TIMEOUT_MS), application_name="parkcarbon-api-writing")

    def _limited(self, **limits: str) -> str:
        parts = urlsplit(self.database_url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        options |= {
            "statement_timeout": str(self.statement_timeout_ms),
            "idle_in_transaction_session_timeout": "30000",
            **limits,
        }
        return urlunsplit(parts._replace(query=urlencode(options)))


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{name}={text!r} is not a whole number") from None
    if not low <= value <= high:
        raise ValueError(f"{name}={value} is outside {low}..{high}")
    return value
