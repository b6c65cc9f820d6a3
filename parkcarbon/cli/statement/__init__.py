"""`parkcarbon statement ACTION …`: a module for each action, with `describe(parser)` and `run(options)`.

An action is imported when it is asked for: `verify` and `key` need no database client.
"""

from typing import Final

ACTIONS: Final[dict[str, str]] = {
    "key": "make the key that signs statements, or let it follow another",
    "verify": "check a PDF or JSON offline: signatures, arithmetic, pages, roots",
}
"""Action and what it does; the module of this package with the same name does it."""
