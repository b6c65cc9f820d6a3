"""When to connect again and with which protocol: a state machine without a clock and without a socket."""

from enum import IntEnum

from .backoff import Backoff


class Protocol(IntEnum):
    """Levels as MQTT numbers them."""

    V311 = 4
    V5 = 5


class Reconnect:
    """Decides about the next attempt from what became of the last.

    The newest protocol is tried first. A broker that says it does not speak it is asked with the older one at once;
    one that merely hangs up is asked with the other one after the usual wait. What worked last is tried first the next
    time.

    Args:
        backoff: waiting times.
        stable_s: a connection that lived this long was a good one: the waiting times begin anew [s].
    """

    def __init__(self, backoff: Backoff, *, stable_s: float = 5.0) -> None:
        self._backoff = backoff
        self._stable_s = stable_s
        self._since_s = 0.0
        self.protocol = Protocol.V5

    def learn(self, *, v5: bool | None) -> None:
        """It was found out whether the broker speaks version 5; None: it would not say."""
        if v5 is not None:
            self.protocol = Protocol.V5 if v5 else Protocol.V311

    def connected(self, now_s: float) -> None:
        """The broker accepted us."""
        self._since_s = now_s

    def failed(self) -> float:
        """No connection came about; return how long to wait [s]."""
        return self._backoff.next_s()

    def hung_up(self) -> float:
        """The broker closed the connection instead of answering; return how long to wait [s]."""
        self.protocol = Protocol.V311 if self.protocol is Protocol.V5 else Protocol.V5
        return self._backoff.next_s()

    def unsupported(self) -> float:
        """The broker does not speak the protocol; return how long to wait [s]."""
        if self.protocol is Protocol.V311:
            return self._backoff.next_s()
        self.protocol = Protocol.V311
        return 0.0

    def lost(self, now_s: float) -> float:
        """A connection ended; return how long to wait [s]."""
        if now_s - self._since_s >= self._stable_s:
            self._backoff.reset()
        return self._backoff.next_s()
