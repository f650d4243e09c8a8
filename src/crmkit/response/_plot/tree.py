"""Plot of target groups and their rules."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from crmkit._plotting import COLORS, GREY, new_axes, percent, plain, table_to_draw, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_tree"]

_LINE = 44


def plot_tree(tree: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the groups of a tree with their rules, rates (or uplifts) and intervals.

    Parameters
    ----------
    tree : DataFrame
        What :func:`crmkit.response.response_tree` or :func:`crmkit.response.uplift_tree` gives.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(2000, random_state=0)
    >>> tree = response.response_tree(campaign, outcome="responded", columns=["frequency"])
    >>> response.plot_tree(tree).get_xlabel()
    'Response rate'
    """
    needed = ["rule", "customers", "conf_low", "conf_high"]
    tree = table_to_draw(tree, "tree", needed)
    of_uplift = "uplift" in tree.columns
    value = tree["uplift" if of_uplift else "rate"].to_numpy(dtype=np.float64)
    at = np.arange(len(tree))[::-1]
    ax = new_axes(ax, figsize=(8.0, 1.2 + 0.62 * len(tree)))
    ax.hlines(at, tree["conf_low"], tree["conf_high"], color=COLORS[0], linewidth=2)
    ax.plot(value, at, "o", color=COLORS[0])
    base = float(np.average(value, weights=tree["customers"]))
    ax.axvline(base, color=GREY, linestyle="--", linewidth=1)
    ax.annotate(
        "all",
        (base, at.max() + 0.6),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8,
        color=GREY,
    )
    for y, high, count in zip(at, tree["conf_high"], tree["customers"], strict=True):
        ax.annotate(
            f"{count:,}",
            (high, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.set_yticks(at, [plain(_folded(rule)) for rule in tree["rule"]], fontsize=8)
    ax.set_xlabel("Uplift" if of_uplift else "Response rate")
    if not of_uplift or float(np.abs(value).max()) <= 1:
        ax.xaxis.set_major_formatter(percent())
    ax.set_ylim(-0.6, len(tree) - 0.1)
    ax.margins(x=0.12)
    return tidy(ax)


def _folded(rule: str) -> str:
    """Break a rule into at most three lines."""
    lines = textwrap.wrap(rule, _LINE)
    return "\n".join(lines if len(lines) <= 3 else [*lines[:2], lines[2][: _LINE - 3] + "..."])
