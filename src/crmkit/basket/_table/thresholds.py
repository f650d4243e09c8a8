"""What a threshold costs, before it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_optional
from crmkit.basket._math.mining import search_itemsets
from crmkit.basket._table.baskets import NAMELESS, read_baskets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Ints
    from crmkit.basket._table.baskets import Unit

COUNTED = 50_000  # itemsets counted at most; what lies below is estimated
LEAST = 5  # orders of the lowest threshold
SHARES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
# One core of 2025, by crmkit's benchmarks: sorting a line, finding and writing an itemset, and what
# the table of results takes.
SECONDS_PER_LINE, SECONDS_PER_ITEMSET, BYTES_PER_ITEMSET = 2e-7, 3e-6, 300
BYTES_PER_LINE = 60


def support_table(
    transactions: Any,
    *,
    unit: Unit = "order",
    max_length: int | None = None,
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    as_of: Any = None,
) -> pd.DataFrame:
    """List thresholds of support with the itemsets, time and memory that each would take.

    Parameters
    ----------
    transactions : DataFrame
        The log, as in `frequent_itemsets`.
    unit : {"order", "customer"}
        Whether together means in one order or ever by one customer; then read customers for orders
        below.
    max_length : int, optional
        Largest number of items in a set.
    include, exclude : list of items, optional
        Look only at these items; leave these out. The orders they are in still count.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per threshold, the highest first, down to 5 orders:

        * ``min_support`` (int) - the threshold, in orders: what to pass to `frequent_itemsets`.
        * ``support`` (float) - the same as a share of all orders.
        * ``itemsets`` (int) - itemsets in as many orders or more.
        * ``basis`` - ``"counted"``, or ``"estimated"`` where there are more than 50,000: from how
          fast the number grew to there. Expect a factor of two or more.
        * ``seconds`` (float) - processor time of `frequent_itemsets`, roughly, by its benchmarks.
        * ``megabytes`` (float) - memory that it takes, roughly.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range, or a listed item never occurs.

    See Also
    --------
    frequent_itemsets : Stops at two million itemsets.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(500, random_state=0)["transactions"]
    >>> basket.support_table(log)["min_support"].iloc[-1].item()
    5
    """
    max_length = check_optional(max_length, "max_length")
    lines = read_baskets(
        transactions, unit=unit, include=include, exclude=exclude, may_lack=NAMELESS, as_of=as_of
    )
    n = lines.n_baskets
    counts = np.unique([LEAST, *(max(round(share * n), LEAST) for share in SHARES)])[::-1]
    found = search_itemsets(
        lines.sorted(LEAST),
        n_baskets=n,
        min_count=LEAST,
        max_length=max_length,
        cap=COUNTED,
    )
    known = np.sort(np.concatenate([np.zeros(0, np.int64), *found.counts]))
    counted = counts >= found.min_count
    itemsets = np.where(counted, len(known) - np.searchsorted(known, counts), 0)
    if not counted.all():
        itemsets[~counted] = _beyond(known, found.min_count, counts[~counted])
    return lines.history.noted(
        pd.DataFrame(
            {
                "min_support": counts,
                "support": counts / n,
                "itemsets": itemsets,
                "basis": np.where(counted, "counted", "estimated").astype(object),
                "seconds": itemsets * SECONDS_PER_ITEMSET + len(lines.item) * SECONDS_PER_LINE,
                "megabytes": (itemsets * BYTES_PER_ITEMSET + len(lines.item) * BYTES_PER_LINE)
                / 1e6,
            }
        )
    )


def _beyond(known: Ints, lowest: int, counts: Ints) -> Ints:
    """Estimate how many itemsets are in so many baskets: the number grows as a power of the count.

    The power is that between the lowest counted threshold and one and a half times it.
    """
    here, higher = len(known), len(known) - np.searchsorted(known, 1.5 * lowest)
    power = np.log(here / np.maximum(higher, 1)) / np.log(1.5) if here else 0.0
    # beyond what memory could hold the number itself says nothing
    return np.minimum(here * (lowest / counts) ** power, 1e15).astype(np.int64)
