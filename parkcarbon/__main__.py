"""`python -m parkcarbon` is the `parkcarbon` command."""

from parkcarbon.cli import main

main()
