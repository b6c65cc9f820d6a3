"""Routes of alarms."""

from . import acts, reads, rules

ROUTERS = (reads.router, rules.router, acts.router, reads.one)  # the last takes whatever stands after `/alarms/`
