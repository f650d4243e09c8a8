"""Plot of what treating the best-scored customers first gains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._plotting import COLORS, GREY, new_axes, percent, table_to_draw, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_qini"]


def plot_qini(qini: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the gain per customer against the share treated, with its band and a random order.

    Parameters
    ----------
    qini : DataFrame
        What :func:`crmkit.response.qini_table` gives.
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
    >>> truth = campaign[["customer_id", "true_uplift"]]
    >>> table = response.qini_table(
    ...     campaign, truth, outcome="responded", treated="treated", score="true_uplift"
    ... )
    >>> response.plot_qini(table).get_xlabel()
    'Customers treated, best scores first'
    """
    needed = ["share", "gain", "conf_low", "conf_high", "random"]
    qini = table_to_draw(qini, "qini", needed)
    ax = new_axes(ax)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.fill_between(
        qini["share"],
        qini["conf_low"],
        qini["conf_high"],
        color=COLORS[0],
        alpha=0.18,
        linewidth=0,
        label="interval, point by point",
    )
    ax.plot(qini["share"], qini["gain"], color=COLORS[0], label="best scores first")
    ax.plot(qini["share"], qini["random"], color=GREY, linestyle="--", label="random order")
    ax.set(
        xlim=(0, 1),
        xlabel="Customers treated, best scores first",
        ylabel="Gain per customer of all",
    )
    ax.xaxis.set_major_formatter(percent())
    ax.legend(loc="upper left", frameon=False)
    return tidy(ax)
