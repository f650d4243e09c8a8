"""What analysts call once: a raw export becomes a table that every crmkit function accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column
from crmkit._checks import Problems, check_choice, number_array, require_columns
from crmkit._frames.dates import DATE_UNIT, parse_text
from crmkit._frames.engines import as_given
from crmkit._frames.log import sign_column
from crmkit._frames.people import check_ids
from crmkit._typing import KeepDropOrRaise, KeepOrDrop, RaiseOrDrop
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Bools

__all__ = ["as_customers", "as_transactions"]

_OPTIONAL = ("amount", "order_id", "product", "quantity", "cost")
_NUMBERS = ("amount", "quantity", "cost")


def as_transactions(
    raw: Any,
    *,
    customer_id: str = "customer_id",
    date: str = "date",
    amount: str | None = None,
    order_id: str | None = None,
    product: str | None = None,
    quantity: str | None = None,
    cost: str | None = None,
    date_format: str | None = None,
    tz: str | None = None,
    missing_customers: RaiseOrDrop = "raise",
    missing_dates: RaiseOrDrop = "raise",
    missing_amounts: RaiseOrDrop = "raise",
    refunds: KeepOrDrop = "keep",
    duplicates: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Turn a raw log into transactions: rename, type and check it once.

    Parameters
    ----------
    raw : DataFrame
        One row per order line, or per order, from pandas, Polars, PyArrow, DuckDB, PySpark or
        ibis. Columns that are not named here are kept as they are.
    customer_id, date : str, default "customer_id", "date"
        What `raw` calls these two columns.
    amount, order_id, product, quantity, cost : str, optional
        What `raw` calls these columns. The default takes the column of crmkit's own name where
        there is one.
    date_format : str, optional
        How dates are written, in the codes of :func:`time.strftime`: ``"%d/%m/%Y"``. The
        default reads dates, and text in ISO form.
    tz : str, optional
        Time zone in which a day begins and ends, for stamps that carry a zone or an offset. The
        default keeps the clock time as written.
    missing_customers, missing_dates, missing_amounts : {"raise", "drop"}
        What to do with rows that lack the value.
    refunds : {"keep", "drop"}
        What to do with rows whose amount (without amounts, quantity) is negative.
    duplicates : {"keep", "drop", "raise"}
        What to do with rows that repeat an earlier one in every column. A log of order lines
        may hold equal lines by right, so they are kept unless you say otherwise.

    Returns
    -------
    pandas.DataFrame
        The log in its given row order, with a RangeIndex:

        * ``customer_id`` - as given; whole numbers read as floats become integers.
        * ``date`` (datetime) - clock time without zone.
        * ``amount`` (float) - net value of the row; refunds negative. As far as given.
        * ``order_id``, ``product`` - as given, as far as given.
        * ``quantity``, ``cost`` (float) - as far as given.
        * any further column of `raw`.

        ``attrs["door"]`` counts the rows read, kept, found and dropped, by reason.

    Raises
    ------
    MissingColumnsError
        If a named column is absent.
    InputError
        If there is no row, or a value cannot be used; all problems are named at once.

    Examples
    --------
    >>> import pandas as pd
    >>> raw = pd.DataFrame(
    ...     {
    ...         "CustNo": [7, 8, None],
    ...         "When": ["31/01/2025", "01/02/2025", "01/02/2025"],
    ...         "Total": [20.0, -5.0, 9.0],
    ...     }
    ... )
    >>> transactions = as_transactions(
    ...     raw,
    ...     customer_id="CustNo",
    ...     date="When",
    ...     amount="Total",
    ...     date_format="%d/%m/%Y",
    ...     missing_customers="drop",
    ... )
    >>> transactions
       customer_id       date  amount
    0            7 2025-01-31    20.0
    1            8 2025-02-01    -5.0
    >>> transactions.attrs["door"]["missing_customers_dropped"]
    1
    """
    check_choice(missing_customers, "missing_customers", RaiseOrDrop)
    check_choice(missing_dates, "missing_dates", RaiseOrDrop)
    check_choice(missing_amounts, "missing_amounts", RaiseOrDrop)
    check_choice(refunds, "refunds", KeepOrDrop)
    check_choice(duplicates, "duplicates", KeepDropOrRaise)
    named = {"amount": amount, "order_id": order_id, "product": product}
    named |= {"quantity": quantity, "cost": cost}
    frame = _renamed(raw, {"customer_id": customer_id, "date": date, **named}, "raw")
    door = {"rows_read": len(frame)}

    problems = Problems("raw")
    keep = np.ones(len(frame), dtype=bool)
    keep &= _present(frame["customer_id"], missing_customers, "missing_customers", problems, door)
    columns: dict[str, Any] = {"date": parse_text(frame["date"], problems, "date", date_format, tz)}
    if not problems:
        # Rows that go for want of a customer need no date and no amount.
        empty = pd.Series(columns["date"]).where(keep, pd.Timestamp(0))
        keep &= _present(empty, missing_dates, "missing_dates", problems, door, column="date")
    for column in _NUMBERS:
        if column in frame.columns:
            columns[column] = number_array(
                frame[column], problems, column, allow_missing=column == "amount"
            )
    if "amount" in columns and not problems:
        empty = pd.Series(columns["amount"]).where(keep, 0.0)
        keep &= _present(empty, missing_amounts, "missing_amounts", problems, door, column="amount")
    problems.raise_if_any()

    columns["date"] = columns["date"].astype(f"datetime64[{DATE_UNIT}]")
    frame = frame.assign(**columns)
    keep &= _without(_refund_rows(frame), refunds, "refunds", door)
    repeated = _repeated(frame, keep)
    if duplicates == "raise":
        problems.rows(
            repeated, "a row repeats an earlier one", do="Say duplicates='keep' or 'drop'."
        )
        problems.raise_if_any()
    keep &= _without(repeated, duplicates, "duplicates", door)
    frame = frame.loc[keep].reset_index(drop=True)
    if frame.empty:
        raise InputError("`raw` has no row left after dropping what was asked.")
    frame["customer_id"] = _whole_ids(frame["customer_id"])
    front = ["customer_id", "date", *(c for c in _OPTIONAL if c in frame.columns)]
    frame = frame[front + [column for column in frame.columns if column not in front]]
    frame.attrs["door"] = door | {"rows_kept": len(frame)}
    return frame


def as_customers(
    raw: Any,
    *,
    customer_id: str = "customer_id",
    missing_customers: RaiseOrDrop = "raise",
    duplicates: RaiseOrDrop = "raise",
) -> pd.DataFrame:
    """Turn a raw customer list into a customer table: one row per customer, ids checked.

    Parameters
    ----------
    raw : DataFrame
        One row per customer, from pandas, Polars, PyArrow, DuckDB, PySpark or ibis.
    customer_id : str, default "customer_id"
        What `raw` calls this column.
    missing_customers : {"raise", "drop"}
        What to do with rows that lack an id.
    duplicates : {"raise", "drop"}
        What to do with rows that repeat an earlier one in every column. Rows of one customer
        that differ always raise, because no rule here could know which is true.

    Returns
    -------
    pandas.DataFrame
        The table in its given row order, with a RangeIndex:

        * ``customer_id`` - as given; whole numbers read as floats become integers.
        * every other column of `raw`.

        ``attrs["door"]`` counts the rows read, kept and dropped, by reason.

    Raises
    ------
    MissingColumnsError
        If the named column is absent.
    InputError
        If there is no row, or ids are missing or repeated.

    Examples
    --------
    >>> import pandas as pd
    >>> raw = pd.DataFrame({"CustNo": ["a", "b"], "channel": ["shop", "web"]})
    >>> as_customers(raw, customer_id="CustNo")
      customer_id channel
    0           a    shop
    1           b     web
    """
    check_choice(missing_customers, "missing_customers", RaiseOrDrop)
    check_choice(duplicates, "duplicates", RaiseOrDrop)
    frame = _renamed(raw, {"customer_id": customer_id}, "raw")
    door = {"rows_read": len(frame)}
    problems = Problems("raw")
    keep = _present(frame["customer_id"], missing_customers, "missing_customers", problems, door)
    problems.raise_if_any()
    if duplicates == "drop":
        keep &= _without(_repeated(frame, keep), duplicates, "duplicates", door)
    frame = frame.loc[keep].reset_index(drop=True)
    check_ids(frame["customer_id"], problems, unique=True)
    problems.raise_if_any()
    if frame.empty:
        raise InputError("`raw` has no row left after dropping what was asked.")
    frame["customer_id"] = _whole_ids(frame["customer_id"])
    frame = frame[["customer_id", *(c for c in frame.columns if c != "customer_id")]]
    frame.attrs["door"] = door | {"rows_kept": len(frame)}
    return frame


def _renamed(raw: Any, names: dict[str, str | None], argument: str) -> pd.DataFrame:
    """Return `raw` as pandas under crmkit's names, with a RangeIndex, never the caller's own."""
    frame = as_given(raw, argument)
    given = {c: check_column(source, c) for c, source in names.items() if source is not None}
    how = ", ".join(f"{column}='...'" for column in given if column not in frame.columns)
    do = f"Say what the table calls it: {how}." if how else ""
    require_columns(frame.columns, given.values(), argument, do=do)
    taken = [c for c, source in given.items() if source != c and c in frame.columns]
    taken = [column for column in taken if column not in given.values()]
    if taken:
        raise InputError(
            f"`{argument}` has a column named {taken} beside the one you name for it. "
            "Drop or rename one of the two."
        )
    if frame.empty:
        raise InputError(f"`{argument}` has no rows.")
    frame = frame.rename(columns={source: column for column, source in given.items()})
    return frame.reset_index(drop=True)


def _present(
    series: pd.Series[Any],
    policy: str,
    name: str,
    problems: Problems,
    door: dict[str, int],
    *,
    column: str = "customer_id",
) -> Bools:
    """Return which rows have a value; note the others as dropped or as a problem."""
    missing = series.isna().to_numpy()
    if policy == "raise":
        problems.rows(
            missing,
            f"column {column!r} is missing",
            do=f"Fill these rows, or leave them out with {name}='drop'.",
        )
    else:
        door[f"{name}_dropped"] = int(missing.sum())
    return ~missing


def _without(mask: Bools, policy: str, name: str, door: dict[str, int]) -> Bools:
    """Count rows of a kind and return which rows stay under the policy."""
    door[f"{name}_found"] = int(mask.sum())
    if policy != "drop":
        return np.ones(len(mask), dtype=bool)
    door[f"{name}_dropped"] = int(mask.sum())
    return ~mask


def _refund_rows(frame: pd.DataFrame) -> Bools:
    """Tell which rows give money, or without amounts goods, back."""
    column = sign_column(frame.columns)
    if column is None:
        return np.zeros(len(frame), dtype=bool)
    return frame[column].to_numpy() < 0


def _repeated(frame: pd.DataFrame, keep: Bools) -> Bools:
    """Tell which of the kept rows repeat an earlier kept row in every column."""
    repeated = np.zeros(len(frame), dtype=bool)
    try:
        repeated[keep] = frame.loc[keep].duplicated().to_numpy()
    except TypeError:
        # Cells that cannot be hashed, such as lists, are compared as they are written.
        repeated[keep] = frame.loc[keep].astype(str).duplicated().to_numpy()
    return repeated


def _whole_ids(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Return float ids as integers where they are whole and exact, else as they are."""
    if not pd.api.types.is_float_dtype(ids.dtype):
        return ids
    values = ids.to_numpy(dtype=np.float64)
    whole = np.isfinite(values).all() and (np.abs(values) < 2**53).all() and (values % 1 == 0).all()
    return ids.astype(np.int64) if whole else ids
