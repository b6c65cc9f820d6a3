"""Settings are strict, and their errors say where."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from parkcarbon.kit.settings import SettingsError, from_environment, load_yaml


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    database_url: str
    api_port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    verbose: bool = False
    share: float | None = None


def test_variables_are_converted_to_the_members_type() -> None:
    given = {"PARKCARBON_DATABASE_URL": "postgresql://x", "PARKCARBON_API_PORT": "99", "PARKCARBON_VERBOSE": "true"}
    assert from_environment(Settings, given | {"HOME": "/"}) == Settings("postgresql://x", 99, verbose=True)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "PARKCARBON_DATABASE_URL is not set"),
        ({"PARKCARBON_DATABASE_URL": "x", "PARKCARBON_API_PORT": "many"}, "PARKCARBON_API_PORT: Expected `int`"),
        ({"PARKCARBON_DATABASE_URL": "x", "PARKCARBON_API_PORT": "0"}, "PARKCARBON_API_PORT: Expected `int` >= 1"),
        ({"PARKCARBON_DATABASE_URL": "x", "PARKCARBON_DATABASE_URL_FILE": "y"}, "are both set"),
        ({"PARKCARBON_DATABASE_URL_FILE": "/nowhere"}, "PARKCARBON_DATABASE_URL_FILE: /nowhere: No such file"),
    ],
)
def test_errors_name_the_variable(variables: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        from_environment(Settings, variables)


def test_secrets_come_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://user:pw@host\n")
    assert from_environment(Settings, {"PARKCARBON_DATABASE_URL_FILE": str(secret)}) == Settings(
        "postgresql://user:pw@host"
    )


def test_a_yaml_file_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("database_url: x\napi_port: 5\nshare: 0.5\n")
    assert load_yaml(path, Settings) == Settings("x", 5, share=0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("database_url: x\nextra: 1\n", "unknown field `extra`"),
        ("database_url: 5\n", r"Expected `str`.*\$.database_url"),
        ("api_port: 5\n", "missing required field `database_url`"),
        ("a: [", "s.yaml"),
        ("", "s.yaml"),
    ],
)
def test_errors_name_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load_yaml(path, Settings)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_yaml(tmp_path / "none.yaml", Settings)


def test_the_struct_itself_stays_frozen() -> None:
    with pytest.raises(AttributeError):
        Settings("x").api_port = 5  # type: ignore[misc]
    assert msgspec.structs.asdict(Settings("x"))["api_port"] == 8080
