"""Pictures of how well a model foresaw what it had not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_flag
from crmkit._plotting import COLORS, GREY, count, new_axes, plain, table_to_draw, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_forecast", "plot_tracking"]


def plot_forecast(forecast: Any, *, ax: Axes | None = None) -> Axes:
    """Draw expected beside actual purchases of the hold-out period, group by group.

    Parameters
    ----------
    forecast : DataFrame
        A :func:`forecast_table`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": [1, 2, 3], "frequency": [0, 0, 1], "holdout_frequency": [0, 1, 1]
    ... })
    >>> predictions = pd.DataFrame({
    ...     "customer_id": [1, 2, 3], "expected_purchases": [0.3, 0.3, 0.8]
    ... })
    >>> ax = clv.plot_forecast(clv.forecast_table(customers, predictions))
    >>> ax.get_ylabel()
    'Purchases per customer in the hold-out period'
    """
    needs = ("group", "customers", "expected_mean", "actual_mean", "conf_low", "conf_high")
    table = table_to_draw(forecast, "forecast", needs)
    ax = new_axes(ax)
    position = np.arange(len(table))
    mean = table["actual_mean"].to_numpy()
    reach = np.vstack([mean - table["conf_low"], table["conf_high"] - mean])
    ax.bar(position, mean, color=COLORS[5], label="Actual, with interval", width=0.7)
    ax.errorbar(position, mean, yerr=reach, fmt="none", ecolor="#404040", capsize=3, linewidth=1)
    ax.plot(position, table["expected_mean"], "o-", color=COLORS[3], label="Expected")
    ax.set_xticks(position, table["group"].map(plain))
    # Groups by past purchases begin with none or end open; ranks do neither.
    counted = table["group"].astype(str).str.fullmatch(r"0|\d+\+").any()
    ranked = "Rank of the expectation (1 the lowest), or repeat purchases so far"
    ax.set_xlabel("Repeat purchases so far" if counted else ranked)
    ax.set_ylabel("Purchases per customer in the hold-out period")
    ax.yaxis.set_major_formatter(count())
    ax.legend(frameon=False)
    return tidy(ax)


def plot_tracking(tracking: Any, *, cumulative: bool = True, ax: Axes | None = None) -> Axes:
    """Draw actual and expected repeat purchases over time; a line marks the end of calibration.

    Parameters
    ----------
    tracking : DataFrame
        A :func:`tracking_table`.
    cumulative : bool
        Purchases so far (True) or per period (False).
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> tracking = pd.DataFrame({
    ...     "period_end": pd.to_datetime(["2024-01-07", "2024-01-14"]),
    ...     "holdout": [False, True],
    ...     "actual": [3, 2],
    ...     "expected": [2.9, 2.4],
    ...     "actual_cumulative": [3, 5],
    ...     "expected_cumulative": [2.9, 5.3],
    ... })
    >>> clv.plot_tracking(tracking).get_ylabel()
    'Repeat purchases so far'
    """
    ending = "_cumulative" if check_flag(cumulative, "cumulative") else ""
    needs = ("period_end", "holdout", f"actual{ending}", f"expected{ending}")
    table = table_to_draw(tracking, "tracking", needs)
    ax = new_axes(ax)
    ax.plot(table["period_end"], table[f"actual{ending}"], color=COLORS[0], label="Actual")
    ax.plot(
        table["period_end"],
        table[f"expected{ending}"],
        color=COLORS[3],
        linestyle="--",
        label="Expected",
    )
    known = table.loc[~table["holdout"].astype(bool), "period_end"]
    if len(known) and len(known) < len(table):
        ax.axvline(known.iloc[-1], color=GREY, linewidth=1)
        ax.annotate(
            " held out",
            (known.iloc[-1], 0.02),
            xycoords=("data", "axes fraction"),
            color=GREY,
        )
    ax.set_ylim(bottom=0)
    ax.set_ylabel("Repeat purchases so far" if cumulative else "Repeat purchases per period")
    ax.yaxis.set_major_formatter(count())
    ax.tick_params(axis="x", rotation=30)
    ax.legend(frameon=False)
    return tidy(ax)
