"""Reading a transaction log: ids as codes, dates as days, money as floats, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._frames.codes import above, keyed_codes, sorted_codes
from crmkit._frames.dates import day_numbers, moments
from crmkit._frames.engines import to_pandas
from crmkit._frames.one_day import parse_day
from crmkit._frames.people import check_ids, check_words
from crmkit._frames.text_codes import arrow_text, give_back, text_keys
from crmkit._periods import day_text
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Log", "read_transactions", "sign_column"]

NUMBERS = ("amount", "quantity", "cost")


@dataclass(frozen=True, slots=True)
class Log:
    """A transaction log up to and including day `as_of`, as arrays of shape (n,), n rows.

    ``customer`` holds codes into ``customer_ids`` (distinct, sorted), ``day`` days since
    1970-01-01. ``rows_after_as_of`` and ``rows_before_since`` were left out. What else was read
    is reached by name: ``amount``, ``quantity``, ``cost``, ``order``, ``product``, or
    ``column(name)``; `has` tells whether the log had it.
    """

    customer_ids: pd.Index[Any]
    customer: Ints
    day: Ints
    as_of: int
    rows_after_as_of: int
    rows_before_since: int
    order_span: int
    product_ids: pd.Index[Any]
    _arrays: dict[str, NDArray[Any]]
    _frame: pd.DataFrame

    @property
    def n_customers(self) -> int:
        """Return the number of distinct customers."""
        return len(self.customer_ids)

    def has(self, name: str) -> bool:
        """Tell whether the log had an optional column."""
        return name in self._arrays or name in self._frame.columns

    @property
    def amount(self) -> Floats:
        """Return net value per row."""
        return self._arrays["amount"]

    @property
    def quantity(self) -> Floats:
        """Return units per row."""
        return self._arrays["quantity"]

    @property
    def cost(self) -> Floats:
        """Return direct cost per row."""
        return self._arrays["cost"]

    @property
    def hour(self) -> Ints:
        """Return the hour of each row, 0 to 23; 0 in a log of days."""
        return self._arrays["hour"]

    @property
    def order(self) -> Ints:
        """Return keys of orders: equal for rows of one order, ``key // order_span`` the customer.

        Asked for as column ``order_id``. An order belongs to one customer: a number used by two
        customers is two orders. Without the column each customer and day is an order.
        """
        return self.customer * self.order_span + self.order_code

    @property
    def order_code(self) -> Ints:
        """Return order numbers from 0 to ``order_span - 1``, which customers may share."""
        return self._arrays["order_id"]

    @property
    def product(self) -> Ints:
        """Return codes into ``product_ids``; -1 where the product is missing."""
        return self._arrays["product"]

    def column(self, name: str) -> pd.Series[Any]:
        """Return any other column that was asked for, row by row."""
        if name not in self._frame.columns:
            raise InputError(
                f"Column {name!r} of a log has a meaning of its own and cannot be taken as "
                "anything else. Name another column, or copy it under another name."
            )
        return self._frame[name]

    def take(self, rows: Bools) -> Log:
        """Return the log of some rows; customers and products of no row are no longer in it."""
        arrays = {name: values[rows] for name, values in self._arrays.items()}
        customer, customer_ids = _renumbered(self.customer[rows], self.customer_ids)
        product_ids = self.product_ids
        if "product" in arrays:
            arrays["product"], product_ids = _renumbered(arrays["product"], product_ids)
        frame = self._frame.loc[rows]
        return replace(
            self,
            customer_ids=customer_ids,
            customer=customer,
            day=self.day[rows],
            product_ids=product_ids,
            _arrays=arrays,
            _frame=frame.set_axis(pd.RangeIndex(len(frame)), axis=0),
        )


def sign_column(columns: Iterable[str]) -> str | None:
    """Name the column whose sign tells refunds: amounts, in a log without them quantities."""
    present = list(columns)
    return next((column for column in ("amount", "quantity") if column in present), None)


def read_transactions(
    transactions: Any,
    *,
    needs: Iterable[str] = ("customer_id", "date"),
    optional: Iterable[str] = (),
    as_of: Any = None,
    since: Any = None,
    hours: bool = False,
    name: str = "transactions",
) -> Log:
    """Read the needed and optional columns of a log, from `since` to `as_of`, both inclusive.

    With `hours` the log has the hour of each row too.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If rows lack an id, a date or a number, or none falls into the days asked for.
    """
    needs = list(dict.fromkeys(["customer_id", "date", *needs]))
    frame = to_pandas(transactions, name, needs=needs, optional=optional, leave=("date",))
    if frame.empty:
        raise InputError(f"`{name}` has no rows.")
    problems = Problems(name)
    keys = _checked_keys(frame["customer_id"], problems)
    for column in ("order_id", "product"):
        if column in frame.columns:
            check_words(frame[column], problems, column)
    day = day_numbers(frame["date"], problems, "date")
    arrays: dict[str, NDArray[Any]] = {
        column: number_array(frame[column], problems, column)
        for column in NUMBERS
        if column in frame.columns
    }
    problems.raise_if_any()
    if hours:
        moment = moments(frame["date"])
        assert moment is not None  # the days were read
        hour = moment.astype("datetime64[h]").astype(np.int64)
        arrays["hour"] = hour - 24 * day

    last = int(day.max()) if as_of is None else parse_day(as_of, "as_of")
    seen: Bools = np.ones(len(day), dtype=bool) if as_of is None else day <= last
    after = 0 if as_of is None else len(day) - int(np.count_nonzero(seen))
    if after == len(day):
        raise EmptyLogError(
            f"`{name}` has no row on or before `as_of` ({day_text(last)}); its first "
            f"date is {day_text(int(day.min()))}. Choose a later `as_of`.",
            {"rows_after_as_of": after},
        )
    before = 0
    if since is not None:
        first = parse_day(since, "since")
        early = day < first
        before = int(np.count_nonzero(early & seen))
        seen &= ~early
        if not seen.any():
            raise EmptyLogError(
                f"`{name}` has no row from `since` ({day_text(first)}) to `as_of` "
                f"({day_text(last)}). Choose an earlier `since`.",
                {"rows_after_as_of": after, "rows_before_since": before},
            )
    if after or before:
        frame, day = frame.loc[seen], day[seen]
        keys = None if keys is None else (keys[0][seen], keys[1])
        arrays = {column: values[seen] for column, values in arrays.items()}
    customer, customer_ids = keyed_codes(frame["customer_id"], keys)
    del keys
    span = 0
    if "order_id" in optional or "order_id" in needs:
        raw = frame["order_id"] if "order_id" in frame.columns else None
        arrays["order_id"], span = _order_codes(raw, len(customer_ids), day)
    product_ids: pd.Index[Any] = pd.Index([])
    if "product" in frame.columns:
        arrays["product"], product_ids = sorted_codes(frame["product"])
    taken = {"customer_id", "date", "order_id", "product", *NUMBERS}
    others = frame[[column for column in frame.columns if column not in taken]]
    others = others.set_axis(pd.RangeIndex(len(others)), axis=0)
    return Log(customer_ids, customer, day, last, after, before, span, product_ids, arrays, others)


def _checked_keys(ids: pd.Series[Any], problems: Problems) -> tuple[Ints, int] | None:
    """Note what is wrong with ids; return the keys of such texts as have them."""
    text = arrow_text(ids)
    check_ids(ids, problems, unique=False, text=text)
    keys = text_keys(text)
    if text is not None:
        del text  # as large as the column
        give_back()
    return keys


def _renumbered(codes: Ints, ids: pd.Index[Any]) -> tuple[Ints, pd.Index[Any]]:
    """Return codes of those ids alone that occur, and these; -1, of no id, stays."""
    occurs = np.zeros(len(ids) + 1, dtype=bool)
    occurs[codes] = True
    occurs = occurs[:-1]
    if occurs.all():
        return codes, ids
    return np.append(np.cumsum(occurs) - 1, -1)[codes], ids[occurs]


def _order_codes(raw: pd.Series[Any] | None, n_customers: int, day: Ints) -> tuple[Ints, int]:
    """Return order numbers from 0, and their span; a missing order id is an order of the day.

    Whole numbers in a range that fits are used as they are, which saves hashing them: customer x
    span + number must fit an int64.
    """
    first_day = int(day.min())
    day_span = int(day.max()) - first_day + 1
    if raw is None:
        return day - first_day, day_span
    missing = raw.isna().to_numpy()
    values = raw.to_numpy()
    if values.dtype.kind in "iu" and not missing.any():
        low, high = int(values.min()), int(values.max())
        if (high - low + 1) * n_customers < 2**62:
            return above(values, low), high - low + 1
    codes = pd.factorize(raw)[0].astype(np.int64, copy=False)
    n_orders = int(codes.max()) + 1
    if missing.any():
        codes[missing] = n_orders + day[missing] - first_day
    return codes, n_orders + day_span
