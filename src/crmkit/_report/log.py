"""The log behind a page: in memory, or in parts of whole customers that are read one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._by_customer import by_customer
from crmkit._frames import to_pandas
from crmkit._frames.buckets import Buckets, FrameBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crmkit._reading.parts import Parts

__all__ = ["Facts", "PageLog"]

# Of more customers a part is enough where nothing is said of each; the few parameters of a model
# are known from fewer: a Pareto/NBD of 112,000 takes 21 seconds of a processor.
_ENOUGH, _ENOUGH_TO_LEARN = 1_000_000, 100_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted and added up over all rows of a log; money is NaN where there is none."""

    rows: int
    customers: int
    first: pd.Timestamp
    last: pd.Timestamp
    amount: float
    cost: float
    refund_rows: int
    refunds: float
    months: pd.Series[Any]  # what was sold in each month
    products: pd.Series[Any]


@dataclass(frozen=True, slots=True)
class _Changed:
    """A part as a function of its rows leaves it."""

    part: Any
    change: Callable[[Any], Any]

    def open(self) -> Any:
        """Return the rows."""
        return self.change(self.part.open())


@dataclass(frozen=True, slots=True)
class PageLog:
    """Parts of a log, each with all rows of its customers, and what may be asked of all of them.

    Customers were put into parts by a hash of their ids: the first parts are as good as customers
    drawn by chance. `customers` holds how many there are in each.
    """

    parts: Sequence[Any]
    columns: tuple[str, ...]
    customers: tuple[int, ...]
    last: pd.DataFrame | None = None  # the last date of several parts, as a table of one row

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> PageLog:
        """Return a log in memory: one part."""
        names = tuple(map(str, frame.columns))
        return cls([FrameBucket(frame)], names, (int(frame["customer_id"].nunique()),))

    @classmethod
    def of_parts(cls, parts: Parts) -> PageLog:
        """Return a log that was read in parts."""
        last = pd.DataFrame({"date": [pd.Timestamp(parts.account["last_date"])]})
        return cls(parts.parts, parts.columns, parts.customers, last)

    @property
    def in_parts(self) -> bool:
        """Whether nothing can be asked that must see all customers at once."""
        return len(self.parts) > 1

    def ask(self, function: Callable[..., pd.DataFrame], **options: Any) -> pd.DataFrame:
        """Return what a function makes of the log."""
        if not self.in_parts:
            return function(self.parts[0].open(), **options)
        found: pd.DataFrame = by_customer(function, Buckets(self.parts, self.last), **options)
        return found

    def each(self, function: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield what a function makes of each part."""
        return (function(part.open()) for part in self.parts)

    def changed(self, change: Callable[[Any], Any]) -> PageLog:
        """Return the log with its rows changed, or fewer of them."""
        parts = [_Changed(part, change) for part in self.parts]
        return replace(self, parts=parts)

    def since(self, day: pd.Timestamp) -> PageLog:
        """Return the rows from a day on."""
        return self.changed(partial(_since, day))._filled()

    def until(self, day: pd.Timestamp) -> PageLog:
        """Return the rows up to a day, that one among them."""
        return self.changed(partial(_before, day + np.timedelta64(1, "D")))._filled()

    def _filled(self) -> PageLog:
        """Return the log without parts of which no row is left."""
        found = [(part, *_extent(part.open())) for part in self.parts]
        parts, customers, last = zip(*(each for each in found if each[1]), strict=True)
        return PageLog(parts, self.columns, customers, pd.DataFrame({"date": [max(last)]}))

    def enough(self, *, to_learn: bool = False) -> PageLog:
        """Return so many of the parts as hold a million customers, or as many as models need."""
        least = _ENOUGH_TO_LEARN if to_learn else _ENOUGH
        n = int(np.searchsorted(np.cumsum(self.customers), least)) + 1
        return replace(self, parts=self.parts[:n], customers=self.customers[:n])

    def ids(self) -> pd.Series[Any]:
        """Return every customer once."""
        return pd.concat(list(self.each(_ids)), ignore_index=True)

    def facts(self) -> Facts:
        """Count and add up, part by part."""
        found = list(self.each(_facts))
        months = pd.concat([each.months for each in found])
        products = pd.concat([each.products for each in found], ignore_index=True)

        def total(name: str) -> Any:
            return sum(getattr(each, name) for each in found)

        return Facts(
            total("rows"),
            total("customers"),
            min(each.first for each in found),
            max(each.last for each in found),
            round(float(total("amount")), 6),
            round(float(total("cost")), 6),
            total("refund_rows"),
            round(float(total("refunds")), 6),
            months.groupby(level=0).sum(),
            products.drop_duplicates(ignore_index=True),
        )


def _since(day: pd.Timestamp, rows: Any) -> Any:
    """Return the rows from a moment on, of pandas or of DuckDB."""
    if isinstance(rows, pd.DataFrame):
        return rows[rows["date"] >= day]
    return rows.filter(f"date >= TIMESTAMP '{day:%Y-%m-%d %H:%M:%S}'")


def _before(day: pd.Timestamp, rows: Any) -> Any:
    """Return the rows before a moment."""
    if isinstance(rows, pd.DataFrame):
        return rows[rows["date"] < day].reset_index(drop=True)
    return rows.filter(f"date < TIMESTAMP '{day:%Y-%m-%d %H:%M:%S}'")


def _extent(rows: Any) -> tuple[int, pd.Timestamp]:
    """Return how many customers are in a part, and its last date."""
    frame = to_pandas(rows, "transactions", needs=["customer_id", "date"], optional=())
    return int(frame["customer_id"].nunique()), frame["date"].max()


def _ids(rows: Any) -> pd.Series[Any]:
    """Return each customer of a part once."""
    column = to_pandas(rows, "transactions", needs=["customer_id"], optional=())["customer_id"]
    return column.drop_duplicates()


def _facts(rows: Any) -> Facts:
    """Count and add up one part."""
    frame = to_pandas(
        rows,
        "transactions",
        needs=["customer_id", "date"],
        optional=("amount", "cost", "product"),
        leave=("date",),
    )
    date = frame["date"]
    month = pd.Index(date.to_numpy().astype("datetime64[M]").astype("datetime64[s]"), name="month")
    money = frame["amount"] if "amount" in frame.columns else pd.Series(np.nan, frame.index)
    cost = frame["cost"].sum() if "cost" in frame.columns else np.nan
    back = money[money < 0]
    products = frame["product"] if "product" in frame.columns else pd.Series(dtype=object)
    return Facts(
        len(frame),
        int(frame["customer_id"].nunique()),
        date.min(),
        date.max(),
        float(money.sum(skipna=False)),
        float(cost),
        len(back),
        float(back.sum()),
        money.groupby(month).sum(),
        products.dropna().drop_duplicates(),
    )
