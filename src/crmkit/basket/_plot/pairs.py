"""The heat map of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._plotting import SEQUENTIAL, count, new_axes, plain, table_to_draw
from crmkit.basket._plot.shared import LOWER, plain_log_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PairMeasure = Literal[
    "lift",
    "lift_given_sizes",
    "odds_ratio",
    "count",
    "support",
    "cosine",
    "jaccard",
    "kulczynski",
    "phi",
    "leverage",
]


def plot_pairs(
    pairs: Any, *, measure: PairMeasure = "lift", n_items: int = 12, ax: Axes | None = None
) -> Axes:
    """Show how strongly the most frequent items go together, as a heat map.

    Parameters
    ----------
    pairs : pandas.DataFrame
        A table of `item_pairs`.
    measure : str, default "lift"
        The symmetric measure that gives the colour: "lift", "lift_given_sizes", "odds_ratio",
        "count", "support", "cosine", "jaccard", "kulczynski", "phi" or "leverage". Lifts and odds
        ratio diverge from 1, which is chance; violet lies above and orange below.
    n_items : int, default 12
        How many items, those in the most orders.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

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
    check_choice(measure, "measure", PairMeasure)
    n_items = check_number(n_items, "n_items")
    columns = ("item_a", "item_b", "count_a", "count_b", measure)
    table = table_to_draw(pairs, "pairs", columns, do=LOWER)
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
    diverging = measure in ("lift", "lift_given_sizes", "odds_ratio")
    image = ax.imshow(
        np.ma.masked_invalid(grid[1:, :-1]),
        cmap="PuOr" if diverging else SEQUENTIAL,
        norm=_around_one(grid) if diverging else None,
        aspect="auto",
    )
    ax.set_xticks(range(len(names) - 1), [plain(n) for n in names[:-1]], rotation=45, ha="right")
    ax.set_yticks(range(len(names) - 1), [plain(n) for n in names[1:]])
    for row, column in np.argwhere(np.isfinite(grid)):
        red, green, blue, _ = image.cmap(image.norm(grid[row, column]))
        light = 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
        text = f"{grid[row, column]:.3g}"
        color = "black" if light else "white"
        ax.text(column, row - 1, text, ha="center", va="center", fontsize=8, color=color)
    bar = ax.figure.colorbar(
        image, ax=ax, label=measure.replace("_", " ").capitalize(), fraction=0.04, pad=0.02
    )
    if diverging:
        plain_log_ticks(bar.ax.yaxis, count())
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


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
