"""Money of itemsets and rules, counted in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._two_steps import in_one, in_two_steps
from crmkit.basket._math.productive import CELLS, chance_beside
from crmkit.basket._report.count import (
    add_up,
    by_size,
    cover_lines,
    order_of,
    over_parts,
    read_sets,
    size_model_of,
    with_items,
)
from crmkit.basket._report.read import read_column
from crmkit.basket._table.baskets import NAMELESS, object_column, read_baskets

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.cover import Cover
    from crmkit.basket._report.count import Weight
    from crmkit.basket._report.read import Tuples
    from crmkit.basket._table.baskets import BasketLog, Unit


def itemset_value(
    itemsets: Any, transactions: Any, *, unit: Unit = "order", as_of: Any = None
) -> pd.DataFrame:
    """Tell what money itemsets make: in their own items and in the orders that hold them.

    Parameters
    ----------
    itemsets : pandas.DataFrame
        Any table with a column ``itemset``, whole or in part.
    transactions : DataFrame
        The log with ``customer_id``, ``date``, ``product``, ``amount`` and, if there is one,
        ``order_id`` and ``quantity``. A refund is in no basket.
    unit : {"order", "customer"}
        Whether together means in one order or ever by one customer; then read customers for orders
        below.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per itemset, by falling ``amount``, then by length and items:

        * ``itemset`` (tuple) - as given.
        * ``count`` (int) - orders with all its items.
        * ``customers`` (int) - customers with such an order.
        * ``amount`` (float) - what its items brought in these orders, in units of ``amount``, less
          refunds booked in the same orders.
        * ``amount_per_order`` (float) - the same per order; 0 if there is none.
        * ``order_amount`` (float) - what these orders brought in all.
        * ``order_amount_per_order`` (float) - the same per order; 0 if there is none.
        * ``quantity`` (float) - units of its items in these orders; only if the log has them.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an itemset names an item that is not in the log.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import basket
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 2, 3],
    ...         "date": pd.Timestamp("2025-06-30"),
    ...         "product": ["bread", "butter", "bread", "butter", "bread"],
    ...         "amount": [2.0, 3.0, 2.0, 4.0, 2.0],
    ...     }
    ... )
    >>> itemsets = basket.frequent_itemsets(transactions, min_support=2, min_length=2)
    >>> basket.itemset_value(itemsets, transactions)[["itemset", "count", "amount"]]
               itemset  count  amount
    0  (bread, butter)      2    11.0
    """
    return in_one(itemset_value, locals())


def _counted(transactions: Any, *, itemsets: Any, unit: Unit, as_of: Any) -> pd.DataFrame:
    """Count and add up what itemsets make in a part of the log, and name its items."""
    lines = read_baskets(
        transactions,
        unit=unit,
        needs=("amount",),
        optional=("quantity",),
        may_lack=NAMELESS,
        as_of=as_of,
    )
    (sets,) = read_column(itemsets, "itemsets")
    cover = cover_lines(lines)
    amount, by_basket = net_totals(cover, lines, "amount", unit)
    wanted: dict[str, Weight] = {
        "amount": lambda _basket, entry: amount[entry].sum(axis=1),
        "order_amount": lambda basket, _entry: by_basket[basket],
    }
    if lines.log.has("quantity"):
        quantity, _ = net_totals(cover, lines, "quantity", unit)
        wanted["quantity"] = lambda _basket, entry: quantity[entry].sum(axis=1)
    count, sums = add_up(cover, lines, sets, wanted)
    customers, _ = add_up(cover, lines, sets, {}, customer=lines.customer_of_basket())
    return with_items({"count": count, "customers": customers, **sums}, lines.items)


def _valued(counted: pd.DataFrame, *, itemsets: Any) -> pd.DataFrame:
    """Describe itemsets by their sums over all parts."""
    sums, items = over_parts(counted)
    (sets,) = read_column(itemsets, "itemsets")
    order = order_of([sets], "itemsets", items)
    table = sums.take(order).reset_index(drop=True)
    table.insert(0, "itemset", object_column([sets[row] for row in order]))
    per = np.maximum(table["count"], 1)
    table.insert(4, "amount_per_order", table["amount"] / per)
    table.insert(6, "order_amount_per_order", table["order_amount"] / per)
    return _by_falling(table, "amount")


in_two_steps(itemset_value, table="transactions", first=_counted, rest=_valued, by_order=True)


def rule_value(
    rules: Any, transactions: Any, *, unit: Unit = "order", as_of: Any = None
) -> pd.DataFrame:
    """Tell what money rules make, and how much of it is more than chance would bring.

    Parameters
    ----------
    rules : pandas.DataFrame
        Any table with columns ``antecedent`` and ``consequent``, whole or in part; of `item_pairs`
        the rule from ``item_a`` to ``item_b``.
    transactions : DataFrame
        The log with ``customer_id``, ``date``, ``product``, ``amount`` and, if there is one,
        ``order_id``.
    unit : {"order", "customer"}
        Whether together means in one order or ever by one customer; then read customers for orders
        below.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per rule, by falling ``extra_amount``, then by length and items:

        * ``antecedent`` (tuple) - as given.
        * ``consequent`` (tuple) - as given.
        * ``count`` (int) - orders with both sides.
        * ``customers`` (int) - customers with such an order.
        * ``expected_count`` (float) - orders with both sides by chance, from the sizes of the
          orders that hold the antecedent.
        * ``amount`` (float) - what both sides' items brought in orders with both.
        * ``consequent_amount`` (float) - what the consequent's items brought there.
        * ``extra_amount`` (float) - the part of ``consequent_amount`` beyond the expected count.
        * ``added_amount`` (float) - the part of ``extra_amount``, if that is above 0, in order
          lines that no row above counts on either side. It adds up: A -> B and B -> A are not
          counted twice.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a rule names an item that is not in the log.

    Notes
    -----
    A large order holds a bit of everything, and a longer antecedent picks larger orders. Chance is
    that of `item_pairs`: orders keep their numbers of items, items their numbers of orders. Only
    the orders that hold the antecedent are looked at. On products shuffled over the lines of Online
    Retail the ten best rules of two items show 4 % of what they show in truth.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> rules = basket.association_rules(basket.frequent_itemsets(log))
    >>> value = basket.rule_value(rules, log)
    >>> bool((value["consequent_amount"] <= value["amount"]).all())
    True
    """
    lines = read_baskets(transactions, unit=unit, needs=("amount",), may_lack=NAMELESS, as_of=as_of)
    left, right = read_sets(rules, "rules", lines.items)
    cover = cover_lines(lines)
    amount, _ = net_totals(cover, lines, "amount", unit)
    paid: dict[str, Weight] = {"amount": lambda _basket, entry: amount[entry].sum(axis=1)}
    n_right = np.fromiter(map(len, right), dtype=np.int64, count=len(right))
    both = [(*b, *a) for a, b in zip(left, right, strict=True)]
    # the consequent's items come first in `both`: sets with equally many are added up together
    count, sums = np.zeros(len(both), dtype=np.int64), np.zeros((2, len(both)))
    for k in np.unique(n_right):
        here = np.flatnonzero(n_right == k)
        paid["consequent"] = _of_first(amount, int(k))
        count[here], part = add_up(cover, lines, [both[i] for i in here], paid)
        sums[0, here], sums[1, here] = part["amount"], part["consequent"]
    expected = _expected(cover, lines, left, right)
    extra = sums[1] * (count - expected) / np.maximum(count, 1)
    order = np.argsort(-extra, kind="stable")
    share = np.where(extra > 0, 1 - expected / np.maximum(count, 1), 0.0)
    customers, _ = add_up(cover, lines, both, {}, customer=lines.customer_of_basket())
    added = _counted_once(cover, lines, both, n_right, order, amount)
    table = pd.DataFrame(
        {
            "antecedent": object_column(left),
            "consequent": object_column(right),
            "count": count,
            "customers": customers,
            "expected_count": expected,
            "amount": sums[0],
            "consequent_amount": sums[1],
            "extra_amount": extra,
            "added_amount": added * share,
        }
    )
    return table.take(order).reset_index(drop=True)


def _expected(cover: Cover, lines: BasketLog, left: Tuples, right: Tuples) -> Floats:
    """Return how many of the baskets with the left side hold the right one by chance."""
    model = size_model_of(lines)
    place = {item: code for code, item in enumerate(lines.items.tolist())}
    shape = np.array([(len(a), len(b)) for a, b in zip(left, right, strict=True)]).reshape(-1, 2)
    expected = np.zeros(len(left))
    for k, j in np.unique(shape, axis=0).tolist():
        here = np.flatnonzero((shape == (k, j)).all(axis=1))
        step = max(CELLS // max(len(model.sizes), 1), 1)
        for start in range(0, len(here), step):
            some = here[start : start + step]
            held, more = (
                np.array([[place[item] for item in side[i]] for i in some])
                for side in (left, right)
            )
            chance = chance_beside(model, held, more)
            expected[some] = (by_size(cover, model, held) * chance).sum(axis=1)
    return expected


def _counted_once(
    cover: Cover, lines: BasketLog, sets: Tuples, n_right: Ints, order: Ints, amount: Floats
) -> Floats:
    """Return the money of each rule in lines that none before it counts.

    `sets` hold the consequent's items first; `order` is that of the rules.
    """
    place = {item: code for code, item in enumerate(lines.items.tolist())}
    counted, added = np.zeros(len(cover.key), dtype=bool), np.zeros(len(sets))
    for rule in order.tolist():
        rows = np.array([[place[item] for item in sets[rule]]])
        for _, _, entry in cover.find(rows):
            then = entry[:, : n_right[rule]]
            new = ~counted[then].any(axis=1)
            added[rule] = amount[then[new]].sum()
            counted[entry[new]] = True
    return added


def net_totals(cover: Cover, lines: BasketLog, name: str, unit: str) -> tuple[Floats, Floats]:
    """Return a number's total per incidence and per basket, less the refunds of the basket.

    A basket's total is also of lines without a product. A refund in an order of its own is in no
    basket.
    """
    values = getattr(lines.log, name)
    by_incidence = cover.total(values[lines.line])
    by_basket: Floats = np.bincount(
        lines.row_basket, weights=values, minlength=lines.n_baskets
    ).astype(np.float64, copy=False)
    rows, bought = lines.history.rows, lines.history.bought
    if bought is None or not cover.key.size:
        return by_incidence, by_basket
    key = rows.customer if unit == "customer" else rows.order
    known, place = np.unique(key[bought], return_index=True)
    at = np.minimum(np.searchsorted(known, key), known.size - 1)
    back = np.flatnonzero(~bought & (known[at] == key))
    basket, taken = lines.row_basket[place[at[back]]], getattr(rows, name)[back]
    by_basket += np.bincount(basket, taken, minlength=lines.n_baskets)
    codes = np.append(lines.log.product_ids.get_indexer(rows.product_ids), -1)
    wanted = codes[rows.product[back]] * lines.n_baskets + basket
    entry = np.minimum(np.searchsorted(cover.key, wanted), cover.key.size - 1)
    hit = cover.key[entry] == wanted
    by_incidence += np.bincount(entry[hit], taken[hit], minlength=cover.key.size)
    return by_incidence, by_basket


def _of_first(amount: np.ndarray[Any, Any], k: int) -> Weight:
    """Return the weight that adds what the first `k` items of a set brought."""
    return lambda _basket, entry: amount[entry[:, :k]].sum(axis=1)


def _by_falling(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sort by one column, the highest first; ties stay in order."""
    order = np.argsort(-table[column].to_numpy(), kind="stable")
    return table.take(order).reset_index(drop=True)
