"""What can go wrong at the edge, split first by whether trying again can help.

```
EdgeError
├── ConfigError            the configuration file cannot be used; a person must change it
├── BackfillError          the file of kept readings cannot be used; a person must look at it
└── ReadError              one read of registers failed
    ├── LinkDownError      no connection to the device, the gateway or the serial port
    ├── LostError          the connection ended during the request
    ├── NoAnswerError      nothing came back in time
    ├── MalformedError     something came back, but no answer to this request
    └── RefusalError       the device answered with a Modbus exception code
```
"""

EXCEPTION_NAMES: dict[int, str] = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
"""Modbus Application Protocol 1.1b3, section 7."""


class EdgeError(Exception):
    """Base of everything the edge raises on purpose."""


class ConfigError(EdgeError):
    """The configuration cannot be used; the text names file, place and value."""


class BackfillError(EdgeError):
    """A file of kept readings cannot be used; the text names file and place."""


class ReadError(EdgeError):
    """One read of registers failed."""


class LinkDownError(ReadError):
    """There is no connection and none could be opened."""


class LostError(ReadError):
    """The connection ended during the request."""


class NoAnswerError(ReadError):
    """Nothing came back in time."""


class MalformedError(ReadError):
    """Bytes came back that are no answer to this request."""


class RefusalError(ReadError):
    """The device answered with an exception code.

    Attributes:
        code: Modbus exception code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code:02d} {EXCEPTION_NAMES.get(code, 'unknown')}")
        self.code = code
