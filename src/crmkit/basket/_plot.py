"""Pictures of what is bought together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._frames import to_pandas
from crmkit._plotting import COLORS, GREY, SEQUENTIAL, count, new_axes, percent, tidy
from crmkit.basket._report.read import read_tuples
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PAIR_MEASURES = (
    "lift",
    "odds_ratio",
    "count",
    "support",
    "cosine",
    "jaccard",
    "kulczynski",
    "phi",
    "leverage",
)


def plot_pairs(
    pairs: Any, *, measure: str = "lift", n_items: int = 12, ax: Axes | None = None
) -> Axes:
    """Show how strongly the most frequent items go together, as a heat map.

    Parameters
    ----------
    pairs : pandas.DataFrame
        A table of `item_pairs`.
    measure : str, default "lift"
        The symmetric measure that gives the colour. Lift and odds ratio diverge from 1, which is
        chance; violet lies above and orange below.
    n_items : int, default 12
        How many items, those in the most orders.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. Pairs that are not in the table stay blank.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> shop = datasets.make_transactions(200, random_state=0)
    >>> ax = basket.plot_pairs(basket.item_pairs(shop["transactions"]))
    """
    check_choice(measure, "measure", PAIR_MEASURES)
    n_items = check_number(n_items, "n_items", low=2, integer=True)
    columns = ("item_a", "item_b", "count_a", "count_b", measure)
    table = _read(pairs, "pairs", columns)
    problems = Problems("pairs")
    value = number_array(
        table[measure].replace(np.inf, np.nan), problems, measure, allow_missing=True
    )
    problems.raise_if_any()
    names = _frequent_items(table, n_items)
    place = {name: position for position, name in enumerate(names)}
    grid = np.full((len(names), len(names)), np.nan)
    for a, b, strength in zip(table["item_a"], table["item_b"], value, strict=True):
        if a in place and b in place:
            row, column = sorted((place[a], place[b]), reverse=True)
            grid[row, column] = strength
    ax = new_axes(ax, figsize=(7.5, 6.0))
    diverging = measure in ("lift", "odds_ratio")
    image = ax.imshow(
        np.ma.masked_invalid(grid[1:, :-1]),
        cmap="PuOr" if diverging else SEQUENTIAL,
        norm=_around_one(grid) if diverging else None,
        aspect="auto",
    )
    ax.set_xticks(range(len(names) - 1), [str(n) for n in names[:-1]], rotation=45, ha="right")
    ax.set_yticks(range(len(names) - 1), [str(n) for n in names[1:]])
    for row, column in np.argwhere(np.isfinite(grid)):
        red, green, blue, _ = image.cmap(image.norm(grid[row, column]))
        light = 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
        text = f"{grid[row, column]:.3g}"
        color = "black" if light else "white"
        ax.text(column, row - 1, text, ha="center", va="center", fontsize=8, color=color)
    bar = ax.figure.colorbar(image, ax=ax, label=measure.replace("_", " "), fraction=0.04, pad=0.02)
    if diverging:
        _plain_log_ticks(bar.ax.yaxis, count())
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_rules(rules: Any, *, n_labels: int = 5, ax: Axes | None = None) -> Axes:
    """Show rules by support and confidence, with lift as colour.

    Parameters
    ----------
    rules : pandas.DataFrame
        A table of `association_rules`.
    n_labels : int, default 5
        How many rules are written out beside the points: the first of the table.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

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
    n_labels = check_number(n_labels, "n_labels", low=0, integer=True)
    table = _read(rules, "rules", ("antecedent", "consequent", "support", "confidence", "lift"))
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
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=9,
            fontweight="bold",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "linewidth": 0},
        )
    if n_labels:
        lines = [
            f"{i + 1}  {_side(left[i])} → {_side(right[i])}"
            for i in range(min(n_labels, len(table)))
        ]
        ax.set_title("\n".join(lines), loc="left", fontsize=8, color=GREY)
    ax.set_xscale("log")
    _plain_log_ticks(ax.xaxis, percent())
    ax.yaxis.set_major_formatter(percent())
    ax.set_xlabel("support (share of orders with both sides)")
    ax.set_ylabel("confidence")
    bar = ax.figure.colorbar(points, ax=ax, label="lift", fraction=0.04, pad=0.02)
    _plain_log_ticks(bar.ax.yaxis, count())
    return ax


def _read(table: Any, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a result table, or say that there is nothing to draw."""
    frame = to_pandas(table, name, needs=columns)
    if frame.empty:
        raise InputError(f"`{name}` has no rows to draw. Lower `min_support` or `min_confidence`.")
    return frame


def _frequent_items(pairs: pd.DataFrame, n_items: int) -> list[Any]:
    """Return the items in the most orders; the order of their first rows decides ties."""
    counts: dict[Any, int] = {}
    for item, orders in ("item_a", "count_a"), ("item_b", "count_b"):
        counts.update(zip(pairs[item].tolist(), pairs[orders].tolist(), strict=True))
    return sorted(counts, key=lambda item: (-counts[item], str(item)))[:n_items]


def _around_one(grid: np.ndarray[Any, Any]) -> Any:
    """Return a log colour scale with 1, chance, in its middle."""
    from matplotlib.colors import LogNorm

    known = grid[np.isfinite(grid) & (grid > 0)]
    reach = max(float(np.max(np.abs(np.log(known)))), 0.1) if known.size else 1.0
    return LogNorm(np.exp(-reach), np.exp(reach), clip=True)


def _plain_log_ticks(axis: Any, formatter: Any) -> None:
    """Mark 1, 2 and 5 of each power of ten, written as plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(formatter)


def _side(items: tuple[Any, ...]) -> str:
    """Write one side of a rule."""
    return " + ".join(str(item) for item in items)
