"""Ask a broker whether it speaks MQTT 5, with the smallest CONNECT there is.

amqtt refuses a version 5 CONNECT properly when it is bare, but waits for ever when it carries a will or a user name,
whose place it misreads. So the question is asked without them, once, on a connection of its own.
"""

import asyncio
import contextlib
import ssl

_CONNACK = 0x20
_DISCONNECT = b"\xe0\x00"


def bare_connect(client_id: str) -> bytes:
    """Return a version 5 CONNECT with clean start, 10 s keep-alive, no properties."""
    name = client_id.encode()[:100]
    content = b"\x00\x04MQTT\x05\x02\x00\x0a\x00" + len(name).to_bytes(2, "big") + name
    return bytes([0x10, len(content)]) + content


def understood(answer: bytes) -> bool | None:
    """Return whether a CONNACK is one of version 5; None where it is no CONNACK.

    Version 5 has at least flags, reason and a length of properties; 3.1.1 has flags and code, and refuses with code 1.
    """
    if len(answer) < 4 or answer[0] != _CONNACK:
        return None
    return answer[1] >= 3


async def speaks_v5(
    host: str, port: int, tls: ssl.SSLContext | None, *, client_id: str, timeout_s: float
) -> bool | None:
    """Ask; None where the broker hangs up or keeps silent.

    Raises:
        OSError: nobody is there.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    except TimeoutError:
        raise ConnectionError(f"{host}:{port} does not answer") from None
    try:
        async with asyncio.timeout(timeout_s):
            writer.write(bare_connect(client_id))
            answer = await reader.readexactly(4)
            writer.write(_DISCONNECT)
            await writer.drain()
    except (TimeoutError, asyncio.IncompleteReadError, OSError):
        return None
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await writer.wait_closed()
    return understood(answer)
