"""Routes of statements."""

from . import acts, reads

ROUTERS = (reads.router, acts.router)
