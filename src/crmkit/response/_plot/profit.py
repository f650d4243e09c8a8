"""Plots of what contacting by a score earns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._plotting import COLORS, GREY, money, new_axes, percent, table_to_draw, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_profit"]


def plot_profit(profit: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw profit against the share of customers contacted, with the best cut-off.

    Parameters
    ----------
    profit : DataFrame
        What :func:`crmkit.response.profit_table` gives.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

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
    profit = table_to_draw(profit, "profit", needed)
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
