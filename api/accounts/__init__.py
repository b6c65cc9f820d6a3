"""Routes of the books, one file a resource: factors, entries, ledger, inventory, tenants, quality, indicators, periods."""

from . import entries, explain, factors, indicators, inventory, ledger, periods, quality, tenants

ROUTERS = tuple(
    module.router for module in (factors, entries, ledger, inventory, tenants, quality, indicators, periods, explain)
)
