"""PostgreSQL's binary COPY format built from and read into numpy columns, without a Python loop over rows.

Times are int64 ms since 1970-01-01 UTC on our side and `timestamptz` (µs since 2000-01-01) on the wire.

References:
    PostgreSQL manual, COPY, section "Binary Format".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
PgType = Literal["int2", "int4", "int8", "float4", "float8", "bool", "timestamptz", "date"]

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_TRAILER = b"\xff\xff"
_EPOCH_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
_EPOCH_DAYS = 10_957
_WIRE: dict[PgType, str] = {
    "int2": ">i2",
    "int4": ">i4",
    "int8": ">i8",
    "float4": ">f4",
    "float8": ">f8",
    "bool": "u1",
    "timestamptz": ">i8",
    "date": ">i4",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of rows to be copied.

    Attributes:
        name: column of the table.
        type: PostgreSQL type; `timestamptz` takes int64 ms since 1970 UTC, `date` days since 1970.
        values: one value a row.
        null: True where the row's value is NULL; None: no row is.
    """

    name: str
    type: PgType
    values: Array
    null: npt.NDArray[np.bool_] | None = None


def pack(columns: Sequence[Column]) -> bytes:
    """Return the complete binary COPY stream of these columns."""
    rows = len(columns[0].values)
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for at, column in enumerate(columns):
        layout += [(f"size{at}", ">i4"), (f"value{at}", _WIRE[column.type])]
    table = np.empty(rows, dtype=np.dtype(layout))
    table["fields"] = len(columns)
    any_null = False
    for at, column in enumerate(columns):
        size = np.dtype(_WIRE[column.type]).itemsize
        table[f"size{at}"] = size
        table[f"value{at}"] = _to_wire(column)
        if column.null is not None and column.null.any():
            any_null = True
            table[f"size{at}"][column.null] = -1
    body = _without_nulls(table, columns) if any_null else table.tobytes()
    return b"".join((_SIGNATURE, body, _TRAILER))


def _to_wire(column: Column) -> Array:
    values = column.values
    if column.type == "timestamptz":
        return (values.astype(np.int64) - _EPOCH_MS) * 1000
    if column.type == "date":
        return values - _EPOCH_DAYS
    return values


def _without_nulls(table: Array, columns: Sequence[Column]) -> bytes:
    """Drop the value bytes of NULL fields: a field of size -1 carries none."""
    dtype = table.dtype
    fields: Mapping[str, Any] = dtype.fields or {}
    raw = table.view(np.uint8).reshape(len(table), dtype.itemsize)
    keep = np.ones(raw.shape, dtype=bool)
    for at, column in enumerate(columns):
        if column.null is None:
            continue
        kind, offset = fields[f"value{at}"][:2]
        keep[column.null, offset : offset + kind.itemsize] = False
    return raw[keep].tobytes()


def unpack(stream: bytes, types: Mapping[str, PgType]) -> dict[str, Array]:
    """Read a binary COPY stream whose fields are never NULL into one array a column.

    Args:
        stream: everything the server sent.
        types: names and types of the columns in their order.

    Raises:
        ValueError: a field is NULL or has another size than its type.
    """
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in types.items():
        layout += [(f"size {name}", ">i4"), (name, _WIRE[kind])]
    dtype = np.dtype(layout)
    body = len(stream) - len(_SIGNATURE) - len(_TRAILER)
    rows, rest = divmod(body, dtype.itemsize)
    if rest:
        raise ValueError(f"binary COPY of {body} bytes does not divide into rows of {dtype.itemsize}: NULLs?")
    table = np.frombuffer(stream, dtype=dtype, count=rows, offset=len(_SIGNATURE))
    result: dict[str, Array] = {}
    for name, kind in types.items():
        if rows and (table[f"size {name}"] != np.dtype(_WIRE[kind]).itemsize).any():
            raise ValueError(f"column {name} has NULLs or is not of type {kind}")
        result[name] = _from_wire(table[name], kind)
    return result


def _from_wire(values: Array, kind: PgType) -> Array:
    if kind == "timestamptz":
        return values.astype(np.int64) // 1000 + _EPOCH_MS
    if kind == "date":
        return values.astype(np.int64) + _EPOCH_DAYS
    if kind == "bool":
        return values.astype(bool)
    return values.astype(values.dtype.newbyteorder("="))
