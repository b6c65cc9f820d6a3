"""RFC 3161 time stamps over HTTP, for signatures."""

import httpx
from asn1crypto import tsp  # type: ignore[import-untyped]  # it has no stubs
from pyhanko.sign.timestamps import TimeStamper

TIMEOUT_S = 20.0


class TimeStampError(OSError):
    """The authority gave no time stamp; the message names it and the reason."""


class HttpTimeStamper(TimeStamper):
    """Asks an authority by POST.

    Args:
        url: of the authority.
        timeout_s: longest wait [s].
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko's
        self.url = url
        self._timeout_s = timeout_s

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send the request and return the answer.

        Raises:
            TimeStampError: no answer in time, or none of the kind.
        """
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            async with httpx.AsyncClient(timeout=self._timeout_s, trust_env=False) as client:
                answer = await client.post(self.url, content=req.dump(), headers=headers)
        except httpx.HTTPError as error:
            raise TimeStampError(f"{self.url}: no time stamp: {str(error) or type(error).__name__}") from error
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status_code != 200 or kind != "application/timestamp-reply":
            raise TimeStampError(f"{self.url}: no time stamp: status {answer.status_code}, {kind or 'no type'}")
        return tsp.TimeStampResp.load(answer.content)
