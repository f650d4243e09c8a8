"""A table of Spark, worked on by its own workers, each on some of the customers."""

from __future__ import annotations

import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._version import __version__
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["check_workers", "from_workers", "in_workers", "is_spark", "spark_facts"]

_ROWS_FOR_TYPES = 10_000  # from which the types of a result's columns are learned


def is_spark(table: Any) -> bool:
    """Tell whether a table lives in Spark, classic or Connect."""
    return type(table).__module__.startswith("pyspark.")


def spark_facts(table: Any, date: str | None) -> pd.DataFrame:
    """Return in one row: rows, ids, rows of the largest customer, who that is, dates, the last."""
    from pyspark.sql import functions as f

    one = [f.count(f.lit(1)).alias("n")]
    all_of_them = [f.sum("n"), f.sum(f.when(f.col("customer_id").isNotNull(), f.col("n")))]
    all_of_them += [f.max("n"), f.max_by("customer_id", "n")]
    if date is not None:
        one += [f.count(date).alias("dates"), f.max(date).alias("last")]
        all_of_them += [f.sum("dates"), f.max("last").alias("date")]
    facts: pd.DataFrame = table.groupBy("customer_id").agg(*one).agg(*all_of_them).toPandas()
    return facts


def check_workers(table: Any) -> None:
    """Say it where Spark's workers lack crmkit, or have another version of it."""
    some = table.sparkSession.range(1).mapInPandas(_version, "version string")
    try:
        (version,) = some.toPandas()["version"]
    except Exception as error:
        if "No module named 'crmkit'" not in str(error):
            raise
        version = "no crmkit"
    if version != __version__:
        raise InputError(
            f"Spark's workers have {version}, and here is {__version__}. Install crmkit "
            f"{__version__} on every worker, or pass it with addArtifact or --py-files."
        )


def _version(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for _ in batches:
        yield pd.DataFrame({"version": [__version__]})


def in_workers(
    function: Callable[..., pd.DataFrame], table: Any, options: dict[str, Any], n_parts: int
) -> Any:
    """Return what a function gives for each part, as a table that Spark has not worked out yet."""
    try:
        result = function(table.limit(_ROWS_FOR_TYPES).toPandas(), **options)
    except EmptyLogError:
        raise InputError(
            f"`table`: the types of the result cannot be told from its first {_ROWS_FOR_TYPES:,} "
            "rows, of which none is a purchase up to `as_of`. Sort or filter the table."
        ) from None
    schema = table.sparkSession.createDataFrame(result).schema
    parts = table.repartition(n_parts, "customer_id")
    return parts.mapInPandas(partial(_work, function, options), schema)


def _work(
    function: Callable[..., pd.DataFrame], options: dict[str, Any], batches: Iterator[pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Give a function all rows of a part; a part where nobody bought has no result."""
    held = [batch for batch in batches if len(batch)]
    if held:
        try:
            yield function(pd.concat(held, ignore_index=True), **options)
        except EmptyLogError:
            return


def from_workers(work: Callable[[pd.DataFrame], Any], table: Any, n_parts: int) -> list[Any]:
    """Return what is made of each part, whatever it is, from the workers; it has to be small."""
    parts = table.repartition(n_parts, "customer_id").mapInPandas(
        partial(_packed, work), "made binary"
    )
    return [pickle.loads(made) for made in parts.toPandas()["made"]]  # noqa: S301 - our own


def _packed(
    work: Callable[[pd.DataFrame], Any], batches: Iterator[pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Give all rows of a part to the work, and what it makes back as bytes."""
    held = [batch for batch in batches if len(batch)]
    if held:
        yield pd.DataFrame({"made": [pickle.dumps(work(pd.concat(held, ignore_index=True)))]})
