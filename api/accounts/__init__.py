"""Routes of the books, one file a resource."""

from . import entries, explain, factors, indicators, inventory, ledger, periods, quality, substitutions, tenants

_MODULES = (
    factors, entries, ledger, inventory, tenants, quality, substitutions, indicators, periods, explain,
)  # fmt: skip
ROUTERS = tuple(module.router for module in _MODULES)
