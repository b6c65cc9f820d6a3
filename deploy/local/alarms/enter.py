"""Put the demonstration's alarm rules in force once, through the same functions as the API and the command line."""

from pathlib import Path
from typing import Final

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.rules.check import compile_rules
from parkcarbon.alarm.rules.load import load_rules
from parkcarbon.alarm.rules.store import apply_rules, rules_of
from parkcarbon.kit.db import Database
from parkcarbon.live.load import load_park

_FOLDER: Final = Path(__file__).parent


async def enter_rules(database: Database, park: str, now_ms: int, *, author: str, reason: str) -> int:
    """Apply a park's document; one that has rules already keeps them.

    Args:
        database: where to.
        park: id; the document is called like it.
        now_ms: time of now [ms UTC].
        author: who answers for them.
        reason: why.

    Returns:
        How many rules were put in force.
    """
    path = _FOLDER / f"{park}.yaml"
    if not path.exists():
        return 0
    document = load_rules(path.read_bytes())
    async with database.transaction() as session:
        model = await load_park(session, park, now_ms)
        if model is None or (await rules_of(session, park)).revision:
            return 0
        compile_rules(document, model, KINDS)
        await apply_rules(session, document, author, reason)
    return len(document.rules)
