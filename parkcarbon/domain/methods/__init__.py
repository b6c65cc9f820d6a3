"""Method profiles: the lines they share, and the profiles beside `ghgp`; results of two profiles are never added."""
