"""Verbs of the books: what the API can do, from the command line, straight on the database.

Each module has `describe(parser)`, which adds its arguments, and `run(options)`, which does the work and returns the
exit code: 0 done, 1 refused or different, 2 wrong usage.
"""

from typing import Final

VERBS: Final[dict[str, str]] = {
    "factor": "list, find, propose, approve factors; load hourly series",
    "entry": "list, enter, supersede, review what is entered beside the meters",
    "ledger": "certificates and credits: enter lots, cancel, retire, transfer, sell",
    "inventory": "the inventory of a month or year, also as known on a past date",
    "tenants": "the park total by tenant: allocation and entity views",
    "balance": "the energy balance by the hour, reconciliation, what looks wrong",
    "substitute": "replace missing energy by a rule, with reviewer and reason",
    "indicators": "park indicator, shares, intensities, matching, budgets, uncertainty",
    "period": "open, provisional, closed: the state of a month, and what changed since",
    "explain": "any figure down to the registers, also as a spreadsheet with formulas",
    "calc": "emissions of a file of activity lines, without a database",
}
"""Verb and what it does; the module of this package with the same name does it."""
