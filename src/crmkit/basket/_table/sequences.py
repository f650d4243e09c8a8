"""What is bought later after what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import Adjustment, adjust_p_values, distinct
from crmkit._checks import check_choice, check_flag, check_number, check_optional
from crmkit._log import PurchaseLog, read_log
from crmkit.basket._math import sequences
from crmkit.basket._math.itemset_index import lexicographic_order
from crmkit.basket._math.ordered_pairs import ordered_pairs, sign_test
from crmkit.basket._math.sequence_mining import mine_sequences
from crmkit.basket._table.baskets import as_tuples, item_mask, minimum_count, object_column
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._frames import Log


def read_histories(
    transactions: Any,
    min_support: Any,
    include: Iterable[Any] | None,
    exclude: Iterable[Any] | None,
    as_of: Any,
    default: float = 0.01,
) -> tuple[PurchaseLog, Log, sequences.Histories, int]:
    """Read a log, its purchases, and who bought which items with enough customers on which day."""
    history = read_log(transactions, needs=("product",), as_of=as_of)
    log = history.purchases
    min_count = minimum_count(min_support, log.n_customers, default)
    n_items = len(log.product_ids)
    known = log.product >= 0
    buyers = distinct(log.product[known] * log.n_customers + log.customer[known])
    wanted = np.bincount(buyers // log.n_customers, minlength=n_items) >= min_count
    wanted &= item_mask(log.product_ids, include, exclude)
    known[known] = wanted[log.product[known]]
    lines = sequences.histories(
        log.customer[known],
        log.day[known],
        log.product[known],
        n_customers=log.n_customers,
        n_items=n_items,
    )
    return history, log, lines, min_count


def check_gaps(min_gap_days: Any, max_gap_days: Any) -> tuple[int, int | None]:
    """Check the two gaps; items of one day have no order, so that the smallest gap is a day."""
    low: int = check_number(min_gap_days, "min_gap_days")
    return low, check_optional(max_gap_days, "max_gap_days", low=low)


def frequent_sequences(
    transactions: Any,
    *,
    min_support: float | None = None,
    max_length: int | None = None,
    min_gap_days: int = 1,
    max_gap_days: int | None = None,
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    max_sequences: int = 1_000_000,
    as_of: Any = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Find the sequences of items that enough customers bought one after the other.

    A customer supports a sequence who bought its items on different days in this order; other
    purchases may lie between. An item may follow itself.

    Parameters
    ----------
    transactions : DataFrame
        The log with ``customer_id``, ``date`` and ``product``. A refund is no purchase.
    min_support : float or int, optional
        Smallest support: a share of all customers as a float up to 1, or a number of customers as
        an integer. The default is 0.05, at least 5 customers: a history holds far more sequences
        than an order holds itemsets, whose default is 0.01.
    max_length : int, optional
        Largest number of items in a sequence.
    min_gap_days : int, default 1
        Fewest days from one item to the next.
    max_gap_days : int, optional
        Most days from one item to the next. The default is any number.
    include, exclude : list of items, optional
        Look only at these items; leave these out.
    max_sequences : int, default 1,000,000
        Stop with a message that says what threshold would fit, instead of filling the memory.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    progress : bool, default False
        Show a progress bar over the items that sequences begin with.

    Returns
    -------
    pandas.DataFrame
        One row per sequence, by falling count, then by length, then by items:

        * ``sequence`` (tuple) - the items in order.
        * ``length`` (int) - number of items.
        * ``count`` (int) - customers who bought them in this order.
        * ``support`` (float) - share of all customers.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range, or there are more than `max_sequences` sequences.

    References
    ----------
    .. [1] Pei, J. et al. (2004). Mining sequential patterns by pattern-growth: the PrefixSpan
       approach. *IEEE Transactions on Knowledge and Data Engineering* 16(11), 1424-1440.

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
    >>> basket.frequent_sequences(transactions, min_support=2)
             sequence  length  count   support
    0          (ink,)       1      3  1.000000
    1      (printer,)       1      2  0.666667
    2  (printer, ink)       2      2  0.666667
    """
    max_length = check_optional(max_length, "max_length")
    cap = check_number(max_sequences, "max_sequences")
    min_gap, max_gap = check_gaps(min_gap_days, max_gap_days)
    history, log, lines, min_count = read_histories(
        transactions, min_support, include, exclude, as_of, default=0.05
    )
    find = partial(
        mine_sequences,
        lines,
        min_count=min_count,
        max_length=max_length,
        min_gap=min_gap,
        max_gap=max_gap,
        cap=cap,
    )
    if check_flag(progress, "progress"):
        from tqdm.auto import tqdm

        with tqdm(total=len(np.unique(lines.item)), unit="items") as bar:
            found = find(step=bar.update)
    else:
        found = find()
    if found.capped:
        fits = found.min_count
        raise InputError(
            f"`min_support` of {min_count:,} customers gives more than `max_sequences` = {cap:,} "
            f"sequences; {fits:,} customers ({fits / log.n_customers:.3g}) give {found.held:,}. "
            "Raise `min_support`, limit `max_length` or `max_gap_days`, or raise `max_sequences` "
            "if the memory allows."
        )
    names: list[tuple[Any, ...]] = []
    counts, lengths = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for level in found.levels:
        rows, count = (np.concatenate(part) for part in zip(*level, strict=True))
        order = lexicographic_order(rows, lines.n_items)
        order = order[np.argsort(-count[order], kind="stable")]
        names += as_tuples(log.product_ids, rows[order])
        counts.append(count[order])
        lengths.append(np.full(len(order), rows.shape[1]))
    count, length = np.concatenate(counts), np.concatenate(lengths)
    order = np.argsort(-count, kind="stable")
    table = pd.DataFrame(
        {
            "sequence": object_column(names)[order],
            "length": length[order],
            "count": count[order],
            "support": count[order] / log.n_customers,
        }
    )
    return history.noted(table)


def sequence_rules(
    transactions: Any,
    *,
    min_support: float | None = None,
    min_confidence: float = 0.1,
    min_gap_days: int = 1,
    max_gap_days: int | None = None,
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    adjust: Adjustment = "bh",
    as_of: Any = None,
) -> pd.DataFrame:
    """Tell which item customers buy later, after which.

    Parameters
    ----------
    transactions : DataFrame
        The log with ``customer_id``, ``date`` and ``product``. A refund is no purchase.
    min_support : float or int, optional
        Smallest support: a share of all customers as a float up to 1, or a number of customers as
        an integer. The default is 0.01, at least 5 customers.
    min_confidence : float, default 0.1
        Smallest confidence.
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
        One row per rule, by falling lift, then count, then items; an item may follow itself:

        * ``antecedent`` (tuple) - the item bought first.
        * ``consequent`` (tuple) - the item bought later.
        * ``count`` (int) - customers who bought the one and later the other.
        * ``count_antecedent`` (int) - customers who bought the antecedent.
        * ``count_consequent`` (int) - customers who ever bought the consequent.
        * ``support`` (float) - share of all customers with the sequence.
        * ``confidence`` (float) - share of the antecedent's customers with the sequence.
        * ``lift`` (float) - confidence over the share of all customers who ever bought the
          consequent.
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
    A high lift says that the same customers buy both; a low p-value says that the order matters.
    Customers who buy much have every item in both orders and tell nothing about it. Seasons and
    new products make an order too: what is sold in spring comes before what is sold in autumn.

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
    min_confidence = check_number(min_confidence, "min_confidence")
    check_choice(adjust, "adjust", Adjustment)
    min_gap, max_gap = check_gaps(min_gap_days, max_gap_days)
    history, log, lines, min_count = read_histories(
        transactions, min_support, include, exclude, as_of
    )
    found = ordered_pairs(
        lines,
        min_count=min_count,
        min_gap=min_gap,
        max_gap=max_gap,
        last_day=log.as_of,
    )
    a, b = found.first, found.second
    ever = np.bincount(lines.item[lines.previous < 0], minlength=lines.n_items)
    confidence = found.count / np.maximum(found.count_first, 1)
    lift = confidence * log.n_customers / ever[b]
    p_value = np.where(a == b, 1.0, sign_test(found.only_forth, found.only_back))
    order = np.lexsort((b, a, -found.count, -lift))
    order = order[confidence[order] >= min_confidence]
    table = pd.DataFrame(
        {
            "antecedent": object_column(as_tuples(log.product_ids, a[order, None])),
            "consequent": object_column(as_tuples(log.product_ids, b[order, None])),
            "count": found.count[order],
            "count_antecedent": found.count_first[order],
            "count_consequent": ever[b[order]],
            "support": found.count[order] / log.n_customers,
            "confidence": confidence[order],
            "lift": lift[order],
            "median_gap_days": found.median_gap[order],
            "count_reverse": found.count_reverse[order],
            "p_value": p_value[order],
            "p_adjusted": adjust_p_values(p_value, adjust)[order],
        }
    )
    return history.noted(table)
