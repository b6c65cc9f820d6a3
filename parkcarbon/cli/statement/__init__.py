"""`parkcarbon statement ACTION …`: what the API does with statements, straight on the database.

Each module has `describe(parser)`, which adds the arguments of an action, and `run(options)`, which does the work and
returns the exit code: 0 done, 1 refused or different, 2 wrong usage. It is imported when it is asked for: `verify` and
`key` need no database client.
"""

from typing import Final

ACTIONS: Final[dict[str, tuple[str, str]]] = {
    "issue": ("issue", "freeze the statement of a month or year, and say what has to happen until it is issued"),
    "reissue": ("reissue", "freeze it again: a new version that names the one before, the reason and what changed"),
    "list": ("listing", "every statement with its state"),
    "show": ("show", "one statement: verdict, what is missing, who did what, its files"),
    "missing": ("missing", "what a month still waits for, who owes it, until when"),
    "tasks": ("waiting", "what the scheduler still has to do, with the error of the last attempt"),
    "export": ("export", "write an issued file: PDF, spreadsheet, JSON, CSV, signature; or the RE100 or group sheet"),
    "diff": ("diff", "figures that differ between two versions"),
    "comment": ("decide", "say something about a statement"),
    "review": ("decide", "review a statement that another person, or the scheduler, prepared"),
    "approve": ("decide", "approve it as the second person; issues it where the signing key is at hand"),
    "reject": ("decide", "reject it, with a reason"),
    "lock": ("lock", "close the month of an issued statement"),
    "key": ("key", "make the key that signs statements, or let it follow another"),
    "verify": ("verify", "check a PDF or JSON offline: signatures, arithmetic, pages, roots"),
}
"""Action, the module that does it, and what it does."""
