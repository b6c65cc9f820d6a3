"""The ledger of certificates and credits in the database, and what it does to a period."""
