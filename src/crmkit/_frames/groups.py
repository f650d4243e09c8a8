"""Groups of customers: how `by` is read, and one code per distinct combination of its columns.

Rows without a value are a group of their own, after the others, wherever customers are split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns
from crmkit._checks import quoted
from crmkit._frames.account import ACCOUNT, with_account
from crmkit._frames.codes import sorted_codes
from crmkit._frames.engines import table_columns
from crmkit._frames.join import rows_of, without
from crmkit._frames.people import read_customers
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Ints

__all__ = [
    "ROWWISE",
    "customer_columns",
    "customer_groups",
    "group_codes",
    "match_groups",
    "note_by",
    "read_by",
    "split_by",
]


class Members(Protocol):
    """Rows of customers, such as a log's: codes into ``customer_ids``, and further columns."""

    @property
    def customer_ids(self) -> pd.Index[Any]:
        """The distinct ids."""

    @property
    def customer(self) -> Ints:
        """The code of each row."""

    @property
    def n_customers(self) -> int:
        """The number of distinct ids."""

    def column(self, name: str) -> pd.Series[Any]:
        """Return any other column."""


# Columns that tell of a row of a log, not of a customer.
ROWWISE = ("customer_id", "date", "order_id", "product", "quantity", "amount", "cost")


def read_by(
    by: Any,
    *,
    reserved: Iterable[str] = (),
    rowwise: Iterable[str] = (),
    needed: bool = False,
) -> list[str]:
    """Return `by`, a column name or a list of them, as a list; none for None unless `needed`.

    `reserved` are the columns that the result has beside those of `by`, `rowwise` those that
    tell nothing of a customer as a whole.
    """
    if by is None and not needed:
        return []
    columns = check_columns(by, "by")
    if split := [column for column in columns if column in set(rowwise)]:
        raise InputError(f"`by` names {split}, which cannot split customers into groups.")
    if taken := [column for column in columns if column in set(reserved)]:
        raise InputError(
            f"`by` names {taken}, which the result needs for a column of its own. "
            "Rename the column of your table first."
        )
    return columns


def note_by(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Note in a result's account by which columns it is split, and return it."""
    return with_account(table, {"by": list(columns)})


def split_by(table: Any, before: str) -> list[str]:
    """Return the columns by which a result of another function is split, wherever they stand now.

    They are those of which `note_by` took note; in a table that lost the note, for example in a
    file, those that stand before a column.
    """
    columns = table_columns(table, "table")
    noted = getattr(table, "attrs", {}).get(ACCOUNT, {}).get("by")
    if noted is not None and set(noted) <= set(columns):
        return list(noted)
    return [str(column) for column in columns[: columns.index(before)]]


def group_codes(frame: pd.DataFrame, columns: list[str]) -> tuple[Ints, pd.DataFrame]:
    """Return each row's group and the distinct groups, sorted, one row each.

    Rows without a value are a group of their own, after the others. Without columns all rows
    are one group.
    """
    code = np.zeros(len(frame), dtype=np.int64)
    parts: list[tuple[Ints, pd.Index[Any]]] = []
    for column in columns:
        values, levels = sorted_codes(frame[column])
        values = np.where(values < 0, len(levels), values)
        parts.append((values, levels))
        code = _close_up(code * (len(levels) + 1) + values)
    member = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    member[code] = np.arange(len(frame))
    groups = {
        column: pd.Series(levels).reindex(values[member]).array
        for column, (values, levels) in zip(columns, parts, strict=True)
    }
    return code, pd.DataFrame(groups, index=pd.RangeIndex(len(member)))


def _close_up(code: Ints) -> Ints:
    """Return codes in the same order without gaps."""
    most = int(code.max(initial=0))
    if most > 4 * code.size + 1_000_000:
        return np.unique(code, return_inverse=True)[1].astype(np.int64)
    used = np.bincount(code, minlength=most + 1) > 0
    return (np.cumsum(used) - 1)[code]


def match_groups(groups: pd.DataFrame, among: pd.DataFrame) -> Ints:
    """Return the row in `among` of each of `groups`, by the values of all columns; -1 if none.

    Both hold one row per group and the same columns; a missing value meets a missing one.
    """
    place = {key: row for row, key in enumerate(_keys(among))}
    return np.array([place.get(key, -1) for key in _keys(groups)], dtype=np.int64)


def _keys(groups: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return each row as a tuple, missing values as None."""
    columns = [
        [None if absent else value for value, absent in zip(column, column.isna(), strict=True)]
        for column in (groups[name].astype(object) for name in groups)
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * len(groups)


def customer_groups(
    log: Members, columns: list[str], customers: Any, account: dict[str, Any]
) -> tuple[Ints, pd.DataFrame]:
    """Return each customer's group and the distinct groups, from `customers` or from the log."""
    if not columns:
        if customers is not None:
            read_customers(customers, optional=())
        return group_codes(pd.DataFrame(index=log.customer_ids), columns)
    if customers is None:
        return _from_log(log, columns)
    return group_codes(customer_columns(log.customer_ids, customers, columns, account), columns)


def customer_columns(
    ids: Any, customers: Any, columns: list[str], account: dict[str, Any]
) -> pd.DataFrame:
    """Return columns of `customers` for each customer of a log, in the order of their `ids`."""
    if customers is None:
        raise InputError(
            f"`customers` is needed: the table in which {columns} stand for each customer."
        )
    frame = read_customers(customers, needs=columns, optional=())
    row = rows_of(
        ids,
        frame["customer_id"],
        name="transactions",
        other="customers",
        do="Add them, or leave their rows out of `transactions`.",
    )
    account["customers_unmatched"] = without(row, len(frame))
    return frame[columns].iloc[row].reset_index(drop=True)


def _from_log(log: Members, columns: list[str]) -> tuple[Ints, pd.DataFrame]:
    """Return each customer's group from columns of the log that are constant per customer."""
    row = np.empty(log.n_customers, dtype=np.int64)
    row[log.customer] = np.arange(log.customer.size)
    for column in columns:
        values, _ = sorted_codes(log.column(column))
        mixed = np.unique(log.customer[values != values[row[log.customer]]])
        if mixed.size:
            raise InputError(
                f"`transactions`: column {column!r} takes several values for {mixed.size:,} of "
                f"{log.n_customers:,} customers (first: "
                f"{quoted(log.customer_ids[mixed[:3]].tolist())}). "
                "Pass `customers=` with one value per customer."
            )
    frame = pd.DataFrame({column: log.column(column) for column in columns})
    return group_codes(frame.iloc[row], columns)
