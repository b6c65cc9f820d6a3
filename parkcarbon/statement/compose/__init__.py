"""From the books to a frozen record: each page is a module that enters its figures and returns its section.

A page exposes `async def <name>(context: Context) -> Section | list[Section]`. They run in the order of `_PAGES`, which
is that of the figures; the record has them in the order of the statement.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from parkcarbon.kit.db import Session
from parkcarbon.statement.record import Section

from .context import Context, open_context
from .order import Order

__all__ = ["Context", "Order", "open_context", "sections_of"]

Page: TypeAlias = Callable[[Context], Awaitable[Section | list[Section]]]

SECTIONS: Final = (
    "entity",
    "energy",
    "sources",
    "scope2",
    "instruments",
    "tenants",
    "charts",
    "outside",
    "other_method",
    "quality",
    "trace",
    "check",
)
"""Sections in the order of the statement."""

_PAGES: Final[tuple[Page, ...]] = ()


async def sections_of(session: Session, order: Order) -> tuple[Section, ...]:
    """The pages after the first, in the order of the statement."""
    context = await open_context(session, order)
    found: dict[str, Section] = {}
    for page in _PAGES:
        made = await page(context)
        found |= {section.id: section for section in (made if isinstance(made, list) else [made])}
    return tuple(found[name] for name in SECTIONS if name in found)
