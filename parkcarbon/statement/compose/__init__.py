"""From the books to a frozen record: each page is a module that enters its figures and returns its section.

A page exposes `async def <name>(context: Context) -> Section | list[Section]`. The lines of the inventory and the
verdict come first, since other pages refer to their figures; what a re-issue changed comes last.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from parkcarbon.kit.db import Session, from_ms
from parkcarbon.statement.arithmetic import SECTIONS
from parkcarbon.statement.evidence.members import evidence_of
from parkcarbon.statement.record import SCHEMA, Evidence, Predecessor, Record, Section, Text, content_digest

from .changes import changes_of, labels_of
from .context import Context, open_context
from .missing import missing_of
from .order import Order
from .pages import (
    charts,
    energy,
    entity,
    front,
    how_to_check,
    instruments,
    outside,
    quality,
    scope2,
    sources,
    tenants,
    trace,
)
from .verdict import verdict_of
from .wording.translate import said
from .wording.words import of_name

__all__ = ["SECTIONS", "Context", "Order", "compose", "open_context"]

Page: TypeAlias = Callable[[Context], Awaitable[Section | list[Section]]]

_INVENTORY: Final[tuple[Page, ...]] = (sources.sources, scope2.scope2_page)
_PAGES: Final[tuple[Page, ...]] = (
    entity.entity,
    energy.energy,
    instruments.instruments,
    tenants.tenants,
    charts.charts,
    outside.outside,
    outside.other_method,
    quality.quality,
    trace.trace,
)


async def compose(session: Session, order: Order) -> Record:
    """Compose a statement: same facts, same bytes.

    Args:
        session: the one connection that everything is read through, best in a transaction that sees one moment.
        order: what is asked for.

    Raises:
        RefusedError: no such period, one that had not begun, or a rule stands against its inventory.
        LookupError: there is no such park, or it was not known by then.
    """
    context = await open_context(session, order)
    found = await _made(context, _INVENTORY)
    missing = await missing_of(context)
    opinion = verdict_of(context, missing)
    first = front.front(context, opinion)
    found |= await _made(context, _PAGES)
    evidence = await _evidence(context)
    found["check"] = await how_to_check.how_to_check(context, evidence)
    superseded = _superseded(context, tuple(found.values()))
    found["entity"] = entity.with_changes(found["entity"], superseded)
    facts, period, inventory = context.facts, context.period, context.inventory
    return Record(
        schema=SCHEMA,
        kind=order.kind,
        park=facts.park,
        park_name=of_name(facts.document.name),
        entity=of_name(facts.document.method.reporting_entity),
        timezone=facts.document.timezone,
        period=period.label,
        from_time=from_ms(period.from_ms).astimezone(facts.zone).isoformat(),
        to_time=from_ms(period.to_ms).astimezone(facts.zone).isoformat(),
        number=order.printed_number,
        version=order.version,
        status="final" if opinion.final else "provisional",
        known_on=inventory.known_on,
        method_profile="ghgp",
        method_version=inventory.method_version,
        software=order.software,
        verdict=opinion.verdict,
        front=first,
        figures=context.sheet.figures,
        sections=tuple(found[name] for name in SECTIONS if name in found),
        missing=missing,
        evidence=evidence,
        supersedes=superseded,
        notes=tuple(said(warning) for warning in sources.warnings_of(context)),
    )


async def _evidence(context: Context) -> Evidence:
    """What the figures rest on, with the records of the factors that were used."""
    inventory = context.inventory
    lines = (line for scope in (*inventory.scopes, inventory.scope3) for line in scope.lines)
    used = {match.factor.factor for line in lines for match in line.factors}
    return await evidence_of(context.session, context.facts, context.period, as_of=context.order.as_of, used=used)


async def _made(context: Context, pages: tuple[Page, ...]) -> dict[str, Section]:
    found: dict[str, Section] = {}
    for page in pages:
        made = await page(context)
        found |= {section.id: section for section in (made if isinstance(made, list) else [made])}
    return found


def _superseded(context: Context, sections: tuple[Section, ...]) -> Predecessor | None:
    """The version before, with every figure that is another one now."""
    before = context.order.predecessor
    if before is None:
        return None
    labels: dict[str, Text] = labels_of(sections) | entity.front_labels()
    changes = changes_of(before, context.sheet.figures, labels)
    return Predecessor(before.number, before.version, content_digest(before), context.order.reason, changes)
