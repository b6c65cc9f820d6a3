"""Does a process answer? `python -m deploy.healthy http://127.0.0.1:8080/readyz` ends with 0 where it says 200."""

import sys
import urllib.error
import urllib.request

SECONDS = 4


def main() -> int:
    """Ask once."""
    request = urllib.request.Request(sys.argv[1])  # noqa: S310 - an address of the compose file
    open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    try:
        with open_directly(request, timeout=SECONDS) as answer:
            return int(answer.status != 200)
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
