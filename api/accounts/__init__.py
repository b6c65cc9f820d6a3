"""Routes of the books, one file a resource."""

from . import entries, explain, factors, indicators, inventory, ledger, periods, quality, tenants

ROUTERS = tuple(
    module.router for module in (factors, entries, ledger, inventory, tenants, quality, indicators, periods, explain)
)
