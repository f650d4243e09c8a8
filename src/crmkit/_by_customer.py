"""A log larger than memory: any function of customers, on one part of the customers at a time."""

from __future__ import annotations

import csv
import inspect
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number
from crmkit._files import check_file
from crmkit._frames import ACCOUNT, day_numbers, sorted_codes
from crmkit._frames.buckets import buckets, spark_parts
from crmkit._frames.spark import check_workers, from_workers, in_workers, is_spark
from crmkit._frames.written import write_tables
from crmkit._periods import day_text
from crmkit._progress import steps
from crmkit._two_steps import TABLE, called, two_steps
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from crmkit._frames.buckets import FileBucket, FrameBucket

__all__ = ["by_customer", "why_whole"]


def by_customer(
    function: Callable[..., pd.DataFrame],
    table: Any,
    *,
    rows_per_part: int = 5_000_000,
    n_jobs: int = 1,
    out: Any = None,
    progress: bool = False,
    **options: Any,
) -> Any:
    """Call a function on a table that is larger than memory, one part of the customers at a time.

    Each part holds all rows of its customers, so that a function whose rows speak of one customer
    each gives what it would give for the whole table. Functions of crmkit that count customers or
    add up their money, such as :func:`crmkit.churn.retention_table`, do so in each part and work
    out rates from the sums; those that compare customers do so from a few small rows of each.

    Parameters
    ----------
    function : callable
        What is called with a part and `options`: a function of crmkit, the ``predict`` of a fitted
        model, or one of your own that returns a table with ``customer_id``. One that takes a log
        beside itemsets or rules has the log as `table` and those by name in `options`.
    table : DataFrame or path
        A table of any engine. Parquet files (one, a folder, or a pattern such as
        ``"log/*.parquet"``), CSV files, DuckDB, lazy Polars, datasets of PyArrow, and warehouses
        through ibis are read once and never held whole; they need the extra ``duckdb``. A table
        of Spark stays there: its workers, which need crmkit too, take the parts.
    rows_per_part : int, default 5,000,000
        How many rows a part holds, about; a part of a log of order lines takes some 500 MB.
    n_jobs : int, default 1
        How many parts are worked on at a time, each in a process of its own.
    out : path, optional
        Write the rows to this Parquet file as they come, and return the path: for a result that
        does not fit into memory either. Rows are sorted within each part, and pandas reads their
        account back with them.
    progress : bool, default False
        Show a progress bar over the parts.
    **options
        Keyword arguments of `function`. Where `function` takes ``as_of`` and is given none, it is
        the last date of the whole table.

    Returns
    -------
    pandas.DataFrame
        The rows of all parts, sorted by ``customer_id``, or what their sums make. Counts and money
        in ``attrs["account"]`` are added up. Of a table of Spark, rows of customers are a table of
        Spark, not sorted and not worked out before it is asked for; its account is not known.

    Raises
    ------
    InputError
        If a function of crmkit must see all customers at once, with the reason; if one customer
        has more rows than a part; and what `function` raises.

    Examples
    --------
    >>> import crmkit
    >>> from crmkit import datasets, segmentation
    >>> log = datasets.load_cdnow()
    >>> parts = crmkit.by_customer(segmentation.rfm_table, log, rows_per_part=20_000)
    >>> parts.equals(segmentation.rfm_table(log))
    True
    """
    rows_per_part = check_number(rows_per_part, "rows_per_part")
    n_jobs = check_number(n_jobs, "n_jobs")
    if not callable(function):
        raise InputError(f"`function` must be a function; got {type(function).__name__}.")
    _check_function(function, options)
    file = None if out is None else check_file(out, "out")
    known = two_steps(function, options)
    if is_spark(table):
        if file is not None:
            raise InputError(
                "`out` is for a table on one machine. Leave it out, and write the table of Spark "
                "that comes back: .write.parquet(...)."
            )
        check_workers(table)
        raw = known is not None and known.raw
        spark = spark_parts(table, "table", rows_per_part=rows_per_part, raw=raw)
        options |= _of_the_whole(function, options, spark.last)
        made = _made(
            function,
            options,
            lambda first: _together(from_workers(partial(_one, first), table, spark.n_parts)),
        )
        if TABLE in made:
            return made[TABLE]
        return in_workers(function, table, options | made, spark.n_parts)
    raw, by_order = (known.raw, known.by_order) if known is not None else (False, False)
    with buckets(table, "table", rows_per_part=rows_per_part, raw=raw, by_order=by_order) as cut:

        def over_parts(
            first: Callable[..., pd.DataFrame],
        ) -> Iterator[pd.DataFrame | EmptyLogError]:
            work = _done(first, cut.parts, n_jobs)
            return iter(steps(work, "parts", progress, total=len(cut.parts)))

        done: Iterable[Any]
        if len(cut.parts) == 1:
            done = (called(function, part.open(), options) for part in cut.parts)
        else:
            options |= _of_the_whole(function, options, cut.last)
            made = _made(function, options, lambda first: _together(list(over_parts(first))))
            if TABLE in made:
                done = [made[TABLE]]
            else:
                done = over_parts(partial(_rows, function, options | made))
        if file is not None:
            _write(done, file)
            return file
        results = list(done)
    return results[0] if len(results) == 1 else _together(results)


def _made(
    function: Callable[..., Any],
    options: dict[str, Any],
    over_parts: Callable[[Callable[..., pd.DataFrame]], pd.DataFrame],
) -> dict[str, Any]:
    """Return what is made of what all parts tell: the table, or options of the function."""
    known = two_steps(function, options)
    return {} if known is None else known.run(over_parts)


def _done(
    first: Callable[..., pd.DataFrame], parts: Iterable[FrameBucket | FileBucket], n_jobs: int
) -> Iterable[pd.DataFrame | EmptyLogError]:
    """Return the results of the parts, as they come."""
    if n_jobs == 1:
        return (_opened(first, part) for part in parts)
    from sklearn.utils.parallel import Parallel, delayed

    workers = Parallel(n_jobs=n_jobs, return_as="generator", pre_dispatch=n_jobs)
    done: Iterable[pd.DataFrame | EmptyLogError] = workers(
        delayed(_opened)(first, part) for part in parts
    )
    return done


def _opened(
    first: Callable[..., pd.DataFrame], part: FrameBucket | FileBucket
) -> pd.DataFrame | EmptyLogError:
    return _one(first, part.open())


def _one(first: Callable[..., pd.DataFrame], part: Any) -> pd.DataFrame | EmptyLogError:
    """Return the result of a part, or that nobody in it bought, which is no fault of the whole."""
    try:
        return first(part)
    except EmptyLogError as nobody:
        return nobody


def _rows(
    function: Callable[..., pd.DataFrame], options: dict[str, Any], part: Any
) -> pd.DataFrame:
    """Return the result of a function whose rows speak of one customer each."""
    result = called(function, part, options)
    if not (isinstance(result, pd.DataFrame) and "customer_id" in result.columns):
        raise InputError(
            "`function` must return a pandas table with the column 'customer_id', whose rows speak "
            "of one customer each."
        )
    return result


def _together(results: list[pd.DataFrame | EmptyLogError]) -> pd.DataFrame:
    """Put the results of parts under one another, in the order of the ids if they have any."""
    attrs: dict[str, Any] = {}
    table = pd.concat(list(_found(results, attrs)), ignore_index=True)
    if "customer_id" in table.columns:
        order = np.argsort(sorted_codes(table["customer_id"])[0], kind="stable")
        table = table.take(order).reset_index(drop=True)
    table.attrs.update(attrs)
    return table


def _write(results: Iterable[pd.DataFrame | EmptyLogError], file: Path) -> None:
    """Write the results of parts to a file as they come."""
    attrs: dict[str, Any] = {}
    write_tables(_found(results, attrs), file, attrs)


def _found(
    results: Iterable[pd.DataFrame | EmptyLogError], attrs: dict[str, Any]
) -> Iterator[pd.DataFrame]:
    """Yield the tables among results; in the end `attrs` holds what all of them say of themselves.

    Where there is none, nobody bought in the whole log.
    """
    told: list[Any] = []
    nobody, names = None, None
    for result in results:
        told.append(result.attrs)
        if isinstance(result, EmptyLogError):
            nobody = nobody or result
            continue
        names = names or [str(name) for name in result.attrs]
        result.attrs = {}  # or pandas compares them with one another
        yield result
    if names is None and nobody is not None:
        raise nobody
    attrs |= _attrs(told, names or ())


def _attrs(
    parts: list[dict[str, Any]], names: Iterable[str], *, add: str = "rows_"
) -> dict[str, Any]:
    """Return what the parts say of themselves: counts and money added up, the rest where alike."""
    attrs: dict[str, Any] = {}
    for name in names:
        told = [part[name] for part in parts if name in part]
        if name == ACCOUNT:
            attrs[name] = _attrs(told, {key: None for account in told for key in account}, add="")
        elif name.startswith(add) and all(isinstance(number, (int, float)) for number in told):
            attrs[name] = sum(told)
        elif all(other == told[0] for other in told):
            attrs[name] = told[0]
    return attrs


def _of_the_whole(
    function: Callable[..., Any], options: dict[str, Any], last: pd.DataFrame | None
) -> dict[str, str]:
    """Return the options whose default is the last date in a log: that of the whole."""
    if last is None:
        return {}
    takes = inspect.signature(function).parameters
    problems = Problems("table")
    days = day_numbers(last["date"], problems, "date")
    problems.raise_if_any()
    day = day_text(int(days[0]))
    names = {"as_of", "observed_until"} & takes.keys()
    return {name: day for name in names if options.get(name) is None}


@cache
def _declared() -> dict[str, tuple[str, str]]:
    """Return when a function of crmkit must see all customers at once, and why."""
    text = (files("crmkit") / "_parts.csv").read_text(encoding="utf-8")
    return {name: (when, why) for name, when, why in list(csv.reader(text.splitlines()))[1:]}


def why_whole(function: Callable[..., Any], options: dict[str, Any]) -> str:
    """Return why a function must see all customers at once, "" where it need not."""
    name = getattr(function, "__name__", "")
    house, _, rest = getattr(function, "__module__", "").partition(".")
    if house != "crmkit" or inspect.ismethod(function):
        return ""  # the rows of a model's `predict` speak of one customer each
    room = rest.partition(".")[0].lstrip("_")
    declared, why = _declared().get(f"{room}.{name}", ("always", "it may compare or count them"))
    for when in declared.split("; "):
        word, _, argument = when.rpartition(" ")
        value = options.get(argument)
        plain = isinstance(value, int) and value == _default(function, argument)
        given = value is not None and value is not False and not plain
        if when == "always" or (when != "never" and given == (word != "no")):
            how = "" if when == "always" else f" {'without' if word else 'with'} `{argument}`"
            return (
                f"`{name}`{how} must see all customers at once: {why}. Call it on the whole table, "
                "or on a sample of whole customers."
            )
    return ""


def _default(function: Callable[..., Any], argument: str) -> Any:
    takes = inspect.signature(function).parameters
    return takes[argument].default if argument in takes else None


def _check_function(function: Callable[..., Any], options: dict[str, Any]) -> None:
    """Refuse what would come out otherwise for parts than for the whole."""
    if why := why_whole(function, options):
        raise InputError(why)
    house = getattr(function, "__module__", "").partition(".")[0]
    if house != "crmkit" or inspect.ismethod(function):
        return
    known = two_steps(function, options)
    of_parts = options.items() if known is None else known.of_parts()
    tables = [key for key, value in of_parts if "customer_id" in getattr(value, "columns", ())]
    if tables:
        raise InputError(
            f"`{tables[0]}` is a table of customers, which is not cut into parts. Join it to the "
            "result by customer_id instead."
        )
