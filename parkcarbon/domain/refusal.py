"""Refusals that name the accounting rule they come from, so that whoever is refused can look it up."""


class RefusedError(ValueError):
    """What was asked breaks a rule of accounting; nothing was entered or counted.

    Attributes:
        rule: number of the rule, for example `3.14`; see `docs/rules.md`. Empty: plainly impossible input.
        reason: what is wrong, naming the offending value.

    >>> str(RefusedError("1.4", "CN-2023-CFP is a life-cycle value"))
    'rule 1.4: CN-2023-CFP is a life-cycle value'
    """

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = rule
        self.reason = reason
        super().__init__(f"rule {rule}: {reason}" if rule else reason)
