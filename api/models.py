"""Park models in memory: loaded once, forgotten when the database says that something changed."""

import asyncio

from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.clock import Clock
from parkcarbon.live.model import ParkModel

from .store import Store

_KEEP_MS = INTERVAL_MS
"""A dated episode that takes effect by itself is seen after at most this long [ms]."""


class Models:
    """The models of all parks.

    Args:
        store: where they come from.
        clock: time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[int, ParkModel]] = {}
        self._lock = asyncio.Lock()
        self._epoch = 0

    async def get(self, park: str) -> ParkModel | None:
        """Return the model of a park, or None when there is no such park.

        Raises:
            DatabaseError: it could not be loaded.
        """
        found = self._fresh(park)
        if found is not None:
            return found
        async with self._lock:
            found = self._fresh(park)
            if found is not None:
                return found
            while True:
                epoch, now_ms = self._epoch, self._clock.now_ms()
                model = await self._store.model(park, now_ms)
                if epoch == self._epoch:
                    break
            if model is not None:
                self._known[park] = (now_ms, model)
            return model

    def _fresh(self, park: str) -> ParkModel | None:
        made_ms, model = self._known.get(park, (0, None))
        return model if model is not None and 0 <= self._clock.now_ms() - made_ms < _KEEP_MS else None

    def forget(self, park: str) -> None:
        """Load a park again when it is next asked for; an empty name means every park."""
        self._epoch += 1
        if park == "":
            self._known.clear()
        else:
            self._known.pop(park, None)
