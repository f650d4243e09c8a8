"""The levels of each purchase: what it was of, where, when and at which price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns, optional_columns
from crmkit._checks import Problems, number_array, require_columns
from crmkit._frames import ROWWISE, sorted_codes, table_columns
from crmkit._learn.levels import level_text
from crmkit._log import read_log
from crmkit.errors import InputError
from crmkit.segmentation._table.level_counts import Levels, as_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._log import PurchaseLog

__all__ = ["DISCOUNTED", "OF_ALL", "Read", "read_levels"]

USUAL = ("category", "brand", "channel")
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYTIMES = ["night", "morning", "afternoon", "evening"]  # six hours each, from midnight on
DISCOUNTED = "discounted"
# What every log tells, and its levels, which all stay.
OF_ALL = {"weekday": WEEKDAYS, "daytime": DAYTIMES, DISCOUNTED: ["no", "yes"]}


@dataclass(frozen=True, slots=True)
class Read:
    """A log and the levels of its purchases, by variable."""

    purchases: PurchaseLog
    levels: dict[str, Levels]


def read_levels(
    transactions: Any, *, columns: Any, discount: str | None, since: Any, as_of: Any
) -> Read:
    """Read the log, and of each purchase the level of each variable."""
    named = _columns(table_columns(transactions, "transactions"), columns)
    needs = [*named, *optional_columns(discount=discount)]
    purchases = read_log(
        transactions, needs=needs, optional=("order_id",), as_of=as_of, since=since, hours=True
    )
    log, found = purchases.purchases, {}
    for column in named:
        product = column == "product"
        codes, names = (
            (log.product, log.product_ids) if product else sorted_codes(log.column(column))
        )
        found[column] = as_levels(codes, names.tolist(), [level_text(name) for name in names])
    # day 0, 1970-01-01, was a Thursday
    told = {"weekday": (log.day + 3) % 7}
    if log.hour.any():
        told["daytime"] = log.hour // 6
    if discount is not None:
        problems = Problems("transactions")
        granted = number_array(log.column(discount), problems, discount, low=0)
        problems.raise_if_any()
        _, order = np.unique(log.order, return_inverse=True)
        told[DISCOUNTED] = (np.bincount(order, weights=granted > 0) > 0)[order].astype(np.int64)
    for name, codes in told.items():
        found[name] = Levels(codes, OF_ALL[name], list(range(len(OF_ALL[name]))))
    return Read(purchases, found)


def _columns(present: list[str], columns: Sequence[str] | None) -> list[str]:
    """Return the columns that hold preferences."""
    if columns is None:
        return [column for column in USUAL if column in present]
    named = check_columns(columns, "columns", empty=True)
    others = set(ROWWISE) - {"product"} | {"weekday", "daytime", DISCOUNTED}
    if wrong := [column for column in named if column in others]:
        raise InputError(
            f"`columns` names {wrong}, which are no preferences or are told apart anyway. "
            "Name columns of words, such as a category."
        )
    require_columns(present, named, "transactions")
    return named
