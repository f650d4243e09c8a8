"""Pairs of items: the everyday question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import Adjustment, adjust_p_values
from crmkit._checks import check_choice
from crmkit.basket._math.measures import directed_measures, symmetric_measures
from crmkit.basket._math.mining import mine_itemsets
from crmkit.basket._math.sizes import chance_of_as_many, expected_together, margins
from crmkit.basket._table.baskets import minimum_count, read_baskets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit.basket._table.baskets import Unit


def item_pairs(
    transactions: Any,
    *,
    min_support: float = 0.001,
    unit: Unit = "order",
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    adjust: Adjustment = "bh",
    as_of: Any = None,
) -> pd.DataFrame:
    """List all pairs of items bought together often enough, with every measure.

    Parameters
    ----------
    transactions : DataFrame
        Order lines with ``customer_id``, ``date``, ``product`` and, if there is one, ``order_id``;
        without it all lines of a customer and day are one order. An item repeated in an order
        counts once; lines without a product count for no item, refunds for no order.
    min_support : float or int, default 0.001
        Smallest support of a pair: a share of all orders as a float up to 1, or a number of orders
        as an integer.
    unit : {"order", "customer"}
        Whether together means in one order or ever by one customer; then read customers for orders
        below.
    include, exclude : list of items, optional
        Look only at these items; leave these out. The orders they are in still count.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for the number of pairs listed: Benjamini-Hochberg,
        Benjamini-Yekutieli, Holm or Bonferroni.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per pair, by falling count, then by item:

        * ``item_a`` - the first item in sorted order.
        * ``item_b`` - the second.
        * ``count`` (int) - orders with both.
        * ``count_a`` (int) - orders with ``item_a``.
        * ``count_b`` (int) - orders with ``item_b``.
        * ``support`` (float) - share of orders with both.
        * ``lift`` (float) - support over what independence would give; 1 is chance.
        * ``leverage`` (float) - support minus what independence would give.
        * ``cosine`` (float) - support over the geometric mean of the items' supports.
        * ``jaccard`` (float) - orders with both over orders with either.
        * ``kulczynski`` (float) - mean of the two confidences.
        * ``imbalance_ratio`` (float) - difference of the counts over orders with either.
        * ``odds_ratio`` (float) - odds of one item with and without the other; may be infinite.
        * ``phi`` (float) - correlation of the two items.
        * ``chi_squared`` (float) - Pearson's statistic of independence, one degree of freedom.
        * ``hyper_lift`` (float) - count over the 99 % quantile of the count by chance; infinite
          where that quantile is 0.
        * ``hyper_confidence`` (float) - chance that independence gives fewer orders with both.
        * ``p_value`` (float) - Fisher's exact test, one-sided: bought together by chance.
        * ``p_adjusted`` (float) - the same, adjusted for the number of pairs listed.
        * ``expected_given_sizes`` (float) - orders with both by chance, if orders keep their sizes
          and items their numbers of orders.
        * ``lift_given_sizes`` (float) - ``count`` over that; 1 is chance.
        * ``p_given_sizes`` (float) - chance of as many together, given the sizes; on the safe side.
        * ``p_adjusted_given_sizes`` (float) - the same, adjusted for the number of pairs listed.
        * ``confidence_ab`` (float) - share of orders with ``item_a`` that have ``item_b``.
        * ``confidence_ba`` (float) - share of orders with ``item_b`` that have ``item_a``.
        * ``conviction_ab`` (float) - how much rarer ``item_a`` comes without ``item_b`` than by
          chance; infinite where it never does.
        * ``conviction_ba`` (float) - the other way round.
        * ``zhang_ab`` (float) - Zhang's measure from -1 (never together) to 1.
        * ``zhang_ba`` (float) - the other way round.
        * ``certainty_ab`` (float) - certainty factor from -1 to 1.
        * ``certainty_ba`` (float) - the other way round.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range or a listed item never occurs.

    See Also
    --------
    frequent_itemsets : Sets of any size.

    Notes
    -----
    ``lift`` and ``p_value`` compare with items that are independent across orders, as if all orders
    were alike. A large order holds a bit of everything. Where orders differ much in size, items
    that have nothing to do with each other have a lift above 1 and tiny p-values: with the items of
    the Complete Journey shuffled over its lines, the median lift is 2.5.

    The columns that end in ``given_sizes`` take that out. Their null model keeps, on average, the
    number of orders of every item and the number of items of every order, and assumes nothing else
    [3]_. Among the same shuffled items the median of ``lift_given_sizes`` is 0.99 and one adjusted
    p-value in thousands is below 1 %. The p-value is the tail of Poisson's distribution, which is
    at least that of the model. A size counts all items of an order, also those that `include` and
    `exclude` leave out. Wherever orders are not alike, these are the columns to read.

    Orders of one customer are taken as independent. Where 40 customers buy again and again what
    they like, by chance, 22 % of pairs that mean nothing have a p-value below 5 %, and
    13 % given the sizes.

    References
    ----------
    .. [1] Tan, P.-N., Kumar, V. and Srivastava, J. (2004). Selecting the right objective measure
       for association analysis. *Information Systems* 29(4), 293-313.
    .. [2] Hahsler, M. and Hornik, K. (2007). New probabilistic interest measures for association
       rules. *Intelligent Data Analysis* 11(5), 437-455.
    .. [3] Saracco, F. et al. (2017). Inferring monopartite projections of bipartite networks: an
       entropy-based approach. *New Journal of Physics* 19, 053022.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import basket
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 2, 3, 3, 4],
    ...         "date": pd.Timestamp("2025-06-30"),
    ...         "product": ["bread", "butter", "bread", "butter", "bread", "milk", "milk"],
    ...     }
    ... )
    >>> pairs = basket.item_pairs(transactions)
    >>> pairs[["item_a", "item_b", "count", "support", "confidence_ab", "lift"]].round(3)
      item_a  item_b  count  support  confidence_ab   lift
    0  bread  butter      2     0.50          0.667  1.333
    1  bread    milk      1     0.25          0.333  0.667
    """
    check_choice(adjust, "adjust", Adjustment)
    lines = read_baskets(transactions, unit=unit, include=include, exclude=exclude, as_of=as_of)
    found = mine_itemsets(
        lines.basket,
        lines.item,
        n_baskets=lines.n_baskets,
        n_items=len(lines.items),
        min_count=minimum_count(min_support, lines.n_baskets),
        max_length=2,
    )
    single = np.zeros(len(lines.items), dtype=np.int64)
    if found.items:
        single[found.items[0][:, 0]] = found.counts[0]
    pairs, count = np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64)
    if len(found.items) > 1:
        order = np.lexsort((found.items[1][:, 1], found.items[1][:, 0], -found.counts[1]))
        pairs, count = found.items[1][order], found.counts[1][order]
    a, b = single[pairs[:, 0]], single[pairs[:, 1]]
    known = lines.log.product >= 0
    item_count, basket_size = margins(
        lines.row_basket[known],
        lines.log.product[known],
        n_baskets=lines.n_baskets,
        n_items=len(lines.items),
    )
    expected = expected_together(item_count, basket_size, pairs)
    p_given_sizes = chance_of_as_many(count, expected)
    n = np.full(len(count), lines.n_baskets)
    measures = symmetric_measures(n, a, b, count)
    forth = directed_measures(n, a, b, count)
    back = directed_measures(n, b, a, count)
    both_ways = {}
    for name in forth:
        both_ways[f"{name}_ab"] = forth[name]
        both_ways[f"{name}_ba"] = back[name]
    table = pd.DataFrame(
        {
            "item_a": lines.items[pairs[:, 0]],
            "item_b": lines.items[pairs[:, 1]],
            "count": count,
            "count_a": a,
            "count_b": b,
            "support": count / lines.n_baskets,
            **measures,
            "p_adjusted": adjust_p_values(measures["p_value"], adjust),
            "expected_given_sizes": expected,
            "lift_given_sizes": count / expected,
            "p_given_sizes": p_given_sizes,
            "p_adjusted_given_sizes": adjust_p_values(p_given_sizes, adjust),
            **both_ways,
        }
    )
    return lines.history.noted(table)
