"""Pictures of retention by period and by cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import check_choice
from crmkit._plotting import (
    COLORS,
    GREY,
    SEQUENTIAL,
    count,
    money,
    new_axes,
    percent,
    table_to_draw,
    tidy,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

__all__ = ["plot_cohorts", "plot_retention"]

CohortMeasure = Literal[
    "retention_rate", "active", "amount", "gross_revenue_retention", "net_revenue_retention"
]
# What the colours stand for; the measures that are not here are shares of revenue.
_MEANING = {"retention_rate": "Customers active", "active": "Customers active", "amount": "Amount"}

# Cells in which a percentage is still legible, in the two directions.
_LEGIBLE = (26, 19)


def plot_cohorts(
    cohorts: Any, *, measure: CohortMeasure = "retention_rate", ax: Axes | None = None
) -> Axes:
    """Draw cohorts as a heat map: one row per cohort, one column per age.

    Cells that cannot be observed stay empty. The colours of retention rates span the ages after
    the first period, where everybody is active by definition.

    Parameters
    ----------
    cohorts : DataFrame
        Result of :func:`cohort_table`, of one group if it was split.
    measure : str, default "retention_rate"
        The column to show: "retention_rate", "active", "amount" or, of contracts,
        "gross_revenue_retention" or "net_revenue_retention".
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If the table is split into groups; choose one of them first.

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
    >>> ax = churn.plot_cohorts(churn.cohort_table(transactions))
    >>> ax.get_xlabel()
    'Age of the cohort (periods)'
    """
    check_choice(measure, "measure", CohortMeasure)
    frame = table_to_draw(cohorts, "cohorts", ("cohort", "age", "customers", measure))
    if frame.duplicated(["cohort", "age"]).any():
        raise InputError(
            "`cohorts` holds several groups. Choose the rows of one, for example "
            "cohorts[cohorts['channel'] == 'web']."
        )
    cells = frame.pivot(index="cohort", columns="age", values=measure)
    sizes = frame.groupby("cohort")["customers"].first()
    shown = np.ma.masked_invalid(cells.to_numpy(dtype=float))
    ax = new_axes(ax, figsize=(8.0, 1.6 + 0.26 * min(len(cells), 40)))
    share = measure not in ("active", "amount")
    later = shown[:, 1:] if share and shown.shape[1] > 1 else shown
    low, high = (0.0, 1.0) if later.count() == 0 else (float(later.min()), float(later.max()))
    mesh = ax.pcolormesh(shown, cmap=SEQUENTIAL, vmin=low, vmax=high, edgecolors="white", lw=0.5)
    ax.invert_yaxis()

    labels = [f"{name} ({sizes[day]:,})" for day, name in _names(cells.index).items()]
    step = max(1, int(np.ceil(len(labels) / 40)))
    ax.set_yticks(np.arange(len(labels))[::step] + 0.5, labels[::step], fontsize="small")
    every = max(1, int(np.ceil(shown.shape[1] / 25)))
    ages = cells.columns.to_numpy()[::every]
    ax.set_xticks(np.arange(shown.shape[1])[::every] + 0.5, [str(age) for age in ages])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("Age of the cohort (periods)")
    ax.set_ylabel("Cohort (customers)")
    form = percent() if share else money() if measure == "amount" else count()
    bar = ax.figure.colorbar(mesh, ax=ax, format=form, pad=0.02)
    bar.set_label(_MEANING.get(measure, "Revenue kept"))
    bar.outline.set_visible(False)
    if shown.shape[0] <= _LEGIBLE[0] and shown.shape[1] <= _LEGIBLE[1]:
        _write_cells(ax, shown, (low + high) / 2, "{:.0%}".format if share else money())
    return ax


def plot_retention(retention: Any, *, ax: Axes | None = None) -> Axes:
    """Draw who stays, arrives, returns and leaves in each period, as stacked bars.

    Customers lost stand below the line. A period in progress is drawn pale.

    Parameters
    ----------
    retention : DataFrame
        Result of :func:`retention_table`, of one group if it was split.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If the table is split into groups; choose one of them first.

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
    >>> ax = churn.plot_retention(churn.retention_table(transactions))
    >>> ax.get_ylabel()
    'Customers'
    """
    parts = {"retained": COLORS[0], "reactivated": COLORS[5], "new": COLORS[2], "lost": COLORS[3]}
    frame = table_to_draw(retention, "retention", ("period", "complete", *parts))
    if frame["period"].duplicated().any():
        raise InputError(
            "`retention` holds several groups. Choose the rows of one, for example "
            "retention[retention['channel'] == 'web']."
        )
    frame = frame.sort_values("period")
    ax = tidy(new_axes(ax))
    place = np.arange(len(frame))
    done = frame["complete"].to_numpy(dtype=bool)
    bottom = np.zeros(len(frame))
    for part, colour in parts.items():
        height = frame[part].to_numpy(dtype=float)
        below = part == "lost"
        bars = ax.bar(
            place,
            -height if below else height,
            bottom=0 if below else bottom,
            width=0.85,
            color=colour,
            label=part,
        )
        for bar, whole in zip(bars, done, strict=True):
            bar.set_alpha(1.0 if whole else 0.4)
        bottom = bottom if below else bottom + height
    ax.axhline(0, color=GREY, lw=0.8)
    names = list(_names(frame["period"]).values())
    step = max(1, int(np.ceil(len(names) / 14)))
    ax.set_xticks(place[::step], names[::step], rotation=45, ha="right", fontsize="small")
    ax.yaxis.set_major_formatter(count())
    ax.set_xlabel("Period" if done.all() else "Period (pale: in progress)")
    ax.set_ylabel("Customers")
    ax.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def _names(days: Any) -> dict[Any, str]:
    """Return short names of periods: the year or the month where all begin on its first day."""
    index = pd.DatetimeIndex(days)
    form = "%Y-%m-%d"
    if (index.day == 1).all():
        form = "%Y" if (index.month == 1).all() and len(index) > 1 else "%Y-%m"
    return dict(zip(index, index.strftime(form), strict=True))


def _write_cells(ax: Axes, shown: Any, middle: float, write: Callable[[Any], str]) -> None:
    """Write each cell's number into it, dark on light cells and light on dark ones."""
    for row, column in np.argwhere(~np.ma.getmaskarray(shown)):
        cell = shown[row, column]
        ax.text(
            column + 0.5,
            row + 0.5,
            write(cell),
            ha="center",
            va="center",
            fontsize=6.5,
            color="black" if cell > middle else "white",
        )
