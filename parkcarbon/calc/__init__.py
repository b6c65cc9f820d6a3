"""The trial calculator: the same arithmetic on a file of activity lines, without a database."""
