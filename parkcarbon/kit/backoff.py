"""How long to wait before trying again: exponential, bounded, jittered; pure."""

import random


class Backoff:
    """A schedule of waiting times.

    Args:
        first_s: about the first waiting time [s].
        ceiling_s: the longest [s].
        factor: growth from one to the next.
        rng: source of the jitter.

    Each time is drawn from the upper half of its step, so that many clients do not come back at once and none of them
    comes back immediately.
    """

    def __init__(
        self, *, first_s: float = 0.5, ceiling_s: float = 30.0, factor: float = 2.0, rng: random.Random
    ) -> None:
        if not 0 < first_s <= ceiling_s or factor < 1:
            raise ValueError(f"no schedule: first {first_s} s, ceiling {ceiling_s} s, factor {factor}")
        self._first_s = first_s
        self._ceiling_s = ceiling_s
        self._factor = factor
        self._rng = rng
        self._step_s = first_s

    def next_s(self) -> float:
        """Return the next waiting time [s]."""
        step_s = self._step_s
        self._step_s = min(self._ceiling_s, step_s * self._factor)
        return step_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again from the first waiting time: it worked."""
        self._step_s = self._first_s
