"""`parkcarbon alarm ACTION …`: what the API does with alarms and their rules, straight on the database.

Each module has `describe(parser)`, which adds the arguments of an action, and `run(options)`, which does the work and
returns the exit code: 0 done, 1 refused, wrong or different, 2 wrong usage.
"""

from typing import Final

ACTIONS: Final[dict[str, tuple[str, str]]] = {
    "rules": ("rules", "check a document of rules, compare it, try a rule on the past, apply it, show those in force"),
    "list": ("listing", "alarms that stand, or all of them"),
    "show": ("show", "one alarm: what raised it, what people did, what was sent"),
    "acknowledge": ("decide", "take an alarm on: repeats and escalation end"),
    "comment": ("decide", "say something about an alarm"),
    "shelve": ("shelve", "tell nobody of this rule and subject for at most 8 h"),
    "unshelve": ("decide", "end shelving before its time"),
    "out-of-service": ("decide", "tell nobody of this rule and subject until a person puts it back"),
    "in-service": ("decide", "put it back in service"),
    "silence": ("silence", "tell nobody of matching alarms for a time"),
    "unsilence": ("unsilence", "end a silence before its time"),
    "silences": ("silences", "silences that are on or to come"),
    "report": ("report", "how the alarms of a time behaved, after ISA-18.2"),
}
"""Action, the module that does it, and what it does."""
