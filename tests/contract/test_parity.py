"""Whatever can be done by a route of the books can be done from the command line, and the other way round.

The pairs are declared here and held against the real OpenAPI document and the real argument parsers: a new route
without a verb, or a verb without a route, fails until somebody says what it pairs with.
"""

import argparse
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

import api.accounts
import api.alarms
import api.statements
from api.app import create_app
from api.settings import Settings
from ingest.verbs import add_verbs
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.books.entries import NewEntry
from parkcarbon.books.instruments.documents import LotDocument
from parkcarbon.cli.accounts import VERBS
from parkcarbon.cli.accounts.factor import Proposed
from parkcarbon.cli.alarm import ACTIONS as ALARM_ACTIONS
from parkcarbon.cli.statement import ACTIONS

PREFIX: Final = "/api/v1/parks/{park}"

_ACT: Final = ("POST /ledger/lots/{lot}/events",)
_DECIDE: Final = ("POST /statements/{statement}/acts",)
WRITES: Final[dict[str, tuple[str, ...]]] = {
    "alarm acknowledge": ("POST /alarms/{alarm}/acknowledge",),
    "alarm comment": ("POST /alarms/{alarm}/comment",),
    "alarm in-service": ("POST /alarms/{alarm}/in-service",),
    "alarm out-of-service": ("POST /alarms/{alarm}/out-of-service",),
    "alarm rules apply": ("PUT /alarms/rules",),
    "alarm rules check": ("POST /alarms/rules/check",),
    "alarm rules diff": ("POST /alarms/rules/check",),
    "alarm rules try": ("POST /alarms/rules/try",),
    "alarm shelve": ("POST /alarms/{alarm}/shelve",),
    "alarm silence": ("POST /alarms/silences",),
    "alarm unshelve": ("POST /alarms/{alarm}/unshelve",),
    "alarm unsilence": ("POST /alarms/silences/{silence}/end",),
    "entry enter": ("POST /entries",),
    "entry review": ("POST /entries/{entry}/review",),
    "entry withdraw": ("POST /entries/{entry}/withdrawal",),
    "factor propose": ("POST /factors",),
    "factor decide": ("POST /factors/{factor_id}/decision",),
    "factor series": ("POST /factors/{factor_id}/series", "POST /factors/{factor_id}/series/fetch"),
    "ledger enter": ("POST /ledger/lots",),
    "ledger apply": _ACT,
    "ledger cancel": _ACT,
    "ledger retire": _ACT,
    "ledger transfer": _ACT,
    "ledger sell": _ACT,
    "ledger expire": _ACT,
    "ledger surrender": _ACT,
    "ledger confirm": ("POST /ledger/events/{event}/confirmation",),
    "ledger strike": ("POST /ledger/events/{event}/strike", "POST /ledger/lots/{lot}/strike"),
    "correct": ("POST /corrections", "POST /corrections/{number}/withdrawal"),
    "substitute enter": ("POST /substitutions",),
    "substitute propose": ("POST /substitutions/draft",),
    "substitute review": ("POST /substitutions/{number}/review",),
    "substitute withdraw": ("POST /substitutions/{number}/withdrawal",),
    "period provisional": ("POST /periods/{period}/provisional",),
    "period close": ("POST /periods/{period}/close",),
    "period reopen": ("POST /periods/{period}/reopen",),
    "statement approve": _DECIDE,
    "statement comment": _DECIDE,
    "statement issue": ("POST /statements",),
    "statement lock": ("POST /statements/{statement}/lock",),
    "statement reissue": ("POST /statements/{statement}/reissue",),
    "statement reject": _DECIDE,
    "statement review": _DECIDE,
}
"""Verb and the routes that enter the same."""

READS: Final[dict[str, tuple[str, ...]]] = {
    "alarm list": ("GET /alarms",),
    "alarm report": ("GET /alarms/report",),
    "alarm rules show": ("GET /alarms/rules",),
    "alarm show": ("GET /alarms/{alarm}",),
    "alarm silences": ("GET /alarms/silences",),
    "balance hours": ("GET /balance",),
    "balance quality": ("GET /quality",),
    "balance reconcile": ("GET /balance/reconciliation",),
    "balance runs": ("GET /quality/runs",),
    "entry kinds": ("GET /entries/kinds",),
    "entry list": ("GET /entries", "GET /entries/{entry}"),
    "explain": ("GET /explain", "GET /explain/figures", "GET /substitutions/{number}/working"),
    "factor find": ("GET /factors/find",),
    "factor list": ("GET /factors",),
    "factor show": ("GET /factors/{factor_id}",),
    "factor warnings": ("GET /factors/warnings",),
    "indicators budget": ("GET /indicators/budget",),
    "indicators compare": ("GET /indicators/compare",),
    "indicators duty": ("GET /indicators/duty",),
    "indicators energy": ("GET /indicators/energy",),
    "indicators intensity": ("GET /indicators/intensity",),
    "indicators matching": ("GET /indicators/matching",),
    "indicators measures": ("GET /indicators/measures",),
    "indicators park": ("GET /indicators/park",),
    "indicators uncertainty": ("GET /indicators/uncertainty",),
    "inventory": ("GET /inventory",),
    "ledger allowance": ("GET /ledger/allowance",),
    "ledger cover": ("GET /ledger/cover",),
    "ledger gap": ("GET /ledger/gap",),
    "ledger lots": ("GET /ledger/lots", "GET /ledger/lots/{lot}"),
    "period difference": ("GET /periods/{period}/difference",),
    "period list": ("GET /periods",),
    "period show": ("GET /periods/{period}",),
    "review": ("GET /quality/questions", "GET /corrections"),
    "statement diff": ("GET /statements/{statement}/difference",),
    "statement export": ("GET /statements/{statement}/files/{name}",),
    "statement list": ("GET /statements",),
    "statement missing": ("GET /statements/missing",),
    "statement show": ("GET /statements/{statement}", "GET /statements/{statement}/record"),
    "statement tasks": ("GET /statements/tasks",),
    "substitute list": ("GET /substitutions", "GET /substitutions/{number}"),
    "tenants allocation": ("GET /tenants/allocation",),
    "tenants entity": ("GET /tenants/entities",),
}
"""Verb and the routes that show the same."""

NO_ROUTE: Final = {
    "calc": "works on a file, without a database and without a park",
    "statement key new": "writes a secret file",
    "statement key show": "reads a secret file",
    "statement verify": "works on a file, without a database and without a park",
}
"""Verbs that stay on the command line, and why."""


class OfRules(msgspec.Struct):
    """What the file of alarm rules is in a request."""

    document: Alarms


FILES: Final[dict[str, type[msgspec.Struct]]] = {
    **dict.fromkeys(("alarm rules apply", "alarm rules check", "alarm rules diff", "alarm rules try"), OfRules),
    "entry enter": NewEntry,
    "factor propose": Proposed,
    "ledger enter": LotDocument,
}
"""What the file of a verb holds; everything else is given by arguments."""

OF_INGEST: Final = ("correct", "review")
"""Verbs that were there before the books; their routes are the books'."""

ENTERS_NOTHING: Final = frozenset({"alarm rules check", "alarm rules diff", "alarm rules try", "substitute propose"})
"""Works something out from a body, and leaves it at that: nobody needs to be named."""

SAME: Final[dict[str, dict[str, str]]] = {
    "alarm": {"start": "from", "stop": "to"},
    "correct": {"start": "from", "end": "to"},
    "factor": {"number": "factor_id"},
    "statement": {"month": "period"},
    "substitute": {"start": "from", "end": "to"},
}
"""What a verb calls otherwise than its routes."""

BY_THE_VERB: Final = frozenset({"kind", "act"})
"""Member of an act, on serials or on a statement, that the word of the command says."""

BY_THE_CALLER: Final = frozenset({"park", "json", "author", "file", "help"})
"""Arguments that a request says by its path, its token or its headers."""


def operations() -> dict[str, dict[str, Any]]:
    """`POST /entries` and the like, of every route that a module of the books has."""
    modules = [importlib.import_module(f"api.accounts.{found.name}") for found in pkgutil.iter_modules(PATH)]
    modules += [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for package in (api.alarms, api.statements)
        for found in pkgutil.iter_modules(package.__path__)
    ]
    tags = {tag for module in modules if hasattr(module, "router") for tag in module.router.tags}
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if tags & set(operation.get("tags", ()))
    }


def leaves() -> dict[str, argparse.ArgumentParser]:
    """Every command with its parser: `entry enter` and the like."""
    found: dict[str, argparse.ArgumentParser] = {}
    for verb in VERBS:
        try:
            module = importlib.import_module(f"parkcarbon.cli.accounts.{verb}")
        except ModuleNotFoundError:
            continue  # `test_every_verb_is_there` says so
        parser = argparse.ArgumentParser(prog=f"parkcarbon {verb}")
        module.describe(parser)
        found |= dict(_walk(verb, parser))
    for verb, actions in (("alarm", ALARM_ACTIONS), ("statement", ACTIONS)):
        for action, (name, _) in actions.items():
            parser = argparse.ArgumentParser(prog=f"parkcarbon {verb} {action}")
            importlib.import_module(f"parkcarbon.cli.{verb}.{name}").describe(parser)
            found |= dict(_walk(f"{verb} {action}", parser))
    ingest = argparse.ArgumentParser()
    verbs = ingest.add_subparsers()
    add_verbs(verbs)
    return found | {verb: verbs.choices[verb] for verb in OF_INGEST}


def _walk(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield name, parser
    for action in nested:
        for word, inner in action.choices.items():
            yield from _walk(f"{name} {word}", inner)


PATH: Final = api.accounts.__path__
DOCUMENT: Final = create_app(Settings(database_url="postgresql://localhost/none")).openapi()
OPERATIONS: Final = operations()
LEAVES: Final = leaves()


def enters(parser: argparse.ArgumentParser) -> bool:
    """Whoever enters something says who."""
    return any(action.dest == "author" for action in parser._actions)


def declared(pairs: dict[str, tuple[str, ...]]) -> set[str]:
    return {operation for paired in pairs.values() for operation in paired}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there(verb: str) -> None:
    assert hasattr(importlib.import_module(f"parkcarbon.cli.accounts.{verb}"), "run")


def test_every_route_that_enters_something_has_a_verb() -> None:
    assert {name for name in OPERATIONS if not name.startswith("GET ")} == declared(WRITES)


def test_every_verb_that_enters_something_has_a_route() -> None:
    assert {name for name, parser in LEAVES.items() if enters(parser)} == set(WRITES) - ENTERS_NOTHING


def test_every_route_that_shows_something_has_a_verb() -> None:
    assert {name for name in OPERATIONS if name.startswith("GET ")} == declared(READS)


def test_every_verb_that_shows_something_has_a_route() -> None:
    shows = {name for name, parser in LEAVES.items() if not enters(parser)}
    assert shows == set(READS) | set(NO_ROUTE) | ENTERS_NOTHING


def body_members(operation: dict[str, Any]) -> set[str]:
    """What a request may say: members of its body, of the entries in it, and parameters of its query."""
    said = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        reference = content["schema"].get("$ref")
        schema = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]] if reference else {}
        members = set(schema.get("properties", ()))
        if members == {"entries"}:
            name = schema["properties"]["entries"]["items"]["$ref"].rpartition("/")[2]
            members = set(DOCUMENT["components"]["schemas"][name]["properties"])
        said |= members
    return said


def path_members(operation: dict[str, Any]) -> set[str]:
    return {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}


def arguments(name: str) -> set[str]:
    """What a command may say: its arguments and the members of its file."""
    said = {action.dest for action in LEAVES[name]._actions} - BY_THE_CALLER
    return said | ({field.encode_name for field in msgspec.structs.fields(FILES[name])} if name in FILES else set())


@pytest.mark.parametrize("name", sorted(WRITES))
def test_a_verb_can_say_whatever_its_routes_can(name: str) -> None:
    """Neither door knows a member that the other does not: what may be entered is the same."""
    paired = [OPERATIONS[operation] for operation in WRITES[name]]
    by_route = {member for operation in paired for member in body_members(operation) | path_members(operation)} - {
        "park"
    }
    same = SAME.get(name.split(maxsplit=1)[0], {})
    by_verb = {same.get(member, member) for member in arguments(name)}
    if WRITES[name] in (_ACT, _DECIDE):
        by_route -= BY_THE_VERB
    if name in ENTERS_NOTHING:
        by_route -= {"reason"}
    assert by_verb == by_route


@pytest.mark.parametrize("name", sorted(set(READS) - set(OF_INGEST)))
def test_a_past_date_can_be_asked_for_at_both_doors(name: str) -> None:
    for operation in READS[name]:
        dated = body_members(OPERATIONS[operation]) & {"as_of", "known_on"}
        assert dated <= arguments(name), operation


@pytest.mark.parametrize("name", sorted(set(LEAVES) - set(OF_INGEST)))
def test_every_command_explains_itself(name: str) -> None:
    """No help breaks on a sign of its own, and every argument says what it is."""
    parser = LEAVES[name]
    assert name.split(maxsplit=1)[0] in parser.format_help()
    silent = [action.dest for action in parser._actions if not action.help]
    assert silent == []


def test_every_verb_explains_its_actions() -> None:
    for verb in VERBS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"parkcarbon.cli.accounts.{verb}").describe(parser)
        assert "usage" in parser.format_help()
