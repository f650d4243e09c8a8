"""Pictures of profiles and key moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from crmkit._arguments import is_level
from crmkit._checks import quoted
from crmkit._frames import table_columns
from crmkit._plotting import COLORS, GREY, new_axes, percent, plain, table_to_draw, tidy
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crmkit._typing import Floats

__all__ = ["plot_moments", "plot_profile"]

MomentMeasure = Literal["orders", "amount"]


def plot_profile(
    profile: pd.DataFrame, *, variable: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the churn or retention rate of each level of one column, with intervals.

    Parameters
    ----------
    profile : pandas.DataFrame
        What ``retention_profile`` or ``acquisition_profile`` made.
    variable : str, optional
        The column to draw. The default is the first of the table.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on. The dashed line is the rate of all customers.

    Raises
    ------
    MissingColumnsError
        If `profile` lacks a column.
    InputError
        If `profile` has no such variable.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(40),
    ...         "channel": ["web", "shop"] * 20,
    ...         "churned": [1, 0, 1, 0, 0, 1, 1, 0] * 5,
    ...     }
    ... )
    >>> churn.plot_profile(churn.retention_profile(customers)).get_xlabel()
    'Share that left'
    """
    rate = "churn_rate" if "churn_rate" in table_columns(profile, "profile") else "retention_rate"
    needed = ["variable", "level", "customers", "conf_low", "conf_high", rate]
    profile = table_to_draw(profile, "profile", needed)
    if variable is None:
        variable = str(profile["variable"].iloc[0])
    there = profile["variable"].unique().tolist()
    if not is_level(variable, there):
        raise InputError(f"`variable` {quoted(variable)} is not in `profile`; it has {there}.")
    rows = profile[profile["variable"] == variable]
    ax = tidy(new_axes(ax))
    level = [
        plain(f"{name}  ({n:,})") for name, n in zip(rows["level"], rows["customers"], strict=True)
    ]
    ax.errorbar(
        rows[rate],
        range(len(rows)),
        xerr=_reach(rows, rate),
        fmt="o",
        color=COLORS[0],
        capsize=3,
    )
    base = float((rows[rate] * rows["customers"]).sum() / rows["customers"].sum())
    ax.axvline(base, color=GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(rows)), level)
    ax.invert_yaxis()
    ax.margins(y=0.1)
    ax.xaxis.set_major_formatter(percent())
    ax.set_xlabel("Share that left" if rate == "churn_rate" else "Share retained")
    ax.set_ylabel(plain(variable))
    return ax


def plot_moments(
    moments: pd.DataFrame, *, measure: MomentMeasure = "orders", ax: Axes | None = None
) -> Axes:
    """Draw the effect of each kind of event on one measure, over what chance shows.

    A grey band is where the effect of a placebo lies, a hollow mark the days before.

    Parameters
    ----------
    moments : pandas.DataFrame
        What ``key_moments`` made.
    measure : {"orders", "amount"}, default "orders"
        The measure to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    MissingColumnsError
        If `moments` lacks a column.
    InputError
        If `moments` has no such measure with an effect.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> moments = pd.DataFrame(
    ...     {
    ...         "event": "moved",
    ...         "measure": "orders",
    ...         "comparison": ["event", "placebo", "days before"],
    ...         "effect": [-0.4, 0.0, 0.1],
    ...         "conf_low": [-0.6, -0.2, -0.1],
    ...         "conf_high": [-0.2, 0.2, 0.3],
    ...     }
    ... )
    >>> churn.plot_moments(moments).get_xlabel()
    'Effect on orders per 30 days'
    """
    needed = ["event", "measure", "comparison", "effect", "conf_low", "conf_high"]
    moments = table_to_draw(moments, "moments", needed)
    if not is_level(measure, moments["measure"].tolist()):
        raise InputError(f"`moments` has no effect on `measure` {quoted(measure)} to draw.")
    drawn = moments[(moments["measure"] == measure) & moments["effect"].notna()]
    rows = drawn[drawn["comparison"] == "event"]
    if rows.empty:
        raise InputError(f"`moments` has no effect on `measure` {measure!r} to draw.")
    ax = tidy(new_axes(ax))
    place = dict(zip(rows["event"], range(len(rows)), strict=True))
    placebo = drawn[(drawn["comparison"] == "placebo") & drawn["conf_low"].notna()]
    ax.barh(
        placebo["event"].map(place),
        placebo["conf_high"] - placebo["conf_low"],
        left=placebo["conf_low"],
        height=0.5,
        color=GREY,
        alpha=0.25,
        label="by chance",
    )
    for what, shift, color, face in (
        ("event", -0.1, COLORS[0], COLORS[0]),
        ("days before", 0.1, GREY, "none"),
    ):
        some = drawn[drawn["comparison"] == what]
        ax.errorbar(
            some["effect"],
            some["event"].map(place) + shift,
            xerr=_reach(some, "effect"),
            fmt="o",
            color=color,
            markerfacecolor=face,
            capsize=3,
            label="days after" if what == "event" else what,
        )
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(rows)), rows["event"].map(plain))
    ax.invert_yaxis()
    ax.margins(y=0.15)
    ax.set_xlabel(f"Effect on {measure} per 30 days")
    ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def _reach(rows: pd.DataFrame, middle: str) -> Floats:
    """Return how far the interval reaches to either side, shape (2, n)."""
    sides = [rows[middle] - rows["conf_low"], rows["conf_high"] - rows[middle]]
    # Rounding may put a limit a hair on the wrong side, which matplotlib refuses.
    return np.maximum(np.asarray(sides, dtype=np.float64), 0.0)
