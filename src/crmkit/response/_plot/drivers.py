"""Plot of the variables that tell who responds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import check_number
from crmkit._plotting import COLORS, GREY, new_axes, plain, table_to_draw, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_drivers"]


def plot_drivers(drivers: pd.DataFrame, *, n_best: int = 15, ax: Axes | None = None) -> Axes:
    """Draw the variables' information values, corrected for chance, the most telling on top.

    Variables that are not significant (adjusted p-value above 0.05) are grey, flagged ones
    hatched: what became known after the contact explains nothing.

    Parameters
    ----------
    drivers : DataFrame
        What :func:`crmkit.response.response_drivers` gives.
    n_best : int, default 15
        Most variables drawn.
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
    >>> drivers = response.response_drivers(
    ...     campaign, outcome="responded", columns=["recency_days", "age"]
    ... )
    >>> response.plot_drivers(drivers).get_xlabel()
    'Information value'
    """
    needed = ["variable", "information_corrected", "p_adjusted", "flag"]
    drivers = table_to_draw(drivers, "drivers", needed)
    n_best = check_number(n_best, "n_best")
    ax = new_axes(ax)
    shown = drivers.head(n_best)
    at = np.arange(len(shown))[::-1]
    sure = shown["p_adjusted"].to_numpy() <= 0.05
    bars = ax.barh(
        at, shown["information_corrected"], color=[COLORS[0] if one else GREY for one in sure]
    )
    for bar, flag in zip(bars, shown["flag"], strict=True):
        if flag:
            bar.set(hatch="//", edgecolor="white")
            ax.annotate(
                plain(flag),
                (bar.get_width(), bar.get_y() + bar.get_height() / 2),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    ax.set_yticks(at, shown["variable"].map(plain))
    ax.set_xlabel("Information value")
    ax.margins(x=0.15)
    ax.set_xlim(left=0)
    if not sure.all():
        ax.plot([], [], color=GREY, linewidth=6, label="not significant")
        ax.legend(loc="lower right", frameon=False)
    return tidy(ax)
