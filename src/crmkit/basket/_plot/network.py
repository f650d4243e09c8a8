"""Rules as a network of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_number, number_array
from crmkit._plotting import COLORS, SEQUENTIAL, count, new_axes, plain, table_to_draw
from crmkit.basket._math.layout import circle
from crmkit.basket._plot.shared import LOWER, plain_log_ticks, shortened
from crmkit.basket._report.read import read_tuples

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_network(rules: Any, *, n_rules: int = 40, ax: Axes | None = None) -> Axes:
    """Show which items lead to which, as arrows between items on a circle.

    Parameters
    ----------
    rules : pandas.DataFrame
        A table of `association_rules` (or of `sequence_rules`).
    n_rules : int, default 40
        How many rules are drawn: the first of the table.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. An arrow runs from each item of the antecedent to each of the
        consequent; its colour is the highest lift of such a rule. Items that belong together stand
        side by side.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> shop = datasets.make_transactions(200, random_state=0)
    >>> itemsets = basket.frequent_itemsets(shop["transactions"])
    >>> ax = basket.plot_network(basket.association_rules(itemsets))
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    n_rules = check_number(n_rules, "n_rules")
    table = table_to_draw(rules, "rules", ("antecedent", "consequent", "lift"), do=LOWER).head(
        n_rules
    )
    problems = Problems("rules")
    lift = number_array(table["lift"], problems, "lift", low=0, low_open=True)
    sides = [read_tuples(table[c], problems, c) for c in ("antecedent", "consequent")]
    problems.raise_if_any()
    best: dict[tuple[Any, Any], float] = {}
    for before, after, strength in zip(*sides, lift.tolist(), strict=True):
        for a in before:
            for b in after:
                best[a, b] = max(best.get((a, b), 0.0), strength)
    names = sorted({item for pair in best for item in pair}, key=str)
    place = {name: number for number, name in enumerate(names)}
    edges = np.array([(place[a], place[b]) for a, b in best])
    strength = np.array(list(best.values()))
    x, y, angle = circle(edges, strength, len(names))
    ax = new_axes(ax, figsize=(7.5, 7.0))
    low, high = float(strength.min()), float(strength.max())
    shades = ScalarMappable(LogNorm(low * 0.99, high * 1.01), SEQUENTIAL)
    for number in np.argsort(strength, kind="stable"):
        a, b = edges[number]
        ax.annotate(
            "",
            (x[b], y[b]),
            (x[a], y[a]),
            arrowprops={
                "arrowstyle": "-|>",
                "connectionstyle": "arc3,rad=0.15",
                "color": shades.to_rgba(strength[number]),
                "linewidth": 1.4,
                "shrinkA": 5,
                "shrinkB": 5,
            },
        )
    ax.scatter(x, y, s=45, color=COLORS[0], zorder=3)
    for name, across, up, turn in zip(names, x, y, angle, strict=True):
        left = across < 0
        ax.text(
            1.06 * across,
            1.06 * up,
            plain(shortened(name)),
            rotation=turn - 180 if left else turn,
            rotation_mode="anchor",
            ha="right" if left else "left",
            va="center",
            fontsize=7,
        )
    ax.set_xlim(-2.0, 2.0)  # room for names
    ax.set_ylim(-2.0, 2.0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    bar = ax.figure.colorbar(shades, ax=ax, label="Lift", fraction=0.03, pad=0.02)
    plain_log_ticks(bar.ax.yaxis, count())
    return ax
