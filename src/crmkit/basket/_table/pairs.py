"""Pairs of items: the everyday question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import Adjustment, adjust_p_values, distinct
from crmkit._checks import check_choice, check_flag, check_number
from crmkit._frames import ACCOUNT, with_account
from crmkit._two_steps import in_two_steps
from crmkit.basket._math.measures import directed_measures, symmetric_measures
from crmkit.basket._math.sizes import chance_of_as_few, chance_of_as_many, margins, size_model
from crmkit.basket._math.witnesses import find_pairs, taste_sums, tastes, weights
from crmkit.basket._table.baskets import NAMELESS, read_baskets
from crmkit.basket._table.pair_parts import (
    add_orders,
    add_pairs,
    all_orders,
    candidates,
    count_orders,
    count_pairs,
    likely_pairs,
    too_many,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.witnesses import Witnesses
    from crmkit.basket._table.baskets import Unit
    from crmkit.basket._table.pair_parts import Orders


def item_pairs(
    transactions: Any,
    *,
    item: Iterable[Any] | None = None,
    apart: bool = False,
    min_support: float | None = None,
    unit: Unit = "order",
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    max_pairs: int = 2_000_000,
    adjust: Adjustment = "bh",
    as_of: Any = None,
) -> pd.DataFrame:
    """List all pairs of items bought together often enough, or too seldom, with every measure.

    Parameters
    ----------
    transactions : DataFrame
        Order lines with ``customer_id``, ``date``, ``product`` and, if there is one, ``order_id``;
        without it all lines of a customer and day are one order. An item repeated in an order
        counts once; lines without a product count for no item, refunds for no order. Numbered
        orders may lack customers and dates; each is then of a customer of its own. Of lists of
        items, or a table with a column per item, `as_baskets` makes such a log.
    item : list of items, optional
        Only what goes with these: pairs of one of them, which is ``item_a``, with any other item.
    apart : bool, default False
        List products that belong apart, such as substitutes: pairs that chance given sizes brings
        together in `min_support` orders or more and that are together in fewer than it does, if in
        any.
    min_support : float or int, optional
        Smallest support of a pair: a share of all orders as a float up to 1, or a number of orders
        as an integer. The default is 0.01, at least 5 orders; with `apart` it is 5 orders.
    unit : {"order", "customer"}
        Whether together means in one order or ever by one customer; then read customers for orders
        below.
    include, exclude : list of items, optional
        Look only at these items; leave these out. The orders they are in still count.
    max_pairs : int, default 2,000,000
        Stop with a message that names the threshold that fits, instead of filling the memory.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for the number of pairs listed: Benjamini-Hochberg,
        Benjamini-Yekutieli, Holm or Bonferroni. With `apart` also for the pairs that were looked at
        and are together often enough.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per pair, by falling count, then by item; with `apart` by rising ``p_apart``:

        * ``item_a`` - the first item in sorted order.
        * ``item_b`` - the second.
        * ``count`` (int) - orders with both.
        * ``customers`` (int) - customers with such an order.
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
        * ``p_given_sizes`` (float) - chance of as many together, given the sizes, with customers as
          independent and not their orders; on the safe side.
        * ``p_adjusted_given_sizes`` (float) - the same, adjusted for the number of pairs listed.
        * ``p_apart`` (float) - chance of as few together, given the sizes, with customers as
          independent; on the safe side.
        * ``p_adjusted_apart`` (float) - the same, adjusted for the number of pairs listed.
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
        If an option is out of range, a listed item never occurs, or there are more than `max_pairs`
        pairs.

    See Also
    --------
    frequent_itemsets : Sets of any size.

    Notes
    -----
    ``lift`` and ``p_value`` compare with items that are independent across orders, as if all orders
    were alike. A large order holds a bit of everything. Where orders differ much in size, items
    that have nothing to do with each other have a lift above 1 and tiny p-values: with the items of
    the Complete Journey shuffled over its lines, the median lift is 2.5. ``p_value`` takes orders
    of one customer as independent, too. Where 40 customers buy again and again what they like, by
    chance, 22 % of pairs that mean nothing have a ``p_value`` below 5 %.

    The columns that end in ``given_sizes`` take both out. Their null model keeps, on average, the
    number of orders of every item and the number of items of every order, and assumes nothing else
    [3]_. Among the same shuffled items the median of ``lift_given_sizes`` is 0.99. Customers may
    like what they like, if they like one item independently of the other: the p-values of both
    tails are those of Poisson's distribution, with both numbers divided by how many times as
    variable as independent orders the count is [4]_. Ten orders of one customer prove as much as
    one. With one order per customer they are at least those of the null model. A size counts all
    items of an order, also those that `include` and `exclude` leave out. Wherever orders are not
    alike, these are the columns to read.

    References
    ----------
    .. [1] Tan, P.-N., Kumar, V. and Srivastava, J. (2004). Selecting the right objective measure
       for association analysis. *Information Systems* 29(4), 293-313.
    .. [2] Hahsler, M. and Hornik, K. (2007). New probabilistic interest measures for association
       rules. *Intelligent Data Analysis* 11(5), 437-455.
    .. [3] Saracco, F. et al. (2017). Inferring monopartite projections of bipartite networks: an
       entropy-based approach. *New Journal of Physics* 19, 053022.
    .. [4] Rao, J. N. K. and Scott, A. J. (1992). A simple method for the analysis of clustered
       binary data. *Biometrics* 48(2), 577-585.

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
    >>> pairs = basket.item_pairs(transactions, min_support=1)
    >>> pairs[["item_a", "item_b", "count", "support", "confidence_ab", "lift"]].round(3)
      item_a  item_b  count  support  confidence_ab   lift
    0  bread  butter      2     0.50          0.667  1.333
    1  bread    milk      1     0.25          0.333  0.667
    """
    check_choice(adjust, "adjust", Adjustment)
    apart, cap = check_flag(apart, "apart"), check_number(max_pairs, "max_pairs")
    lines = read_baskets(
        transactions,
        unit=unit,
        include=include,
        exclude=exclude,
        may_lack=NAMELESS,
        as_of=as_of,
    )
    everything = lines.sorted(known=True)
    baskets = everything if include is exclude is None else lines.sorted()
    count, size = margins(everything, n_baskets=lines.n_baskets, n_items=len(lines.items))
    customer = lines.customer_of_basket()
    chance = weights(customer, size)
    orders = all_orders(
        *(lines.items, count, np.sort(baskets.code), lines.n_baskets, size_model(count, size)),
        together=chance.together,
        named=include is not None,
        item=item,
        apart=apart,
        min_support=min_support,
    )
    pairs, seen, found = find_pairs(
        baskets,
        chance,
        least=orders.least,
        cap=cap,
        beside=orders.chosen,
        given=likely_pairs(orders, cap) if apart else None,
    )
    if found.capped:
        raise too_many(found.min_count, int(found.held), orders.least, cap)
    taste = np.zeros(len(lines.items))
    if chance.together and len(pairs):
        some = distinct(pairs.ravel())
        sums = taste_sums(baskets, customer, size, some, orders.model.sizes)
        taste = tastes(sums, orders.model, some)
    return lines.history.noted(_measured(orders, pairs, seen, taste, apart=apart, adjust=adjust))


def _added(
    counted: pd.DataFrame,
    *,
    orders: Orders,
    pairs: Ints,
    apart: bool,
    max_pairs: int,
    adjust: Adjustment,
) -> pd.DataFrame:
    """Add up what all parts tell of pairs, and measure those in enough orders."""
    check_choice(adjust, "adjust", Adjustment)
    seen, taste = add_pairs(counted, orders, pairs)
    if not apart:
        enough = seen.count >= orders.least
        pairs, seen = pairs[enough], seen.take(enough)
        if len(pairs) > max_pairs:
            fits = int(np.sort(seen.count)[-max_pairs - 1]) + 1
            raise too_many(fits, int((seen.count >= fits).sum()), orders.least, max_pairs)
    table = _measured(orders, pairs, seen, taste, apart=apart, adjust=adjust)
    return with_account(table, counted.attrs.get(ACCOUNT, {}))


in_two_steps(
    item_pairs,
    before=[("orders", count_orders, add_orders), ("pairs", candidates, union)],
    first=count_pairs,
    rest=_added,
    by_order=True,
)


def _measured(
    orders: Orders,
    pairs: Ints,
    seen: Witnesses,
    taste: Floats,
    *,
    apart: bool,
    adjust: Adjustment,
) -> pd.DataFrame:
    """Write the measures of pairs in an order that only their content decides."""
    expected = orders.model.expected_together(pairs)
    spread = 1 + taste[pairs].prod(axis=1) * expected * orders.together
    p_apart = chance_of_as_few(seen.count, expected, spread)
    n_more = 0
    if apart:
        order = np.flatnonzero(seen.count < expected)
        n_more = len(pairs) - len(order)
        order = order[np.lexsort((*pairs[order].T[::-1], -expected[order], p_apart[order]))]
    else:
        order = np.lexsort((*pairs.T[::-1], -seen.count))
    pairs, seen = pairs[order], seen.take(order)
    count, expected, p_apart = seen.count, expected[order], p_apart[order]
    spread = np.maximum(spread[order], seen.spread(orders.together))
    p_given_sizes = chance_of_as_many(count, expected, spread)
    if orders.chosen is not None:  # what was asked for comes first
        turned = ~np.isin(pairs[:, 0], orders.chosen)
        pairs[turned] = pairs[turned, ::-1]
    a, b = orders.count[pairs[:, 0]], orders.count[pairs[:, 1]]
    n = np.full(len(count), orders.n_baskets)
    measures = symmetric_measures(n, a, b, count)
    forth, back = directed_measures(n, a, b, count), directed_measures(n, b, a, count)
    both_ways = {
        f"{name}_{way}": measure[name]
        for name in forth
        for way, measure in (("ab", forth), ("ba", back))
    }
    return pd.DataFrame(
        {
            "item_a": orders.items[pairs[:, 0]],
            "item_b": orders.items[pairs[:, 1]],
            "count": count,
            "customers": seen.customers,
            "count_a": a,
            "count_b": b,
            "support": count / orders.n_baskets,
            **measures,
            "p_adjusted": adjust_p_values(measures["p_value"], adjust, n_more=n_more),
            "expected_given_sizes": expected,
            "lift_given_sizes": count / expected,
            "p_given_sizes": p_given_sizes,
            "p_adjusted_given_sizes": adjust_p_values(p_given_sizes, adjust, n_more=n_more),
            "p_apart": p_apart,
            "p_adjusted_apart": adjust_p_values(p_apart, adjust, n_more=n_more),
            **both_ways,
        }
    )
