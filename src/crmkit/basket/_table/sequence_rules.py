"""Rules of what is bought later after what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import Adjustment, adjust_p_values
from crmkit._checks import check_choice, check_number
from crmkit._frames import ACCOUNT, with_account
from crmkit._two_steps import in_two_steps
from crmkit.basket._math.ordered_pairs import ordered_pairs, sign_test
from crmkit.basket._table.baskets import object_column
from crmkit.basket._table.histories import check_gaps, read_histories
from crmkit.basket._table.history_parts import add_buyers, count_buyers
from crmkit.basket._table.order_parts import (
    add_in_order,
    both_orders,
    count_pairs_in_order,
    find_in_order,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from crmkit._typing import Ints
    from crmkit.basket._math.ordered_pairs import OrderedPairs
    from crmkit.basket._table.history_parts import Buyers


def sequence_rules(
    transactions: Any,
    *,
    min_support: float | None = None,
    min_confidence: float = 0.1,
    max_together: int = 1,
    min_gap_days: int = 1,
    max_gap_days: int | None = None,
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    adjust: Adjustment = "bh",
    as_of: Any = None,
) -> pd.DataFrame:
    """Tell what customers buy later, after what, and whether the order means anything.

    Parameters
    ----------
    transactions : DataFrame
        The log with ``customer_id``, ``date`` and ``product``. A refund is no purchase.
    min_support : float or int, optional
        Smallest support: a share of all customers as a float up to 1, or a number of customers as
        an integer. The default is 0.01, at least 5 customers.
    min_confidence : float, default 0.1
        Smallest confidence.
    max_together : int, default 1
        Most items of one day on each side: A and B, then C.
    min_gap_days : int, default 1
        Fewest days from the antecedent to the consequent.
    max_gap_days : int, optional
        Most days from the antecedent to the consequent. With it only purchases of the antecedent
        count whose whole window lies before the end of the log, so that recent buyers do not pass
        for unfaithful ones.
    include, exclude : list of items, optional
        Look only at these items; leave these out.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for the number of rules with enough support.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per rule, by rising ``p_value``, then falling count, then items; an item may follow
        itself:

        * ``antecedent`` (tuple) - the items bought first, on one day.
        * ``consequent`` (tuple) - the items bought later, on one day.
        * ``count`` (int) - customers who bought the one and later the other.
        * ``count_antecedent`` (int) - customers who bought the antecedent.
        * ``count_consequent`` (int) - customers who ever bought the consequent.
        * ``support`` (float) - share of all customers with the sequence.
        * ``confidence`` (float) - share of the antecedent's customers with the sequence.
        * ``expected_count`` (float) - customers by chance if the order meant nothing: the mean of
          `count` and `count_reverse`.
        * ``lift`` (float) - count over that; 1 is chance, 2 where none bought them the other way
          round.
        * ``median_gap_days`` (float) - median over these customers of the days from the first
          antecedent to the next consequent within the gaps.
        * ``count_reverse`` (int) - customers who bought them in the opposite order, by the same
          gaps.
        * ``p_value`` (float) - exact sign test, one-sided, among customers with one order only:
          as many in this order by chance. 1 for an item after itself.
        * ``p_adjusted`` (float) - the same, adjusted for the number of rules tested.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range.

    Notes
    -----
    Lift and p-value are about the order alone: if it means nothing, as many customers have two
    things in one order as in the other, whatever else they buy and however often. Customers who buy
    much have every item in both orders and tell nothing about it. Whether the same customers buy
    both, `item_pairs` tells with ``unit="customer"``. Seasons and new products make an order too:
    what is sold in spring comes before what is sold in autumn.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import basket
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 2, 3],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-01", "2025-02-01", "2025-01-05", "2025-01-20", "2025-01-09"]
    ...         ),
    ...         "product": ["printer", "ink", "printer", "ink", "ink"],
    ...     }
    ... )
    >>> rules = basket.sequence_rules(transactions, min_support=2)
    >>> rules[["antecedent", "consequent", "count", "confidence", "median_gap_days"]]
       antecedent consequent  count  confidence  median_gap_days
    0  (printer,)     (ink,)      2         1.0             23.0
    """
    read = read_histories(
        *(transactions, min_support, include, exclude, as_of), max_together=max_together
    )
    min_gap, max_gap = check_gaps(min_gap_days, max_gap_days)
    lines = read.lines
    found = ordered_pairs(
        lines,
        min_count=read.min_count,
        min_gap=min_gap,
        max_gap=max_gap,
        last_day=read.log.as_of,
    )
    ever = np.bincount(lines.item[lines.previous < 0], minlength=lines.n_items)
    options: dict[str, Any] = {"min_confidence": min_confidence, "adjust": adjust}
    table = _judged(found, ever, read.names, read.log.n_customers, **options)
    return read.history.noted(table)


def _added(
    counted: pd.DataFrame,
    *,
    buyers: Buyers,
    pairs: Ints,
    min_confidence: float,
    adjust: Adjustment,
) -> pd.DataFrame:
    """Add up what parts tell of ordered pairs, and judge those of enough customers."""
    found, ever = add_in_order(counted, buyers, pairs)
    names = object_column([(item,) for item in buyers.items])
    options: dict[str, Any] = {"min_confidence": min_confidence, "adjust": adjust}
    table = _judged(found, ever, names, buyers.n_customers, **options)
    return with_account(table, counted.attrs.get(ACCOUNT, {}))


in_two_steps(
    sequence_rules,
    before=[("buyers", count_buyers, add_buyers), ("pairs", find_in_order, both_orders)],
    first=count_pairs_in_order,
    rest=_added,
)


def _judged(
    found: OrderedPairs,
    ever: Ints,
    names: NDArray[np.object_],
    n_customers: int,
    *,
    min_confidence: float,
    adjust: Adjustment,
) -> pd.DataFrame:
    """Write the rules of ordered pairs, by their p-values."""
    min_confidence = check_number(min_confidence, "min_confidence")
    check_choice(adjust, "adjust", Adjustment)
    a, b = found.first, found.second
    confidence = found.count / np.maximum(found.count_first, 1)
    expected = (found.count + found.count_reverse) / 2
    p_value = np.where(a == b, 1.0, sign_test(found.only_forth, found.only_back))
    order = np.lexsort((b, a, -found.count, p_value))
    order = order[confidence[order] >= min_confidence]
    return pd.DataFrame(
        {
            "antecedent": names[a[order]],
            "consequent": names[b[order]],
            "count": found.count[order],
            "count_antecedent": found.count_first[order],
            "count_consequent": ever[b[order]],
            "support": found.count[order] / n_customers,
            "confidence": confidence[order],
            "expected_count": expected[order],
            "lift": (found.count / expected)[order],
            "median_gap_days": found.median_gap[order],
            "count_reverse": found.count_reverse[order],
            "p_value": p_value[order],
            "p_adjusted": adjust_p_values(p_value, adjust)[order],
        }
    )
