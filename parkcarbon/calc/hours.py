"""The hourly matched share of a file."""

import datetime as dt

import numpy as np

from parkcarbon.domain.indicators.matching import HOUR_MS, match_hours
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Json

from .convert import micro
from .loader import CalcError, Source
from .schema import Hourly

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def hourly_matching(source: Source, hourly: Hourly) -> Json:
    """Match load and clean supply by the hour.

    Raises:
        CalcError: columns of different length, negative energy, a start that is no whole hour.
    """
    first = (hourly.start - _EPOCH) // dt.timedelta(milliseconds=1)
    load, load_known = _column(hourly.load_kwh)
    clean, clean_known = _column(hourly.clean_kwh)
    start: Int64Array = first + HOUR_MS * np.arange(len(load), dtype=np.int64)
    if len(load) != len(clean):
        message = f"{len(load)} hours of load and {len(clean)} of clean supply do not match"
        raise CalcError(source.file, [source.problem("hourly", message, "3.18")])
    try:
        matching = match_hours(start, load, clean, load_known & clean_known)
    except RefusedError as error:
        raise CalcError(source.file, [source.problem("hourly", error)]) from error
    return {**matching.document(), "working": matching.figure().document()}


def _column(values: tuple[float | None, ...]) -> tuple[Int64Array, BoolArray]:
    known: BoolArray = np.array([value is not None for value in values], dtype=np.bool_)
    amounts: Int64Array = np.array([0 if value is None else micro(value) for value in values], dtype=np.int64)
    return amounts, known
