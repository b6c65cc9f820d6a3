"""`parkcarbon alarm report`: how the alarms of a time behaved."""

import argparse
import datetime as dt

from parkcarbon.alarm.listing import report_of

from .common import add_park, line, moment, now, open_reading, park_of, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--from", dest="start", type=moment, help="begin (default: 30 days before the end)")
    parser.add_argument("--to", dest="stop", type=moment, help="end, exclusive (default: now)")


async def run(options: argparse.Namespace) -> int:
    """Tell it."""
    end = options.stop or now()
    begin = options.start or end - dt.timedelta(days=30)
    async with open_reading() as session:
        model = await park_of(session, options.park)
        found = await report_of(session, model, begin, end, now=now())
    if options.json:
        say_json(found)
        return 0
    mean = found["acknowledge_mean_s"]
    mix = ", ".join(f"{count} {name}" for name, count in found["by_priority"].items())
    say(f"{found['alarms']} alarms ({mix}), {found['per_10_min']:.2f} in 10 min; about 1 is acceptable for one person")
    after = "–" if mean is None else f"{mean / 60:.1f} min"
    say(f"acknowledged after {after} on average, {found['never_acknowledged']} never")
    say(f"{len(found['floods'])} floods (more than 10 in 10 min), {found['flood_share']:.1%} of the time")
    for item in found["top"]:
        say(f"  {item['alarms']} ({item['share']:.0%}) {item['rule']}: {item['subject_name']['en']}")
    for item in found["chattering"]:
        say(f"chatters: {item['rule']}: {item['subject_name']['en']}, {item['times']} alarms within minutes")
    for alarm in found["standing"]:
        say(f"stands for more than a day: {line(alarm, model)}")
    return 0
