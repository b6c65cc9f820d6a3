"""Entry point of `parkcarbon dashboards`; the command line is in `commands`."""

import sys

if __name__ == "__main__":
    from .commands import main

    sys.exit(main())
