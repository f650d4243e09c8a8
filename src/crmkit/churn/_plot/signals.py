"""Pictures of what announces that customers leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._checks import check_number
from crmkit._plotting import COLORS, GREY, new_axes, plain, table_to_draw, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_signals"]


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
    signals = table_to_draw(signals, "signals", ["variable", "lead_days", "auc"])
    n_variables = check_number(n_variables, "n_variables")
    ax = tidy(new_axes(ax))
    for at, variable in enumerate(signals["variable"].drop_duplicates().head(n_variables)):
        rows = signals[signals["variable"] == variable]
        strength = (rows["auc"] - 0.5).abs() + 0.5
        color, label = COLORS[at % len(COLORS)], plain(variable)
        ax.plot(rows["lead_days"], strength, color=color, marker="o", label=label)
    ax.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    ax.set_xlabel("Days before the outcome")
    ax.set_ylabel("Chance to tell a leaver from a stayer")
    ax.invert_xaxis()
    ax.legend(loc="best", frameon=False, fontsize="small")
    return ax
