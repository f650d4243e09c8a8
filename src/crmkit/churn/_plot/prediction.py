"""Pictures of how well churn was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import require_columns
from crmkit._plotting import COLORS, GREY, new_axes, percent, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_gains"]


def plot_gains(gains: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of churners found against the share of customers contacted.

    Parameters
    ----------
    gains : pandas.DataFrame
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
    reached, found = "cumulative_share_customers", "cumulative_share_churners"
    require_columns(gains.columns, [reached, found], "gains", do="Make it with gains_table.")
    ax = tidy(new_axes(ax))
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="at random")
    ax.plot([0, *gains[reached]], [0, *gains[found]], color=COLORS[0], marker="o", label="by score")
    ax.set_xlabel("Share of customers, highest score first")
    ax.set_ylabel("Share of all churners among them")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(percent())
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.legend(loc="lower right", frameon=False)
    return ax


def plot_calibration(calibration: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw observed against predicted churn; points on the diagonal are true probabilities.

    Parameters
    ----------
    calibration : pandas.DataFrame
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
    'Share that left'
    """
    needed = ["p_churn", "churn_rate", "conf_low", "conf_high"]
    require_columns(
        calibration.columns, needed, "calibration", do="Make it with calibration_table."
    )
    ax = tidy(new_axes(ax))
    top = 1.05 * float(max(calibration["conf_high"].max(), calibration["p_churn"].max()))
    ax.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1)
    rate = calibration["churn_rate"]
    ax.errorbar(
        calibration["p_churn"],
        rate,
        yerr=np.maximum([rate - calibration["conf_low"], calibration["conf_high"] - rate], 0.0),
        color=COLORS[0],
        marker="o",
        linewidth=1,
        capsize=2,
    )
    ax.set_xlabel("Predicted probability to churn")
    ax.set_ylabel("Share that left")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(percent())
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    return ax


def plot_signals(signals: pd.DataFrame, *, n_variables: int = 6, ax: Axes | None = None) -> Axes:
    """Draw how well each feature tells leavers apart, the longer before they leave.

    Parameters
    ----------
    signals : pandas.DataFrame
        What ``signal_table`` made.
    n_variables : int, default 6
        Features drawn: the first of the table, which tell earliest.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    MissingColumnsError
        If `signals` lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> signals = pd.DataFrame(
    ...     {"variable": ["orders"] * 2, "lead_days": [0, 28], "auc": [0.2, 0.3]}
    ... )
    >>> churn.plot_signals(signals).get_xlabel()
    'Days before the outcome'
    """
    require_columns(
        signals.columns,
        ["variable", "lead_days", "auc"],
        "signals",
        do="Make it with signal_table.",
    )
    ax = tidy(new_axes(ax))
    for at, variable in enumerate(signals["variable"].drop_duplicates().head(n_variables)):
        rows = signals[signals["variable"] == variable]
        strength = (rows["auc"] - 0.5).abs() + 0.5
        ax.plot(
            rows["lead_days"], strength, color=COLORS[at % len(COLORS)], marker="o", label=variable
        )
    ax.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    ax.set_xlabel("Days before the outcome")
    ax.set_ylabel("Chance to tell a leaver from a stayer")
    ax.invert_xaxis()
    ax.legend(loc="best", frameon=False, fontsize="small")
    return ax
