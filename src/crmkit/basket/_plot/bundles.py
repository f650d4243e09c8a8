"""Bundles and what they bring."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_text
from crmkit._checks import Problems, check_number, number_array
from crmkit._plotting import COLORS, GREY, money, new_axes, plain, table_to_draw, tidy
from crmkit.basket._plot.shared import LOWER, joined
from crmkit.basket._report.read import read_tuples
from crmkit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_bundles(
    value: Any, *, n_bundles: int = 15, currency: str | None = None, ax: Axes | None = None
) -> Axes:
    """Show the bundles that bring the most money.

    Parameters
    ----------
    value : pandas.DataFrame
        A table of `itemset_value`. Single items are passed over.
    n_bundles : int, default 15
        How many bundles, from the first row of the table on.
    currency : str, optional
        Written beside the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. A bar is what a bundle's items brought where they were bought together;
        at its end stand the number of these orders and what one of them brought in all.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(200, random_state=0)["transactions"]
    >>> itemsets = basket.frequent_itemsets(log, min_length=2)
    >>> ax = basket.plot_bundles(basket.itemset_value(itemsets, log))
    """
    n_bundles = check_number(n_bundles, "n_bundles")
    unit = "" if currency is None else f" ({plain(check_text(currency, 'currency'))})"
    table = table_to_draw(
        value, "value", ("itemset", "count", "amount", "order_amount_per_order"), do=LOWER
    )
    problems = Problems("value")
    sets = read_tuples(table["itemset"], problems, "itemset")
    amount, orders, whole = (
        number_array(table[column], problems, column)
        for column in ("amount", "count", "order_amount_per_order")
    )
    problems.raise_if_any()
    rows = [row for row, items in enumerate(sets) if len(items) > 1][:n_bundles]
    if not rows:
        raise InputError("`value` holds no itemset of two or more items to draw.")
    ax = tidy(new_axes(ax, figsize=(8.5, 0.9 + 0.38 * len(rows))))
    place = np.arange(len(rows))
    ax.barh(place, amount[rows], color=COLORS[0], height=0.65)
    for bar, row in enumerate(rows):
        ax.annotate(
            f"{int(orders[row]):,} orders of {whole[row]:,.0f} each",
            (max(amount[row], 0.0), bar),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=GREY,
        )
    ax.set_yticks(place, [plain(fill(joined(sets[row]), 44)) for row in rows], fontsize=8)
    ax.invert_yaxis()
    ax.margins(x=0.6)
    ax.xaxis.set_major_formatter(money())
    ax.set_xlabel("Amount of the bundle's items" + unit)
    return ax
