"""Pictures of how well scores rank customers, and how true they are as probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._plotting import COLORS, GREY, new_axes, percent, table_to_draw, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_gains"]


def plot_gains(gains: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the share of those with the outcome found against the share of customers taken.

    Parameters
    ----------
    gains : DataFrame
        What ``gains_table`` made.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    MissingColumnsError
        If `gains` lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "churned": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3, 4], "p_churn": [0.9, 0.2, 0.6, 0.1]})
    >>> churn.plot_gains(churn.gains_table(customers, scores)).get_xlabel()
    'Share of customers, highest score first'
    """
    reached, found = "cumulative_share_customers", "cumulative_share_positives"
    table = table_to_draw(gains, "gains", [reached, found, "lift"], do="Make it with gains_table.")
    ax = tidy(new_axes(ax))
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="at random")
    ax.plot(
        [0, *table[reached]],
        [0, *table[found]],
        color=COLORS[0],
        marker="o",
        markersize=4,
        label="by score",
    )
    top = table.iloc[0]
    ax.text(
        0.02,
        0.98,
        f"First {top[reached]:.0%} of customers:\n{top[found]:.0%} found, lift {top['lift']:.1f}",
        transform=ax.transAxes,
        va="top",
    )
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    ax.set(xlabel="Share of customers, highest score first", ylabel="Share of those to be found")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(percent())
    ax.legend(loc="lower right", frameon=False)
    return ax


def plot_calibration(calibration: Any, *, ax: Axes | None = None) -> Axes:
    """Draw observed rates against predicted ones; points on the diagonal are true probabilities.

    Parameters
    ----------
    calibration : DataFrame
        What ``calibration_table`` made.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    MissingColumnsError
        If `calibration` lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "churned": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3, 4], "p_churn": [0.9, 0.2, 0.6, 0.1]})
    >>> churn.plot_calibration(churn.calibration_table(customers, scores)).get_ylabel()
    'Observed share'
    """
    needs = ["p_predicted", "rate", "conf_low", "conf_high"]
    table = table_to_draw(calibration, "calibration", needs)
    ax = tidy(new_axes(ax))
    top = 1.05 * float(max(table["conf_high"].max(), table["p_predicted"].max()))
    ax.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1)
    rate = table["rate"]
    ax.errorbar(
        table["p_predicted"],
        rate,
        yerr=np.maximum([rate - table["conf_low"], table["conf_high"] - rate], 0.0),
        color=COLORS[0],
        marker="o",
        linewidth=1,
        capsize=2,
    )
    ax.set(xlim=(0, top), ylim=(0, top), xlabel="Predicted probability", ylabel="Observed share")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(percent())
    return ax
