"""Tenants: the park total allocated by a rule; each legal entity's own scopes with what is eliminated between them."""
