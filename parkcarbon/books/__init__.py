"""The books: facts read from and entered into the database, and what follows from them as known on a date.

Used by the API, the command line and whatever freezes results, so that all of them say the same to the last digit.
Functions take a database session and `now`; the arithmetic is in `parkcarbon.domain`.
"""
