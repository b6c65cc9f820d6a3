"""Settings of the API from the environment."""

from urllib.parse import parse_qs, urlsplit

import pytest

from api.commands import main
from api.settings import Settings

URL = "postgresql://user:p%40ss@db:5432/park?sslmode=require"


def test_defaults() -> None:
    settings = Settings.from_env({"PARKCARBON_DATABASE_URL": URL})
    assert (settings.host, settings.port, settings.access_log) == ("127.0.0.1", 8080, False)
    assert settings.web_dist.as_posix() == "dashboards/web/dist"


def test_readers_cannot_write_or_wait_for_ever() -> None:
    parts = urlsplit(Settings.from_env({"PARKCARBON_DATABASE_URL": URL}).read_url)
    options = parse_qs(parts.query)
    assert parts.netloc == "user:p%40ss@db:5432"
    assert parts.path == "/park"
    assert options["default_transaction_read_only"] == ["on"]
    assert options["statement_timeout"] == ["10000"]
    assert options["sslmode"] == ["require"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARKCARBON_API_PORT", "x"),
        ("PARKCARBON_API_PORT", "-1"),
        ("PARKCARBON_API_PORT", "65536"),
        ("PARKCARBON_API_POOL_SIZE", "0"),
        ("PARKCARBON_API_STATEMENT_TIMEOUT_MS", "5"),
    ],
)
def test_bad_values_are_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_env({"PARKCARBON_DATABASE_URL": URL, name: value})


def test_no_database_url(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARKCARBON_DATABASE_URL", raising=False)
    assert main(["run"]) == 2
    assert "PARKCARBON_DATABASE_URL" in capsys.readouterr().err
