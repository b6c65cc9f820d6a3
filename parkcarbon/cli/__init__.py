"""`parkcarbon`: one command line for operators.

Each verb belongs to a deployable; it is found when it is called, so an edge node that has no database client
installed still runs `parkcarbon edge`. Nothing here is imported by the deployables.
"""

import argparse
import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from . import accounts

VERBS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "demo": ("deploy.local.demo", (), "run a whole simulated park on this machine"),
    "campus": ("deploy.local.campus", (), "import a folder of real metering into a database of its own"),
    "import": ("gateway", ("import",), "take interval or register data from CSV through the custody path"),
    "park": ("ingest", ("park",), "check, diff or apply a park document"),
    "correct": ("ingest", ("correct",), "enter a dated correction"),
    "recompute": ("ingest", ("recompute",), "compute intervals again from facts, or check them"),
    "replay": ("ingest", ("replay",), "enter readings of stored batches that are missing in the table"),
    "resend": ("ingest", ("resend",), "ask a source to send batches again after a restore"),
    "quarantine": ("ingest", ("quarantine",), "list readings that could not be stored"),
    "review": ("ingest", ("review",), "list open questions, boundaries, corrections, conflicts, losses"),
    "token": ("ingest", ("token",), "create, list or revoke access tokens"),
    "migrate": ("ingest", ("migrate",), "bring the database schema up to date"),
    "ingest": ("ingest", ("run",), "run the custody receiver"),
    "edge": ("edge", (), "run, probe or check an edge agent"),
    "gateway": ("gateway", (), "run a park gateway"),
    "api": ("api", ("run",), "run the HTTP API and the web app"),
    "statement": (f"{__name__}.statement", (), "issue, approve, export, compare and verify statements"),
    "alerts": ("alerts", ("run",), "run the process that evaluates alarm rules and tells people"),
    "statements": ("statements", ("run",), "run the process that prepares, signs, delivers and seals"),
    "alarm": (f"{__name__}.alarm", (), "alarms: rules, what stands, acknowledge, shelve, silence, report"),
    "evidence": (f"{__name__}.evidence", (), "daily roots, evidence packs, and checking one without a database"),
    "dashboards": (
        "dashboards.grafana",
        (),
        "push, compare or export Grafana dashboards, run their queries, make their role",
    ),
    "sim": ("firmware_sim", (), "prepare or run a simulated park"),
} | {verb: (f"{__name__}.accounts", (verb,), what) for verb, what in accounts.VERBS.items()}
VERBS["calc"] = (f"{__name__}.calculator", (), accounts.VERBS["calc"])


def load_env_file(path: Path) -> None:
    """Put `NAME=value` lines of `path` into the environment; what is set already stays."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            raise SystemExit(f"{path}:{number}: not NAME=value: {text!r}")
        os.environ.setdefault(name.strip(), value.strip())


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, VERBS))
    listing = "\n".join(
        f"  {verb:<{width}}  {what}" for verb, (module, _, what) in VERBS.items() if find_spec(module.split(".")[0])
    )
    parser = argparse.ArgumentParser(
        prog="parkcarbon",
        description="Carbon accounting for industrial parks.",
        epilog=f"verbs:\n{listing}\n\n`parkcarbon VERB --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--env", type=Path, help="read settings from this file, for example DIR/parkcarbon.env")
    parser.add_argument("verb", choices=VERBS, metavar="VERB")
    parser.add_argument("args", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    """Find the verb's module and hand over to it."""
    options = _parser().parse_args()
    if options.env is not None:
        if not options.env.is_file():
            raise SystemExit(f"parkcarbon: no such file: {options.env}")
        load_env_file(options.env)
    module, leading, _ = VERBS[options.verb]
    sys.argv = [f"parkcarbon {options.verb}", *leading, *options.args]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
