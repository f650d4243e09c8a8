"""A table of any size as parts that fit into memory, each with all rows of its customers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted, require_columns
from crmkit._files import is_full, temporary_folder, with_room
from crmkit._frames.codes import sorted_codes
from crmkit._frames.duck import as_parquet_holds, duck, zones_of_files, zones_of_schema
from crmkit._frames.engines import table_columns, to_pandas
from crmkit._frames.spark import spark_facts
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Buckets", "FileBucket", "FrameBucket", "SparkParts", "buckets", "spark_parts"]

_PART = "crmkit_part"  # a column of ours beside those of the table
# What tells the last day observed: dates of a log, starts of contracts.
_DATES = ("date", "start_date")


@dataclass(frozen=True, slots=True)
class FrameBucket:
    """A part of a table in memory, or the whole of a table that fits into it."""

    frame: Any

    def open(self) -> Any:
        """Return the rows of the part."""
        return self.frame


@dataclass(frozen=True, slots=True)
class FileBucket:
    """A part of a table in Parquet files of its own, read by columns."""

    files: str

    def open(self) -> Any:
        """Return the part as a table of DuckDB."""
        return duck().read_parquet(self.files, hive_partitioning=False)


@dataclass(frozen=True, slots=True)
class Buckets:
    """The parts of a table, and the last date of all of them as a table of one row."""

    parts: Sequence[Any]
    last: pd.DataFrame | None


@dataclass(frozen=True, slots=True)
class SparkParts:
    """How many parts a table of Spark makes, and the last date of all of them."""

    n_parts: int
    last: pd.DataFrame | None


def spark_parts(table: Any, name: str, *, rows_per_part: int, raw: bool = False) -> SparkParts:
    """Check a table of Spark, in one pass by Spark; see `buckets`."""
    require_columns(table.columns, ["customer_id"], name)
    dated = _day_name(table.columns)
    facts = spark_facts(table, dated)
    n_rows, n_ids, n_largest, largest, *dates = facts.iloc[0].tolist()
    seen = {"customer_id": n_ids or 0, **({dated: dates[0]} if dated else {})}
    n_rows = _check_rows(name, n_rows or 0, seen, raw)
    if n_largest > rows_per_part:
        raise _too_large(name, "customer_id", largest, int(n_largest), rows_per_part)
    return SparkParts(_n_parts(n_rows, rows_per_part), facts[["date"]] if dates else None)


@contextmanager
def buckets(
    table: Any, name: str, *, rows_per_part: int, raw: bool = False, by_order: bool = False
) -> Iterator[Buckets]:
    """Cut a table by customer; files written for it are gone afterwards, however that ends.

    `raw` is for one of which rows may lack an id or a date; with `by_order` a table without
    customers is cut by ``order_id``.

    What is in memory is cut there. What is not (files, a database, a lazy table, a warehouse) is
    read once, by DuckDB, which holds no more of it than it may. What is cut already stays so.
    """
    if isinstance(table, Buckets):
        yield table
        return
    with temporary_folder() as folder:
        yield _cut(table, name, folder, rows_per_part, raw, by_order)


def _cut(
    table: Any, name: str, folder: Path, rows_per_part: int, raw: bool, by_order: bool
) -> Buckets:
    """Cut a table into parts in memory or in a folder, and say it where that has no room."""
    full = (
        f"`{name}` is cut into parts in {str(folder.parent)!r}, and that disk is full. Set "
        "TMPDIR to a folder with room for the table as Parquet."
    )
    with with_room(full):
        source, zones = _out_of_memory(table, name, folder)
        if source is None:
            return _in_memory(table, name, rows_per_part, raw=raw, by_order=by_order)
        types = zip(source.columns, source.types, strict=True)
        plain = ", ".join(as_parquet_holds(one, kind, zones.get(one)) for one, kind in types)
        return _on_disk(source.project(plain), name, folder / "parts", rows_per_part, raw, by_order)


def _in_memory(table: Any, name: str, rows_per_part: int, *, raw: bool, by_order: bool) -> Buckets:
    """Cut a table that is in memory."""
    key = _key(table_columns(table, name), by_order)
    frame = to_pandas(table, name, needs=[key], leave=_DATES)
    if frame.empty:
        raise InputError(f"`{name}` has no rows.")
    n_parts = _n_parts(len(frame), rows_per_part)
    if n_parts == 1:
        return Buckets([FrameBucket(frame)], None)
    code, ids = sorted_codes(frame[key])
    if not raw:
        _check_missing(name, {key: int(np.count_nonzero(code < 0))}, len(frame))
    rows = np.bincount(code[code >= 0], minlength=1)
    if rows.max() > rows_per_part:
        largest = ids.take([int(rows.argmax())]).tolist()[0]
        raise _too_large(name, key, largest, int(rows.max()), rows_per_part)
    # Neighbours in the order of the ids stay together, so that parts follow one another.
    part = (np.maximum(np.cumsum(rows) - 1, 0) * n_parts // len(frame))[code]
    order = np.argsort(part.astype(np.min_scalar_type(n_parts)), kind="stable")
    cuts = np.cumsum(np.bincount(part, minlength=n_parts))[:-1]
    parts = [FrameBucket(frame.iloc[piece]) for piece in np.split(order, cuts) if piece.size]
    dated = _day_name(frame.columns)
    known = dated is not None and not frame[dated].isna().all()
    last = pd.DataFrame({"date": [frame[dated].max()]}) if known else None
    return Buckets(parts, last)


def _on_disk(
    source: Any, name: str, folder: Path, rows_per_part: int, raw: bool, by_order: bool
) -> Buckets:
    """Cut a table of DuckDB into files, in one pass."""
    import duckdb

    key = _key(source.columns, by_order)
    require_columns(source.columns, [key], name)
    dated = _day_name(source.columns)
    asked = f"count(*), count({key})" + (f", count({dated}), max({dated})" if dated else "")
    try:
        facts = source.aggregate(asked).df().iloc[0]
        seen = {key: facts.iloc[1], **({dated: facts.iloc[2]} if dated else {})}
        n_rows = _check_rows(name, facts.iloc[0], seen, raw)
        n_parts = _n_parts(n_rows, rows_per_part)
        if n_parts == 1:
            return Buckets([FrameBucket(source)], None)
        source.project(f"*, hash({key}) % {n_parts} AS {_PART}").write_parquet(
            str(folder), partition_by=[_PART]
        )
        parts = [FileBucket(f"{part}/*.parquet") for part in sorted(folder.iterdir())]
        for part in parts:
            _check_largest(part, name, key, rows_per_part)
    except duckdb.Error as error:
        if is_full(error):
            raise
        raise InputError(f"`{name}` cannot be read by DuckDB: {str(error)[:300]}") from None
    known = dated is not None and facts.iloc[2] > 0
    last = facts.iloc[3:].to_frame().T.infer_objects().set_axis(["date"], axis=1) if known else None
    return Buckets(parts, last)


def _check_largest(part: FileBucket, name: str, key: str, rows_per_part: int) -> None:
    """Refuse a customer who alone is more than a part may hold."""
    rows = part.open().filter(f"{key} IS NOT NULL")
    if rows.aggregate("count(*)").fetchall()[0][0] > rows_per_part:
        counted = rows.aggregate(f"{key}, count(*) AS n", key).order("n DESC")
        largest, n = counted.limit(1).fetchall()[0]
        if n > rows_per_part:
            raise _too_large(name, key, largest, n, rows_per_part)


def _key(columns: Iterable[str], by_order: bool) -> str:
    """Return the column by which a table is cut."""
    found = set(columns)
    orders = by_order and "customer_id" not in found and "order_id" in found
    return "order_id" if orders else "customer_id"


def _day_name(columns: Iterable[str]) -> str | None:
    """Return the column that tells the last day observed, or None."""
    return next((column for column in _DATES if column in set(columns)), None)


def _n_parts(n_rows: int, rows_per_part: int) -> int:
    return -(-n_rows // rows_per_part)


def _check_rows(name: str, n_rows: Any, seen: dict[str, Any], raw: bool) -> int:
    """Return how many rows there are, if each has an id and, where there are dates, a date."""
    if not n_rows:
        raise InputError(f"`{name}` has no rows.")
    if not raw:
        _check_missing(name, {column: int(n_rows - n) for column, n in seen.items()}, int(n_rows))
    return int(n_rows)


def _check_missing(name: str, missing: dict[str, int], n_rows: int) -> None:
    """Refuse what every part would refuse, once for all of them."""
    found = [f"column {column!r} is missing in {n:,}" for column, n in missing.items() if n]
    if found:
        raise InputError(
            f"`{name}`: {' and '.join(found)} of {n_rows:,} rows. Fill these rows, or leave them "
            "out."
        )


def _too_large(name: str, key: str, value: Any, n: int, rows_per_part: int) -> InputError:
    kind = key.removesuffix("_id")
    return InputError(
        f"`{name}`: {kind} {quoted(value)} has {n:,} rows, more than the {rows_per_part:,} "
        f"of a part. Leave the {kind} out if it stands for many (guests, a till), or raise "
        "`rows_per_part`."
    )


def _out_of_memory(table: Any, name: str, folder: Path) -> tuple[Any, dict[str, str]]:
    """Return a table that is not in memory as one of DuckDB, or None, and its zones of time."""
    kind = type(table).__module__.partition(".")[0]
    lazy = kind == "polars" and type(table).__name__ == "LazyFrame"
    dataset = kind == "pyarrow" and hasattr(table, "scanner")
    if not (
        isinstance(table, (str, Path)) or kind in ("duckdb", "_duckdb", "ibis") or lazy or dataset
    ):
        return None, {}
    try:
        base = duck()
    except ImportError:
        raise InputError(
            f'Cutting `{name}` into parts needs duckdb: python -m pip install "crmkit[duckdb]".'
        ) from None
    if isinstance(table, (str, Path)):
        return _files(str(table), name)
    if kind in ("duckdb", "_duckdb"):
        return table, {}
    if kind == "ibis" and table.get_backend().name == "duckdb":
        return table.get_backend().con.sql(table.compile()), {}
    if dataset:
        return base.from_arrow(table), zones_of_schema(table.schema)
    whole = folder / "whole.parquet"
    if lazy:
        table.sink_parquet(whole)
        return base.read_parquet(str(whole)), zones_of_files(base, str(whole))
    batches = table.to_pyarrow_batches()
    base.from_arrow(batches).write_parquet(str(whole))
    return base.read_parquet(str(whole)), zones_of_schema(batches.schema)


def _files(path: str, name: str) -> tuple[Any, dict[str, str]]:
    """Return files of Parquet or CSV, a file, a folder or a pattern, as `_out_of_memory` does."""
    import duckdb

    pattern = f"{path.rstrip('/')}/**/*.parquet" if Path(path).is_dir() else path
    base = duck()
    try:
        if pattern.endswith((".parquet", ".pq")):
            found = base.read_parquet(pattern, union_by_name=True)
            _check_alike(base, pattern, name)
            return found, zones_of_files(base, pattern)
        if pattern.endswith((".csv", ".csv.gz")):
            return base.read_csv(pattern), {}
    except duckdb.Error as error:
        raise InputError(f"`{name}`: {path!r} cannot be read: {str(error)[:300]}") from None
    raise InputError(
        f"`{name}` must be a table, or Parquet or CSV: a file, a folder of Parquet files or a "
        f"pattern such as 'log/*.parquet'; got {path!r}."
    )


def _check_alike(base: Any, pattern: str, name: str) -> None:
    """Refuse files of which some hold ids as text and some as numbers: DuckDB would guess."""
    told = base.execute(
        "SELECT name, min(file_name) FILTER (type = 'BYTE_ARRAY'), "
        "min(file_name) FILTER (type <> 'BYTE_ARRAY') FROM parquet_schema(?) "
        "WHERE name IN ('customer_id', 'order_id', 'product') GROUP BY name",
        [pattern],
    ).fetchall()
    for column, as_text, other in told:
        if as_text and other:
            raise InputError(
                f"`{name}`: column {column!r} is text in {as_text!r} and none in "
                f"{other!r}. Write it as one of the two in all files."
            )
