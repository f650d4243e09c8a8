"""Frequent itemsets of any length, straight from the long log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import check_choice, check_number, check_optional
from crmkit._two_steps import in_two_steps
from crmkit.basket._math.collector import Itemsets
from crmkit.basket._math.incidence import sort_baskets
from crmkit.basket._math.itemset_index import counting_order, lexicographic_order, unsurpassed
from crmkit.basket._math.mining import search_itemsets
from crmkit.basket._table.baskets import NAMELESS, minimum_count, read_baskets, write_tuples
from crmkit.basket._table.itemset_parts import (
    add_items,
    candidates,
    count_candidates,
    count_items,
    union,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Ints
    from crmkit.basket._table.baskets import Unit
    from crmkit.basket._table.itemset_parts import Frequent

ItemsetFamily = Literal["all", "closed", "maximal"]


def frequent_itemsets(
    transactions: Any,
    *,
    min_support: float | None = None,
    n_best: int | None = None,
    min_length: int = 1,
    max_length: int | None = None,
    family: ItemsetFamily = "all",
    unit: Unit = "order",
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    groups: Iterable[str] = (),
    max_itemsets: int = 2_000_000,
    as_of: Any = None,
) -> pd.DataFrame:
    """Find the sets of items that are bought together often enough.

    Parameters
    ----------
    transactions : DataFrame
        Order lines with ``customer_id``, ``date``, ``product`` and, if there is one, ``order_id``;
        without it all lines of a customer and day are one order. An item repeated in an order
        counts once; lines without a product count for no item, refunds for no order. Numbered
        orders may lack customers and dates; each is then of a customer of its own. Of lists of
        items, or a table with a column per item, `as_baskets` makes such a log.
    min_support : float or int, optional
        Smallest support: a share of all orders as a float up to 1, or a number of orders as an
        integer. The default is 0.01, at least 5 orders, or 1 order if `n_best` is given.
    n_best : int, optional
        Only the itemsets with the highest counts, this many and those tied with the last of them;
        `family` then chooses among these.
    min_length : int, default 1
        Smallest number of items in a set.
    max_length : int, optional
        Largest number of items in a set.
    family : {"all", "closed", "maximal"}
        ``"closed"`` leaves out sets with a superset in as many orders, which loses no information;
        ``"maximal"`` leaves out sets with any frequent superset. Supersets within `max_length`
        are looked at.
    unit : {"order", "customer"}
        Whether together means in one order or ever by one customer; then read customers for orders
        below.
    include, exclude : list of items, optional
        Look only at these items; leave these out. The orders they are in still count.
    groups : list of str, default ()
        Columns of `transactions` that group products, such as a category or a brand. Each group is
        an item beside its products, named ``"column=value"``. No itemset holds an item together
        with a group it belongs to, because that says nothing.
    max_itemsets : int, default 2,000,000
        Stop with a message that names the threshold that fits, instead of filling the memory.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per itemset, by falling count, then by length, then by items:

        * ``itemset`` (tuple) - the items, sorted.
        * ``length`` (int) - number of items.
        * ``count`` (int) - orders with all of them.
        * ``customers`` (int) - customers with such an order.
        * ``support`` (float) - share of orders with all of them.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range, a listed item never occurs, or there are more than
        `max_itemsets` itemsets.

    See Also
    --------
    association_rules : Rules from these itemsets.

    References
    ----------
    .. [1] Zaki, M. J. (2000). Scalable algorithms for association mining. *IEEE Transactions on
       Knowledge and Data Engineering* 12(3), 372-390.
    .. [2] Pasquier, N., Bastide, Y., Taouil, R. and Lakhal, L. (1999). Discovering frequent closed
       itemsets for association rules. *ICDT 1999*, 398-416.

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
    >>> basket.frequent_itemsets(transactions, min_support=0.5)
               itemset  length  count  customers  support
    0         (bread,)       1      3          3     0.75
    1        (butter,)       1      2          2     0.50
    2          (milk,)       1      2          2     0.50
    3  (bread, butter)       2      2          2     0.50
    """
    check_choice(family, "family", ItemsetFamily)
    min_length = check_number(min_length, "min_length")
    max_length = check_optional(max_length, "max_length", low=min_length)
    max_itemsets = check_number(max_itemsets, "max_itemsets")
    n_best = check_optional(n_best, "n_best", high=max_itemsets)
    if min_support is None and n_best is not None:
        min_support = 1
    lines = read_baskets(
        transactions,
        unit=unit,
        include=include,
        exclude=exclude,
        groups=groups,
        may_lack=NAMELESS,
        as_of=as_of,
    )
    items, n_baskets, apart = lines.items, lines.n_baskets, lines.apart
    basket, item, customer = lines.basket, lines.item, lines.customer_of_basket()
    del lines  # the log's other columns make room for the search
    min_count = minimum_count(min_support, n_baskets)
    baskets = sort_baskets(basket, item, n_items=len(items), min_count=min_count, customer=customer)
    del basket, item, customer
    found = search_itemsets(
        baskets,
        n_baskets=n_baskets,
        min_count=min_count,
        max_length=max_length,
        limit=n_best,
        cap=max_itemsets,
        min_length=min_length,
        apart=apart,
    )
    if found.capped:
        counts = np.concatenate([np.zeros(0, np.int64), *found.counts[min_length - 1 :]])
        fits, share = found.min_count, found.min_count / n_baskets
        raise InputError(
            f"`min_support` of {min_count:,} orders gives more than `max_itemsets` = "
            f"{max_itemsets:,} itemsets; {fits:,} orders ({share:.3g}) give {len(counts):,}. Raise "
            "`min_support`, limit `max_length`, or raise `max_itemsets` if the memory allows."
        )
    return _frame(found, items, family, min_length)


def _counted(
    counted: pd.DataFrame,
    *,
    frequent: Frequent,
    itemsets: tuple[Ints, ...],
    min_length: int,
    max_length: int | None,
    family: ItemsetFamily,
    max_itemsets: int,
) -> pd.DataFrame:
    """Add up the orders of each candidate in all parts, and keep those that are frequent."""
    check_choice(family, "family", ItemsetFamily)
    min_length = check_number(min_length, "min_length")
    max_length = check_optional(max_length, "max_length", low=min_length)
    levels, counts, customers, n_found = [], [], [], 0
    for length, rows in enumerate(itemsets, 1):
        mine = counted[counted["length"] == length]
        count, customer = np.zeros((2, len(rows)), dtype=np.int64)
        np.add.at(count, mine["row"].to_numpy(), mine["count"].to_numpy())
        np.add.at(customer, mine["row"].to_numpy(), mine["customers"].to_numpy())
        kept = count >= frequent.min_count
        if not kept.any():
            break
        levels.append(rows[kept])
        counts.append(count[kept])
        customers.append(customer[kept])
        n_found += int(kept.sum()) * (length >= min_length)
    if n_found > max_itemsets:
        raise InputError(
            f"`min_support` of {frequent.min_count:,} orders gives {n_found:,} itemsets, more than "
            f"`max_itemsets` = {max_itemsets:,}. Raise `min_support`, limit `max_length`, or raise "
            "`max_itemsets` if the memory allows."
        )
    numbers = frequent.n_baskets, frequent.min_count
    found = Itemsets(tuple(levels), tuple(counts), tuple(customers), *numbers, capped=False)
    return _frame(found, frequent.items, family, min_length)


in_two_steps(
    frequent_itemsets,
    before=[
        ("frequent", count_items, add_items),
        ("itemsets", candidates, union),
    ],
    first=count_candidates,
    rest=_counted,
    by_order=True,
)


def _frame(
    found: Itemsets, items: pd.Index[Any], family: ItemsetFamily, min_length: int
) -> pd.DataFrame:
    """Write itemsets as a table in an order that only their content decides."""
    levels, counts = found.items[min_length - 1 :], found.counts[min_length - 1 :]
    customers = found.customers[min_length - 1 :]
    if family != "all":
        kept = unsurpassed(found.items, found.counts, len(items), closed=family == "closed")
        kept = kept[min_length - 1 :]
        levels = tuple(rows[keep] for rows, keep in zip(levels, kept, strict=True))
        counts, customers = (
            tuple(number[keep] for number, keep in zip(numbers, kept, strict=True))
            for numbers in (counts, customers)
        )
    start = np.cumsum([0, *(len(count) for count in counts)]).tolist()
    orders = [lexicographic_order(rows, len(items)) for rows in levels]
    order = np.concatenate([np.zeros(0, np.int64), *map(np.add, orders, start[:-1])])
    count, customer = (
        np.concatenate([np.zeros(0, np.int64), *numbers]) for numbers in (counts, customers)
    )
    order = order[counting_order(count.max(initial=0) - count[order])]
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    itemset = np.empty(len(order), dtype=object)
    names = items.to_numpy(dtype=object)
    for rows, begin, end in zip(levels, start, start[1:], strict=False):
        write_tuples(itemset, place[begin:end], names, rows)
    length = np.repeat(np.arange(len(levels)) + min_length, np.diff(start))
    return pd.DataFrame(
        {
            "itemset": itemset,
            "length": length[order],
            "count": count[order],
            "customers": customer[order],
            "support": count[order] / found.n_baskets,
        },
        copy=False,
    )
