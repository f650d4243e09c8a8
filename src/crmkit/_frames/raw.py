"""What analysts call once: a raw export becomes a table that every crmkit function accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_choice
from crmkit._frames.account import ACCOUNT, with_account
from crmkit._frames.dates import DATE_UNIT
from crmkit._frames.findings import log_findings, people_findings
from crmkit._frames.log import sign_column
from crmkit._frames.people import check_ids, check_words
from crmkit._frames.roles import check_price, in_roles, price_times_quantity
from crmkit._frames.rows import Rows
from crmkit._frames.text_dates import check_format, check_zone, read_dates
from crmkit._frames.text_numbers import NumberForm
from crmkit._kinds import missing_cells
from crmkit._typing import KeepDropOrRaise, KeepOrDrop, RaiseOrDrop

if TYPE_CHECKING:
    import pandas as pd

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
    price: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
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
    customer_id : str, default "customer_id"
        What `raw` calls the column of ids.
    date : str, default "date"
        What `raw` calls the column of dates.
    amount, order_id, product, quantity, cost : str, optional
        What `raw` calls these columns. The default takes the column of crmkit's own name where
        there is one.
    date_format : str, optional
        How dates are written, in the codes of :func:`time.strftime`: ``"%d/%m/%Y"``. The
        default reads dates, and text in ISO form.
    tz : str, optional
        Time zone in which a day begins and ends, for stamps that carry a zone or an offset. The
        default keeps the clock time as written; stamps without an offset always keep theirs.
    price : str, optional
        What `raw` calls the price of one unit. The amount is then price x quantity; not beside
        `amount`, and not without `quantity`.
    decimal, thousands : str, optional
        The marks with which numbers are written where they are text: ``decimal=","`` and
        ``thousands="."`` for 1.234,56. Text in a number column is refused without them.
    missing_customers, missing_dates, missing_amounts : {"raise", "drop"}
        What to do with rows that lack the value. ``missing_dates="drop"`` drops dates that cannot
        be read too and counts them apart, unless they are more than half.
    refunds : {"keep", "drop"}
        What to do with rows whose amount (without amounts, quantity) is negative.
    duplicates : {"keep", "drop", "raise"}
        What to do with rows that repeat an earlier one in every column. A log of order lines
        may hold equal lines by right, so they are kept, and not looked for, unless you say
        otherwise.

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

        ``attrs["account"]`` says in plain numbers what came through: rows and amounts read, kept
        and dropped by reason (``<policy>_dropped``, ``<policy>_dropped_amount``), first and last
        date, ``far_rows`` whose dates lie far from all others, the largest customer's shares, and
        ids that look suspicious. Nothing in the table is changed by it.

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
    >>> account = transactions.attrs["account"]
    >>> account["missing_customers_dropped"], account["missing_customers_dropped_amount"]
    (1, 9.0)
    """
    check_choice(missing_customers, "missing_customers", RaiseOrDrop)
    check_choice(missing_dates, "missing_dates", RaiseOrDrop)
    check_choice(missing_amounts, "missing_amounts", RaiseOrDrop)
    check_choice(refunds, "refunds", KeepOrDrop)
    check_choice(duplicates, "duplicates", KeepDropOrRaise)
    form, zone = NumberForm(decimal, thousands), check_zone(tz)
    if date_format is not None:
        check_format(date_format)
    named = {"amount": amount, "order_id": order_id, "product": product}
    named |= {"quantity": quantity, "cost": cost}
    frame = in_roles(raw, {"customer_id": customer_id, "date": date, **named}, also=price)
    if price is not None:
        check_price(frame, amount, price)

    problems = Problems("raw")
    rows = Rows(len(frame), problems)
    rows.take_out_missing(missing_cells(frame["customer_id"]), missing_customers, "customer_id")
    check_words(frame["customer_id"], problems, "customer_id")
    for column in ("order_id", "product"):
        if column in frame.columns:
            check_words(frame[column], problems, column)
    read = read_dates(frame["date"], problems, "date", date_format=date_format, zone=zone)
    if read is not None:
        rows.take_out_dates(frame["date"], *read, missing_dates, date_format)
    before = len(problems)
    may_miss = ("amount",) if price is None else ("amount", "quantity")
    columns: dict[str, Any] = {
        column: form.read(frame[column], problems, column, allow_missing=column in may_miss)
        for column in _NUMBERS
        if column in frame.columns
    }
    if price is not None:
        worth = form.read(frame[price], problems, price, allow_missing=True)
        columns["amount"] = price_times_quantity(worth, columns["quantity"])
    if "amount" in columns and len(problems) == before:
        rows.take_out_missing(np.isnan(columns["amount"]), missing_amounts, "amount")
    problems.raise_if_any()
    assert read is not None  # or there was a problem

    frame = frame.assign(date=read[0].astype(f"datetime64[{DATE_UNIT}]"), **columns)
    sign = sign_column(frame.columns)
    negative = np.zeros(len(frame), dtype=bool) if sign is None else frame[sign].to_numpy() < 0
    rows.count(negative, "refunds")
    if refunds == "drop":
        rows.take_out(negative, "refunds")
    if duplicates != "keep":
        rows.take_out_repeated(frame, duplicates)
        problems.raise_if_any()
    frame = rows.kept(frame)
    front = ["customer_id", "date", *(c for c in _OPTIONAL if c in frame.columns)]
    frame = frame[front + [column for column in frame.columns if column not in front]]
    frame.attrs = {**frame.attrs, ACCOUNT: rows.account(columns.get("amount"))}
    return with_account(frame, log_findings(frame))


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

        ``attrs["account"]`` counts the rows read, kept and dropped, by reason, and ids that look
        suspicious.

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
    frame = in_roles(raw, {"customer_id": customer_id})
    problems = Problems("raw")
    rows = Rows(len(frame), problems)
    rows.take_out_missing(missing_cells(frame["customer_id"]), missing_customers, "customer_id")
    check_words(frame["customer_id"], problems, "customer_id")
    problems.raise_if_any()
    if duplicates == "drop":
        rows.take_out_repeated(frame, duplicates)
    frame = rows.kept(frame)
    check_ids(frame["customer_id"], problems, unique=True)
    problems.raise_if_any()
    frame = frame[["customer_id", *(c for c in frame.columns if c != "customer_id")]]
    frame.attrs = {**frame.attrs, ACCOUNT: rows.account(None)}
    return with_account(frame, people_findings(frame))
