"""The one door to other people's HTTP servers: a document by GET, with limits, or an error that says why not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

LIMIT_BYTES = 32 * 2**20
TIMEOUT_S = 30.0


class FetchError(OSError):
    """A document could not be had; the message names the address and the reason."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server sent.

    Attributes:
        url: where it was asked for.
        body: its bytes, unpacked.
        content_type: as the server says, without parameters.
    """

    url: str
    body: bytes
    content_type: str


async def fetch(url: str, *, timeout_s: float = TIMEOUT_S, limit_bytes: int = LIMIT_BYTES) -> Fetched:
    """Get a document.

    Args:
        url: `http://…` or `https://…`; the server may not redirect: what is on record is where it came from.
        timeout_s: longest time to connect, and between two pieces of the answer [s].
        limit_bytes: most that is taken.

    Raises:
        FetchError: no such scheme, no answer in time, any status but 200, or more than `limit_bytes`.
    """
    import httpx  # only where something is fetched: a service starts without it

    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchError(f"{url}: only http and https addresses can be read")
    try:
        async with (
            httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"Accept": "text/csv, application/json;q=0.9, */*;q=0.1"}) as answer,
        ):
            if answer.status_code != 200:
                raise FetchError(f"{url}: the server answered {_status(answer)}")
            pieces, size = [], 0
            async for piece in answer.aiter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > limit_bytes:
                    raise FetchError(f"{url}: more than {limit_bytes} bytes")
            content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Fetched(url, b"".join(pieces), content_type)
    except httpx.TimeoutException as error:
        raise FetchError(f"{url}: no answer within {timeout_s:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchError(f"{url}: {str(error) or type(error).__name__}") from error


def _status(answer: "httpx.Response") -> str:
    where = answer.headers.get("location")
    return f"{answer.status_code}, moved to {where}: give that address" if where else str(answer.status_code)
