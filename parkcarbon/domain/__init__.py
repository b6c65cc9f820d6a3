"""Pure calculation: plain data in, plain data out; no clock, no I/O."""
