"""Rules as points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_number, number_array
from crmkit._plotting import (
    COLORS,
    GREY,
    SEQUENTIAL,
    count,
    new_axes,
    percent,
    plain,
    table_to_draw,
    tidy,
)
from crmkit.basket._plot.shared import LOWER, joined, plain_log_ticks
from crmkit.basket._report.read import read_tuples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# where labels stand, in turns, in points: the best rules are often close to each other
SIDES = ((10, 0), (-10, 0), (0, 10), (0, -10))


def plot_rules(rules: Any, *, n_labels: int = 5, ax: Axes | None = None) -> Axes:
    """Show rules by support and confidence, with lift as colour.

    Parameters
    ----------
    rules : pandas.DataFrame
        A table of `association_rules`.
    n_labels : int, default 5
        How many rules are written out beside the points: the first of the table.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. Rules of high lift are drawn above the others.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> shop = datasets.make_transactions(200, random_state=0)
    >>> itemsets = basket.frequent_itemsets(shop["transactions"])
    >>> ax = basket.plot_rules(basket.association_rules(itemsets))
    """
    n_labels = check_number(n_labels, "n_labels")
    table = table_to_draw(
        rules, "rules", ("antecedent", "consequent", "support", "confidence", "lift"), do=LOWER
    )
    problems = Problems("rules")
    support, confidence, lift = (
        number_array(table[column], problems, column)
        for column in ("support", "confidence", "lift")
    )
    left = read_tuples(table["antecedent"], problems, "antecedent")
    right = read_tuples(table["consequent"], problems, "consequent")
    problems.raise_if_any()
    ax = tidy(new_axes(ax))
    order = np.argsort(lift, kind="stable")
    points = ax.scatter(
        support[order],
        confidence[order],
        c=lift[order],
        cmap=SEQUENTIAL,
        norm="log",
        s=22,
        linewidths=0,
    )
    for number in range(min(n_labels, len(table))):
        ax.scatter(
            support[number], confidence[number], s=60, facecolors="none", edgecolors=COLORS[3]
        )
        ax.annotate(
            f"{number + 1}",
            (support[number], confidence[number]),
            xytext=SIDES[number % len(SIDES)],
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "linewidth": 0},
        )
    if n_labels:
        lines = [
            f"{i + 1}  {joined(left[i])} → {joined(right[i])}"
            for i in range(min(n_labels, len(table)))
        ]
        ax.set_title(plain("\n".join(lines)), loc="left", fontsize=8, color=GREY)
    ax.set_xscale("log")
    plain_log_ticks(ax.xaxis, percent())
    ax.yaxis.set_major_formatter(percent())
    ax.set_xlabel("Support (share of orders with both sides)")
    ax.set_ylabel("Confidence")
    bar = ax.figure.colorbar(points, ax=ax, label="Lift", fraction=0.04, pad=0.02)
    plain_log_ticks(bar.ax.yaxis, count())
    return ax
