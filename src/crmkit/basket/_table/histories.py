"""Histories: who bought which items, or sets of items, on which day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import distinct
from crmkit._checks import check_number, check_optional
from crmkit._log import PurchaseLog, read_log
from crmkit.basket._math import sequences
from crmkit.basket._math.together import sets_of_a_day
from crmkit.basket._table.baskets import item_mask, minimum_count, write_tuples
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from crmkit._frames import Log
    from crmkit._typing import Ints


MOST_SETS = 1_000_000


@dataclass(frozen=True, slots=True)
class HistoryLog:
    """A log, its purchases, and the steps with enough customers: ``lines``.

    Codes of steps are those of products, then those of ``sets``: product codes, shape (n_k, k) for
    k = 2, 3, ...
    """

    history: PurchaseLog
    log: Log
    lines: sequences.Histories
    min_count: int
    sets: list[Ints]

    @property
    def names(self) -> NDArray[np.object_]:
        """The products of each step, as tuples."""
        products = self.log.product_ids.to_numpy(dtype=object)
        names = np.empty(self.lines.n_items, dtype=object)
        end = 0
        for rows in (np.arange(len(products))[:, None], *self.sets):
            write_tuples(names, np.arange(end, end + len(rows)), products, rows)
            end += len(rows)
        return names


def read_histories(
    transactions: Any,
    min_support: Any,
    include: Iterable[Any] | None,
    exclude: Iterable[Any] | None,
    as_of: Any,
    *,
    default: float = 0.01,
    max_together: int = 1,
    cap: int = MOST_SETS,
) -> HistoryLog:
    """Read a log, and who bought what with enough customers on which day."""
    longest = check_number(max_together, "max_together")
    history = read_log(transactions, needs=("product",), as_of=as_of)
    log = history.purchases
    min_count = minimum_count(min_support, log.n_customers, default)
    n_items = len(log.product_ids)
    known = log.product >= 0
    buyers = distinct(log.product[known] * log.n_customers + log.customer[known])
    wanted = np.bincount(buyers // log.n_customers, minlength=n_items) >= min_count
    wanted &= item_mask(log.product_ids, include, exclude)
    known[known] = wanted[log.product[known]]
    customer, day, step = log.customer[known], log.day[known], log.product[known]
    sets: list[Ints] = []
    if longest > 1:
        found = sets_of_a_day(
            *(customer, day, step), n_items=n_items, min_count=min_count, longest=longest, cap=cap
        )
        if found is None:
            raise InputError(
                f"`max_together` of {longest} with `min_support` of {min_count:,} customers gives "
                f"more than {cap:,} sets of items of one day. Raise `min_support`, lower "
                "`max_together`, or name the items in `include`."
            )
        *more, sets = found
        customer, day, step = (
            np.concatenate(part) for part in zip((customer, day, step), more, strict=True)
        )
    n_steps = n_items + sum(map(len, sets))
    lines = sequences.histories(customer, day, step, n_customers=log.n_customers, n_items=n_steps)
    return HistoryLog(history, log, lines, min_count, sets)


def check_gaps(min_gap_days: Any, max_gap_days: Any) -> tuple[int, int | None]:
    """Check the two gaps; items of one day have no order, so that the smallest gap is a day."""
    low: int = check_number(min_gap_days, "min_gap_days")
    return low, check_optional(max_gap_days, "max_gap_days", low=low)
