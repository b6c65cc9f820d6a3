"""Kinds of entries that exist only in tests: `with_test_kinds(monkeypatch)` adds them."""

from typing import Annotated, ClassVar

import pytest
from msgspec import Meta, Struct

from parkcarbon.catalog.entries import KINDS
from parkcarbon.domain.refusal import RefusedError


class TestNote(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that counts at once."""

    __test__: ClassVar[bool] = False
    amount: Annotated[float, Meta(ge=0)]
    unit: str = "t"


class TestFuel(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount of fuel that counts once a second person approved it."""

    __test__: ClassVar[bool] = False
    needs_review: ClassVar[bool] = True
    amount: float
    condition: str = ""

    def __post_init__(self) -> None:
        """Refuse cubic metres without their condition."""
        if self.condition == "unknown":
            raise RefusedError("1.10", f"{self.amount} m3 without standard conditions")


def with_test_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the kinds `test_note` and `test_fuel`."""
    monkeypatch.setitem(KINDS, "test_note", TestNote)
    monkeypatch.setitem(KINDS, "test_fuel", TestFuel)
