"""Plots of how well scores find responders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import require_columns
from crmkit._plotting import COLORS, GREY, money, new_axes, percent, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_gains", "plot_profit"]


def plot_gains(gains: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of responders found against the share of customers contacted.

    Parameters
    ----------
    gains : DataFrame
        What :func:`crmkit.response.gains_table` gives.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame({"customer_id": range(4), "responded": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": range(4), "p_response": [0.9, 0.8, 0.3, 0.1]})
    >>> gains = response.gains_table(customers, scores, n_bins=2)
    >>> response.plot_gains(gains).get_ylabel()
    'Responders found'
    """
    needed = ["cumulative_share_customers", "cumulative_share_responders", "lift"]
    require_columns(gains.columns, needed, "gains", do="Give it what gains_table returns.")
    ax = new_axes(ax)
    x = np.r_[0.0, gains["cumulative_share_customers"]]
    y = np.r_[0.0, gains["cumulative_share_responders"]]
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="Contacted at random")
    ax.plot(x, y, color=COLORS[0], marker="o", markersize=4, label="Best scores first")
    top = gains.iloc[0]
    ax.text(
        0.02,
        0.98,
        f"First {top['cumulative_share_customers']:.0%} of customers:\n"
        f"{top['cumulative_share_responders']:.0%} of responders, lift {top['lift']:.1f}",
        transform=ax.transAxes,
        va="top",
    )
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Customers contacted", ylabel="Responders found")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(percent())
    ax.legend(loc="lower right", frameon=False)
    return tidy(ax)


def plot_profit(profit: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw profit against the share of customers contacted, with the best cut-off.

    Parameters
    ----------
    profit : DataFrame
        What :func:`crmkit.response.profit_table` gives.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame({"customer_id": range(4), "responded": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": range(4), "p_response": [0.9, 0.8, 0.3, 0.1]})
    >>> profit = response.profit_table(customers, scores, value=10, contact_cost=2)
    >>> response.plot_profit(profit).get_ylabel()
    'Profit'
    """
    needed = ["share", "profit", "conf_low", "conf_high", "best", "score"]
    require_columns(profit.columns, needed, "profit", do="Give it what profit_table returns.")
    ax = new_axes(ax)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.fill_between(
        profit["share"],
        profit["conf_low"],
        profit["conf_high"],
        color=COLORS[0],
        alpha=0.18,
        linewidth=0,
    )
    ax.plot(profit["share"], profit["profit"], color=COLORS[0])
    best = profit[profit["best"]].iloc[0]
    ax.plot([best["share"]], [best["profit"]], "o", color=COLORS[3])
    ax.axvline(best["share"], color=COLORS[3], linestyle=":", linewidth=1)
    ax.text(
        0.98,
        0.04,
        f"best: contact {best['share']:.0%}, scores from {best['score']:.3g}",
        transform=ax.transAxes,
        ha="right",
        color=COLORS[3],
    )
    ax.set(xlim=(0, 1), xlabel="Customers contacted, best scores first", ylabel="Profit")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(money())
    return tidy(ax)
