"""Curves of retention, survival and purchase gaps, one line per group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit._frames import group_codes, split_by, table_columns
from crmkit._plotting import COLORS, GREY, new_axes, percent, plain, table_to_draw, tidy
from crmkit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_gaps", "plot_retention_curve", "plot_survival"]


def plot_survival(survival: Any, *, ax: Axes | None = None) -> Axes:
    """Draw curves of who stays, or of who left for which reason, with their intervals.

    Where they are few, small ticks show the times at which customers were last seen.

    Parameters
    ----------
    survival : DataFrame
        Result of :func:`survival_table` or of :func:`leaving_table`, with at most eight curves.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [1, 2, 3], "tenure_days": [30, 60, 60], "churned": [1, 1, 0]}
    ... )
    >>> ax = churn.plot_survival(churn.survival_table(customers))
    >>> ax.get_ylabel()
    'Customers still here'
    """
    gone = "p_left" in table_columns(survival, "survival")
    y = "p_left" if gone else "p_survival"
    ax = _curves(survival, "survival", x="time", y=y, ax=ax, marks="censored")
    ax.set_xlabel("Time since the beginning")
    ax.set_ylabel("Customers who left" if gone else "Customers still here")
    return ax


def plot_gaps(gaps: Any, *, thresholds: Any = None, ax: Axes | None = None) -> Axes:
    """Draw the chance that a customer has not bought again, by the days since a purchase.

    Parameters
    ----------
    gaps : DataFrame
        Result of :func:`gap_table`, split into at most eight groups.
    thresholds : DataFrame, optional
        Result of :func:`lifecycle_thresholds`, of one group: drawn as upright lines.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2],
    ...         "date": pd.to_datetime(["2025-01-01", "2025-01-11", "2025-01-05"]),
    ...     }
    ... )
    >>> ax = churn.plot_gaps(churn.gap_table(transactions))
    >>> ax.get_xlabel()
    'Days since a purchase'
    """
    ax = _curves(gaps, "gaps", x="gap_days", y="p_open", ax=ax)
    if thresholds is not None:
        limits = table_to_draw(thresholds, "thresholds", ("at_risk_days", "lapsed_days"))
        if len(limits) != 1:
            raise InputError("`thresholds` must have one row to be drawn; choose one group.")
        for column, name in (("at_risk_days", " at risk"), ("lapsed_days", " lapsed")):
            day = float(limits[column].iloc[0])
            ax.axvline(day, color=GREY, lw=1, ls="--")
            ax.annotate(name, (day, 1.0), xycoords=("data", "axes fraction"), va="top", color=GREY)
    ax.set_xlabel("Days since a purchase")
    ax.set_ylabel("No purchase yet")
    return ax


def plot_retention_curve(curve: Any, *, cohorts: Any = None, ax: Axes | None = None) -> Axes:
    """Draw the pooled retention curve, if wanted above the curves of the single cohorts.

    Parameters
    ----------
    curve : DataFrame
        Result of :func:`retention_curve`, split into at most eight groups.
    cohorts : DataFrame, optional
        Result of :func:`cohort_table`: each cohort is drawn as a thin grey line.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 1, 3],
    ...         "date": pd.to_datetime(["2025-01-03", "2025-01-20", "2025-02-11", "2025-02-28"]),
    ...     }
    ... )
    >>> ax = churn.plot_retention_curve(churn.retention_curve(churn.cohort_table(transactions)))
    >>> ax.get_ylabel()
    'Customers active'
    """
    ax = tidy(new_axes(ax))
    if cohorts is not None:
        frame = table_to_draw(cohorts, "cohorts", ("cohort", "age", "retention_rate"))
        columns = [*split_by(cohorts, "cohort"), "cohort"]
        for _, part in frame.sort_values("age").groupby(columns, dropna=False):
            ax.plot(part["age"], part["retention_rate"], color=GREY, lw=0.6, alpha=0.6)
    ax = _curves(curve, "curve", x="age", y="retention_rate", ax=ax, steps=False)
    ax.set_xlabel("Age of the cohort (periods)")
    ax.set_ylabel("Customers active")
    return ax


def _curves(
    table: Any,
    name: str,
    *,
    x: str,
    y: str,
    ax: Axes | None,
    steps: bool = True,
    marks: str | None = None,
) -> Axes:
    """Draw one line with its band per group of a table."""
    frame = table_to_draw(table, name, (x, y, "conf_low", "conf_high"))
    columns = split_by(table, x)
    code, groups = group_codes(frame, columns)
    if len(groups) > len(COLORS):
        raise InputError(
            f"`{name}` has {len(groups)} groups; colours tell {len(COLORS)} apart. Choose fewer."
        )
    ax = tidy(new_axes(ax))
    for group, label in enumerate(groups.astype(str).agg(", ".join, axis=1) if columns else [""]):
        part = frame.loc[code == group].sort_values(x)
        ax.plot(
            part[x],
            part[y],
            drawstyle="steps-post" if steps else "default",
            marker="none" if steps else "o",
            markersize=3,
            color=COLORS[group],
            label=plain(label) or None,
        )
        ax.fill_between(
            part[x].to_numpy(dtype=float),
            part["conf_low"].to_numpy(dtype=float),
            part["conf_high"].to_numpy(dtype=float),
            step="post" if steps else None,
            color=COLORS[group],
            alpha=0.15,
            lw=0,
        )
        seen = part[part[marks] > 0] if marks in part.columns else part.iloc[:0]
        if len(seen) <= 40:
            ax.plot(seen[x], seen[y], "|", color=COLORS[group], ms=6)
    ax.set_ylim(0, 1.03 if steps else None)
    ax.set_xlim(left=0 if steps else None)
    ax.yaxis.set_major_formatter(percent())
    if columns:
        ax.legend(title=plain(", ".join(columns)), frameon=False)
    return ax
