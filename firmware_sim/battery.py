"""A battery on a daily schedule: charge when energy is cheap, discharge when it is dear."""

from collections.abc import Sequence

import numpy as np

from .load import Shift, shape_of_day
from .localtime import LocalTime
from .noise import Floats

_RAMP_MIN = 6


def battery_power_kw(
    local: LocalTime, *, charge: Sequence[Shift], discharge: Sequence[Shift], charge_kw: float, round_trip: float
) -> Floats:
    """Power at the battery's meter [kW], positive when it charges.

    The discharge power follows from the energy charged on the day and the round-trip efficiency, so that each
    local day ends as it began.

    Args:
        local: local times.
        charge: charging windows; a level is a share of `charge_kw`.
        discharge: discharging windows; the levels share out the energy.
        charge_kw: power at level 1 [kW].
        round_trip: energy out over energy in.
    """
    inward, outward = shape_of_day(charge, ramp_min=_RAMP_MIN), shape_of_day(discharge, ramp_min=_RAMP_MIN)
    discharge_kw = charge_kw * round_trip * float(np.sum(inward)) / float(np.sum(outward))
    power: Floats = (charge_kw * inward - discharge_kw * outward)[local.minute]
    return power
