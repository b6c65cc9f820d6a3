"""Reading what kinds look at from the database; the kinds themselves are pure."""
