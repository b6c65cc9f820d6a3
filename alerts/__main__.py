"""Entry point of the alerts process; the command line is in `commands`.

Signals first: everything else is imported after a stop is a clean end.
"""

import sys

from parkcarbon.kit.early import end_cleanly

if __name__ == "__main__":
    end_cleanly(sys.argv)
    from .commands import main

    sys.exit(main())
