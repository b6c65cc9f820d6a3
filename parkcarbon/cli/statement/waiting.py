"""`parkcarbon statement tasks`: what the scheduler still has to do, and mail that waits."""

import argparse

from parkcarbon.statement.lifecycle import tasks

from .common import add_park, now, open_reading, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--done", action="store_true", help="what was done too")


async def run(options: argparse.Namespace) -> int:
    """List it, with the error of the last attempt; exit code 1 where one failed."""
    async with open_reading() as session:
        found = await tasks.listed(session, options.park, done=options.done)
        mails = await tasks.mails(session, options.park, sent=options.done)
        await tasks.settings_of(session, options.park)
        plans = await tasks.parks(session, options.park)
    warnings = [told for plan in plans for told in tasks.warnings_of(plan, now().astimezone(plan.zone).date())]
    failing = any(item["error"] for item in (*found, *mails))
    if options.json:
        say_json({"tasks": found, "mails": mails, "warnings": warnings})
        return 1 if failing else 0
    for task in found:
        told = task["outcome"] if task["done_at"] else task["error"] or "waits"
        tried = f", tried {task['attempts']} times, again at {task['next_at']}" if task["error"] else ""
        say(f"{task['period']} {task['action']}, due on {task['due_on']}: {told}{tried}")
    for mail in mails:
        told = f"sent {mail['sent_at']}" if mail["sent_at"] else mail["error"] or "waits"
        say(f"mail to {mail['recipient']}: {mail['subject']}: {told}")
    for told in warnings:
        say(f"! {told}")
    return 1 if failing else 0
