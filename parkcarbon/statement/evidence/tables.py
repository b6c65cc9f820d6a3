"""The Parquet members of a pack: leaves, batches, readings."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from parkcarbon.domain.readings import BoolArray, FloatArray, Int64Array
from parkcarbon.statement.log.leaf import Leaf

_MICRO: Final = pa.timestamp("us", "UTC")
_MILLI: Final = pa.timestamp("ms", "UTC")
LEAVES: Final = pa.schema(
    [
        ("position", pa.int64()),
        ("at", _MICRO),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("source", pa.dictionary(pa.int32(), pa.string())),
        ("boot", pa.dictionary(pa.int32(), pa.string())),
        ("seq", pa.int64()),
        ("digest", pa.binary()),
        ("t_min", _MICRO),
        ("t_max", _MICRO),
    ]
)
BATCHES: Final = pa.schema(
    [
        ("source", pa.string()),
        ("boot", pa.string()),
        ("seq", pa.int64()),
        ("kind", pa.string()),
        ("at", _MICRO),
        ("made", _MILLI),
        ("digest", pa.binary()),
        ("frame_zstd", pa.binary()),
    ]
)
READINGS: Final = pa.schema(
    [
        ("point", pa.dictionary(pa.int32(), pa.string())),
        ("time", _MILLI),
        ("value", pa.float64()),
        ("quality", pa.int8()),
        ("span_ms", pa.int32()),
        ("batch", pa.int32()),
        ("correction", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class ReadingRows:
    """Readings as parallel arrays, by point and time; of a delta that came again also what came later.

    Attributes:
        names: of the points.
        point: index into `names`.
        time_ms: [ms UTC].
        value: NaN where the device gave none.
        quality: codes.
        span_ms: of a delta [ms].
        batch: row of `batches.parquet`.
        correction: True for a value that a later batch gave for a delta.
    """

    names: tuple[str, ...]
    point: NDArray[np.int32]
    time_ms: Int64Array
    value: FloatArray
    quality: NDArray[np.int8]
    span_ms: NDArray[np.int32]
    batch: NDArray[np.int32]
    correction: BoolArray

    def __len__(self) -> int:
        return len(self.time_ms)


class TableWriter:
    """Writes a Parquet file in parts."""

    def __init__(self, schema: Any, target: Any) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(target, schema, compression="zstd", version="2.6")
        self.rows = 0

    def add(self, columns: Sequence[Any]) -> None:
        """Append a row group; arrays in the order of the schema."""
        arrays = [
            column if isinstance(column, pa.Array) else pa.array(column, type=field.type)
            for field, column in zip(self._schema, columns, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def reading_columns(rows: ReadingRows) -> list[Any]:
    """Readings in the order of `READINGS`."""
    return [
        pa.DictionaryArray.from_arrays(pa.array(rows.point, pa.int32()), pa.array(rows.names, pa.string())),
        pa.array(rows.time_ms, pa.int64()).cast(_MILLI),
        rows.value,
        rows.quality,
        rows.span_ms,
        rows.batch,
        rows.correction,
    ]


def leaf_columns(leaves: Sequence[Leaf], first: int) -> list[Any]:
    """Leaves in the order of `LEAVES`."""
    return [
        np.arange(first, first + len(leaves)),
        [leaf.at for leaf in leaves],
        pa.array([leaf.kind for leaf in leaves]).dictionary_encode().cast(LEAVES.field("kind").type),
        pa.array([leaf.source for leaf in leaves]).dictionary_encode(),
        pa.array([leaf.boot for leaf in leaves]).dictionary_encode(),
        [leaf.seq for leaf in leaves],
        [leaf.digest for leaf in leaves],
        [leaf.t_min for leaf in leaves],
        [leaf.t_max for leaf in leaves],
    ]


def read_leaves(data: bytes, park: str) -> list[Leaf]:
    """Leaves as they stand in a pack.

    Raises:
        ValueError: the member is none of this form, or positions have gaps.
    """
    table = _read(data, LEAVES)
    positions = table.column("position").to_numpy()
    if not np.array_equal(positions, np.arange(len(positions))):
        at = int(np.flatnonzero(positions != np.arange(len(positions)))[0])
        raise ValueError(f"leaf {at} stands at position {int(positions[at])}")
    columns = {name: table.column(name).to_pylist() for name in LEAVES.names}
    kinds, times = columns["kind"], columns["at"]
    return [
        Leaf(park, at, kind, source, boot, seq, digest, low, high)
        for at, kind, source, boot, seq, digest, low, high in zip(
            times,
            kinds,
            *(columns[name] for name in ("source", "boot", "seq", "digest", "t_min", "t_max")),
            strict=True,
        )
    ]


def read_batches(data: bytes) -> Any:
    """Batches as a table."""
    return _read(data, BATCHES)


def read_readings(data: bytes) -> ReadingRows:
    """Readings as they stand in a pack.

    Raises:
        ValueError: the member is none of this form.
    """
    names = _column(data, "point").unify_dictionaries()
    encoded = names.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of no rows
        encoded = pa.array([], READINGS.field("point").type)
    return ReadingRows(
        tuple(encoded.dictionary.to_pylist()),
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32),
        _column(data, "time").cast(pa.int64()).to_numpy(),
        *(_column(data, name).to_numpy() for name in ("value", "quality", "span_ms", "batch", "correction")),
    )


def _column(data: bytes, name: str) -> Any:
    """One column at a time: a table of all of them would be there twice."""
    found = _read(data, pa.schema([READINGS.field(name)]), columns=[name]).column(name)
    pa.default_memory_pool().release_unused()
    return found


def _read(data: bytes, schema: Any, columns: list[str] | None = None) -> Any:
    try:
        table = pq.read_table(io.BytesIO(data), columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from None
    if table.schema.names != schema.names:
        raise ValueError(f"columns are {table.schema.names}, not {schema.names}")
    return table.cast(schema)
