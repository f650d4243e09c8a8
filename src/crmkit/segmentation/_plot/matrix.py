"""Pictures of score grids and value matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._checks import check_choice
from crmkit._plotting import (
    COLORS,
    GREY,
    SEQUENTIAL,
    money,
    new_axes,
    plain,
    short_number,
    table_to_draw,
    tidy,
)
from crmkit.segmentation._table.matrix import PRESETS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_rfm_heatmap", "plot_value_matrix"]

CellMeasure = Literal[
    "mean_amount", "total_amount", "mean_profit", "profit", "customers", "share_of_customers"
]
_SHOWS: dict[CellMeasure, str] = {
    "mean_amount": "Mean amount per customer",
    "customers": "Customers",
    "total_amount": "Total amount",
    "mean_profit": "Mean profit per customer",
    "profit": "Profit",
    "share_of_customers": "Share of customers",
}


def plot_rfm_heatmap(
    cells: Any, *, measure: CellMeasure = "mean_amount", ax: Axes | None = None
) -> Axes:
    """Draw the grid of recency and frequency scores as a heat map.

    Parameters
    ----------
    cells : DataFrame
        The table of :func:`segment_overview` by ``["recency_score", "frequency_score"]``.
    measure : str, default "mean_amount"
        Which column is coloured and written into the cells: ``mean_amount``, ``total_amount``,
        ``mean_profit``, ``profit``, ``customers`` or ``share_of_customers``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame(
    ...     {"recency_score": [1, 2], "frequency_score": [1, 2], "customers": [7, 3]}
    ... )
    >>> plot_rfm_heatmap(cells, measure="customers").get_xlabel()
    'Frequency score'
    """
    check_choice(measure, "measure", CellMeasure)
    frame = table_to_draw(cells, "cells", ["recency_score", "frequency_score", measure])
    ax = new_axes(ax, figsize=(5.6, 4.6))
    size = int(frame[["recency_score", "frequency_score"]].to_numpy().max())
    grid = np.full((size, size), np.nan)
    rows, columns = frame["recency_score"] - 1, frame["frequency_score"] - 1
    grid[rows.to_numpy(), columns.to_numpy()] = frame[measure].to_numpy(dtype=float)
    image = ax.imshow(grid, origin="lower", cmap=SEQUENTIAL, aspect="equal")
    middle = (np.nanmin(grid) + np.nanmax(grid)) / 2
    for row, column in np.argwhere(~np.isnan(grid)):
        shown = grid[row, column]
        text = f"{100 * shown:.1f}%" if measure == "share_of_customers" else short_number(shown)
        color = "black" if shown > middle else "white"
        ax.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
    ax.set_xticks(range(size), [str(score + 1) for score in range(size)])
    ax.set_yticks(range(size), [str(score + 1) for score in range(size)])
    ax.set_xlabel("Frequency score")
    ax.set_ylabel("Recency score")
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85, format=money())
    bar.set_label(_SHOWS[measure])
    bar.outline.set_visible(False)  # type: ignore[operator, unused-ignore]
    return ax


def plot_value_matrix(matrix: Any, *, ax: Axes | None = None) -> Axes:
    """Draw customers by two values, with the cuts and the number in each quadrant.

    Parameters
    ----------
    matrix : DataFrame
        The table of :func:`value_matrix`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on. Both axes are linear around the cut and logarithmic far from it, so
        that many small and a few very large customers fit in one picture.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.segmentation import value_matrix
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [1, 2, 3], "profit": [90.0, 40.0, -5.0], "wallet": [10.0, 200.0, 0.0]}
    ... )
    >>> matrix = value_matrix(customers, potential="wallet")
    >>> plot_value_matrix(matrix).get_xlabel()
    'Current'
    """
    frame = table_to_draw(matrix, "matrix", ["segment"])
    across, up = frame.columns[1], frame.columns[2]
    ax = tidy(new_axes(ax, figsize=(6.6, 5.2)))
    kinds = PRESETS["marcus" if across == "frequency" else "potential"]
    for (name, _), color in zip(kinds, COLORS, strict=False):
        rows = frame[frame["segment"] == name]
        if len(rows):
            dots = ax.scatter(rows[across], rows[up], s=9, alpha=0.55, linewidths=0)
            dots.set(color=color, label=plain(f"{name} ({len(rows):,})"), rasterized=True)
    sides = (
        (across, ax.axvline, ax.set_xscale, ax.set_xlim),
        (up, ax.axhline, ax.set_yscale, ax.set_ylim),
    )
    for column, line, scale, limit in sides:
        cut = float(frame[f"{column}_cut"].iloc[0])
        line(cut, color=GREY, linewidth=1, linestyle="--")
        if frame[column].abs().max() > 20 * abs(cut) > 0:
            scale("symlog", linthresh=abs(cut))
            if frame[column].min() >= 0:
                limit(-0.05 * abs(cut))
    ax.set_xlabel(plain(across.replace("_", " ").capitalize()))
    ax.set_ylabel(plain(up.replace("_", " ").capitalize()))
    ax.xaxis.set_major_formatter(money())
    ax.yaxis.set_major_formatter(money())
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=5,
        frameon=False,
        fontsize=9,
        markerscale=2,
        columnspacing=0.8,
        handletextpad=0.1,
    )
    return ax
