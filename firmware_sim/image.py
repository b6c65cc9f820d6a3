"""Profile and values to the registers of a device, and what a reader makes of them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from parkcarbon.domain.profile import DeviceProfile, PointDef, scale_fraction
from parkcarbon.domain.reading import Quality
from parkcarbon.domain.registers import decode, encode, encode_serial

from .noise import Floats

ILLEGAL_ADDRESS = 2


def counted(point: PointDef, value: Floats) -> Floats:
    """What a counting mechanism shows of a growing value: whole steps, from zero again at the modulus."""
    if point.modulus is not None:
        value = value % point.modulus
    if not point.resolution:
        return value
    return np.floor(value / point.resolution + 1e-9) * point.resolution


def shown(point: PointDef, value: Floats) -> tuple[Floats, npt.NDArray[np.int8]]:
    """What a reader decodes from the registers of values, and its quality: `decode(encode(value))` for arrays."""
    numerator, denominator = scale_fraction(point.scale)
    number = value * denominator / numerator
    rest = np.zeros_like(value)
    if point.parts:
        whole = np.floor(number)
        rest = value - whole * numerator / denominator
        number = whole
    decoded = _through(point.type, number) * numerator / denominator
    for part in point.parts:
        numerator, denominator = scale_fraction(part.scale)
        decoded = decoded + _through(part.type, rest * denominator / numerator) * numerator / denominator
        rest = np.zeros_like(rest)
    low = -np.inf if point.minimum is None else point.minimum
    high = np.inf if point.maximum is None else point.maximum
    good = (decoded >= low) & (decoded <= high)
    return decoded, np.where(good, Quality.GOOD, Quality.OUT_OF_RANGE).astype(np.int8)


def _through(kind: str, number: Floats) -> Floats:
    if kind == "f32":
        return number.astype(np.float32).astype(np.float64)
    return number if kind == "f64" else np.rint(number)


class Image:
    """The registers of one device.

    Registers between two values are there and show 0 where the profile lets a reader read across them; all others
    are an illegal address.
    """

    def __init__(self, profile: DeviceProfile, serial: str) -> None:
        self.profile = profile
        self._fixed: dict[int, dict[int, int]] = {3: {}, 4: {}}
        for function in (3, 4):
            spans = sorted((point.first, point.end) for point in profile.points if point.function == function)
            self._fixed[function] = dict.fromkeys(_addresses(spans, profile.max_gap), 0)
        if profile.serial is not None:
            self._fixed[profile.serial.function] |= encode_serial(profile.serial, serial)

    def points_in(self, function: int, address: int, count: int) -> list[PointDef]:
        """The values of which a read brings some register."""
        return [
            point
            for point in self.profile.points
            if point.function == function and point.first < address + count and point.end > address
        ]

    def read(
        self, function: int, address: int, count: int, registers_of: Callable[[PointDef], Mapping[int, int]]
    ) -> tuple[list[int], dict[str, float | None]] | None:
        """Answer a read.

        Args:
            function: function code.
            address: first wire address.
            count: registers.
            registers_of: the registers of a value as they are now.

        Returns:
            The registers and what each whole value among them decodes to; None = illegal address.
        """
        fixed = self._fixed.get(function, {})
        span = range(address, address + count)
        if not all(wanted in fixed for wanted in span):
            return None
        words = {wanted: fixed[wanted] for wanted in span}
        points = self.points_in(function, address, count)
        for point in points:
            words |= {key: word for key, word in registers_of(point).items() if key in words}
        whole = [point for point in points if point.first >= address and point.end <= address + count]
        return list(words.values()), {point.quantity: decode(point, words).value for point in whole}


def registers_of_value(point: PointDef, value: float) -> dict[int, int]:
    """The registers that show a value; one that does not fit is shown as the nearest that does."""
    try:
        return encode(point, value)
    except ValueError:
        low = 0.0 if point.minimum is None else point.minimum
        high = 0.0 if point.maximum is None else point.maximum
        return encode(point, min(max(value, low), high))


def _addresses(spans: Sequence[tuple[int, int]], gap: int) -> list[int]:
    found: list[int] = []
    for first, end in spans:
        if found and first - found[-1] - 1 <= gap:
            found.extend(range(found[-1] + 1, first))
        found.extend(range(first, end))
    return found
