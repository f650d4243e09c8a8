"""Pictures of what models say about customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._checks import check_choice
from crmkit._plotting import (
    COLORS,
    SEQUENTIAL,
    count,
    new_axes,
    percent,
    plain,
    table_to_draw,
    tidy,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_alive_path", "plot_frequency_recency"]

GridMeasure = Literal["p_alive", "expected_purchases"]
LABELS: dict[GridMeasure, str] = {
    "p_alive": "Probability to be a customer still",
    "expected_purchases": "Expected purchases",
}


def plot_alive_path(path: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the probability to be a customer still, day by day; dots are repeat purchases.

    Parameters
    ----------
    path : DataFrame
        A purchase model's ``alive_path``, of one or a few customers.
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
    >>> path = pd.DataFrame({
    ...     "customer_id": "ann",
    ...     "date": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
    ...     "frequency": [0, 0, 1],
    ...     "p_alive": [1.0, 0.97, 0.99],
    ... })
    >>> clv.plot_alive_path(path).get_ylabel()
    'Probability to be a customer still'
    """
    table = table_to_draw(path, "path", ("customer_id", "date", "frequency", "p_alive"))
    groups = list(table.sort_values("date").groupby("customer_id", sort=False))
    if len(groups) > len(COLORS):
        raise InputError(
            f"`path` holds {len(groups):,} customers, more than lines can be told apart "
            f"({len(COLORS)}). Choose a few of them."
        )
    ax = new_axes(ax)
    for color, (customer, rows) in zip(COLORS, groups, strict=False):
        ax.plot(rows["date"], rows["p_alive"], color=color, label=plain(customer))
        bought = rows[rows["frequency"].diff() > 0]
        ax.plot(bought["date"], bought["p_alive"], "o", color=color, markersize=4)
    ax.set_ylim(0.0, 1.02)
    ax.set_ylabel(LABELS["p_alive"])
    ax.yaxis.set_major_formatter(percent())
    ax.tick_params(axis="x", rotation=30)
    if len(groups) > 1:
        ax.legend(title="Customer", frameon=False, fontsize="small")
    return tidy(ax)


def plot_frequency_recency(
    grid: Any, *, measure: GridMeasure = "p_alive", ax: Axes | None = None
) -> Axes:
    """Draw the heat map of frequency and recency that analysts know.

    Parameters
    ----------
    grid : DataFrame
        A :func:`frequency_recency_table`.
    measure : {"p_alive", "expected_purchases"}
        What the colour shows.
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
    >>> grid = pd.DataFrame({
    ...     "frequency": [1, 1, 2, 2],
    ...     "recency": [50.0, 100.0, 50.0, 100.0],
    ...     "p_alive": [0.6, 0.9, 0.3, 0.95],
    ... })
    >>> clv.plot_frequency_recency(grid).get_xlabel()
    'Days from first to last purchase'
    """
    check_choice(measure, "measure", GridMeasure)
    table = table_to_draw(grid, "grid", ("frequency", "recency", measure))
    # Without a repeat purchase there is one recency, 0: no row of a map.
    table = table[table["frequency"] > 0]
    cells = table.pivot_table(index="frequency", columns="recency", values=measure)
    ax = new_axes(ax)
    image = ax.pcolormesh(
        cells.columns.to_numpy(float),
        cells.index.to_numpy(float),
        np.ma.masked_invalid(cells.to_numpy(float)),
        cmap=SEQUENTIAL,
        shading="nearest",
        vmin=0.0,
        vmax=1.0 if measure == "p_alive" else None,
        rasterized=True,
    )
    bar = ax.figure.colorbar(image, ax=ax, label=LABELS[measure])
    bar.formatter = percent() if measure == "p_alive" else count()
    bar.update_ticks()
    ax.set_xlabel("Days from first to last purchase")
    ax.set_ylabel("Repeat purchases")
    return ax
