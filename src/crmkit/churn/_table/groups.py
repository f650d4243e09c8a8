"""Splitting customers by what is known about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames import read_customers, sorted_codes
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._frames import Log
    from crmkit._typing import Ints


__all__ = ["columns_of", "customer_groups", "group_codes"]

_OF_A_ROW = ("customer_id", "date", "order_id", "product", "quantity", "amount", "cost")


def columns_of(by: str | Iterable[str] | None, *, taken: Iterable[str]) -> list[str]:
    """Return `by` as a list of column names that no column of the result already has."""
    if by is not None and not isinstance(by, (str, list, tuple, pd.Index)):
        raise InputError(f"`by` must be a column name or a list of them; got {by!r}.")
    columns = [by] if isinstance(by, str) else [] if by is None else list(by)
    rowwise = [column for column in columns if column in _OF_A_ROW]
    if rowwise:
        raise InputError(f"`by` names {rowwise}, which cannot split customers into groups.")
    clash = [column for column in columns if column in set(taken)]
    if clash:
        raise InputError(
            f"`by` names {clash}, which the result needs for a column of its own. "
            "Rename the column of your table first."
        )
    if len(set(columns)) < len(columns):
        raise InputError(f"`by` names a column twice: {columns}.")
    return columns


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


def customer_groups(log: Log, columns: list[str], customers: Any) -> tuple[Ints, pd.DataFrame]:
    """Return each customer's group and the distinct groups, from `customers` or from the log."""
    if not columns:
        return group_codes(pd.DataFrame(index=log.customer_ids), columns)
    if customers is None:
        return _from_log(log, columns)
    frame = read_customers(customers, needs=columns, optional=())
    codes, ids = sorted_codes(frame["customer_id"])
    place = ids.get_indexer(log.customer_ids)
    unknown = np.flatnonzero(place < 0)
    if unknown.size:
        raise InputError(
            f"`customers` lacks {unknown.size:,} of the {log.n_customers:,} customers in "
            f"`transactions` (first: {log.customer_ids[unknown[:3]].tolist()}). Add them, or "
            "leave their rows out of `transactions`."
        )
    row = np.empty(len(ids), dtype=np.int64)
    row[codes] = np.arange(len(codes))
    return group_codes(frame.iloc[row[place]], columns)


def _from_log(log: Log, columns: list[str]) -> tuple[Ints, pd.DataFrame]:
    """Return each customer's group from columns of the log that are constant per customer."""
    row = np.empty(log.n_customers, dtype=np.int64)
    row[log.customer] = np.arange(log.customer.size)
    for column in columns:
        values, _ = sorted_codes(log.column(column))
        mixed = np.unique(log.customer[values != values[row[log.customer]]])
        if mixed.size:
            raise InputError(
                f"`transactions`: column {column!r} takes several values for {mixed.size:,} of "
                f"{log.n_customers:,} customers (first: {log.customer_ids[mixed[:3]].tolist()}). "
                "Pass `customers=` with one value per customer."
            )
    frame = pd.DataFrame({column: log.column(column) for column in columns})
    return group_codes(frame.iloc[row], columns)
