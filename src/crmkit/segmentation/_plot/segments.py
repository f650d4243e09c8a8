"""Pictures of what marks segments and of moves between them."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._plotting import COLORS, GREY, new_axes, plain, table_to_draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_segment_migration", "plot_segment_profile"]


def plot_segment_profile(profile: Any, *, ax: Axes | None = None) -> Axes:
    """Draw what marks each segment: colour is effect size, the number is the index.

    Parameters
    ----------
    profile : DataFrame
        The table of :func:`segment_profile`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on: variables down, segments across; 100 is as all customers. Colours are
        full at an effect size of 0.8, called large.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.segmentation import segment_profile
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "age": [30.0, 34.0, 60.0, 64.0]})
    >>> segments = pd.DataFrame({"customer_id": [1, 2, 3, 4], "segment": ["a", "a", "b", "b"]})
    >>> ax = plot_segment_profile(segment_profile(customers, segments))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['a', 'b']
    """
    needs = ["segment", "variable", "level", "index", "effect_size"]
    frame = table_to_draw(profile, "profile", needs)
    numbers = frame["level"] == "mean"
    label = frame["variable"].where(numbers, frame["variable"] + ": " + frame["level"].astype(str))
    names, rows = list(dict.fromkeys(frame["segment"])), list(dict.fromkeys(label))
    shown = list(map(plain, rows))
    across = [fill(plain(name), 18) for name in names]
    lines = max(name.count("\n") for name in across)
    beside = 0.08 * max(max(map(len, shown)) - 20, 0)  # room for long names
    size = (2.6 + 1.1 * len(names) + beside, 1.8 + 0.32 * len(rows) + 0.2 * lines)
    ax = new_axes(ax, figsize=size)
    grids = [
        frame.assign(label=label)
        .pivot(index="label", columns="segment", values=column)
        .reindex(index=rows, columns=names)
        .to_numpy(dtype=float)
        for column in ("effect_size", "index")
    ]
    effect, index = grids
    image = ax.imshow(effect, cmap="PuOr", vmin=-0.8, vmax=0.8, aspect="auto")
    for row, column in np.argwhere(~np.isnan(index)):
        strong = abs(np.nan_to_num(effect[row, column])) > 0.6
        color = "white" if strong else "black"
        text = f"{index[row, column]:,.0f}"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    ax.set_xticks(range(len(names)), across, rotation=30, ha="right")
    ax.set_yticks(range(len(rows)), shown)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(image, ax=ax, extend="both", shrink=0.9)
    bar.set_label("Effect size against the rest")
    bar.outline.set_visible(False)  # type: ignore[operator, unused-ignore]
    ax.set_xlabel("Segment; number is the index, 100 = all customers")
    return ax


def plot_segment_migration(migration: Any, *, ax: Axes | None = None) -> Axes:
    """Draw moves between segments as bands from the first date to the second.

    Parameters
    ----------
    migration : DataFrame
        The table of :func:`segment_migration`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on; heights are numbers of customers, colours the segment of departure.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.segmentation import segment_migration
    >>> before = pd.DataFrame({"customer_id": [1, 2, 3], "segment": ["a", "a", "b"]})
    >>> after = pd.DataFrame({"customer_id": [2, 3, 4], "segment": ["b", "b", "a"]})
    >>> ax = plot_segment_migration(segment_migration(before, after))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['before', 'after']
    """
    needs = ["from_segment", "to_segment", "customers"]
    frame = table_to_draw(migration, "migration", needs)
    ax = new_axes(ax, figsize=(7.0, 5.0))
    gap = 0.02 * float(frame["customers"].sum())
    starts = _stack(ax, frame, "from_segment", 0.0, gap)
    ends = _stack(ax, frame, "to_segment", 1.0, gap)
    colors = {name: COLORS[place % 7] for place, name in enumerate(sorted(starts))}
    # An S-shaped band: flat where it leaves and where it arrives.
    t = np.linspace(0, 1, 40)
    bend = t**2 * (3 - 2 * t)
    for origin, target, size in frame[needs].itertuples(index=False):
        low = starts[origin] + (ends[target] - starts[origin]) * bend
        color = GREY if origin == "not yet" else colors[origin]
        ax.fill_between(0.03 + 0.94 * t, low, low + size, color=color, alpha=0.55, linewidth=0)
        starts[origin] += size
        ends[target] += size
    ax.set_xlim(-0.35, 1.35)
    ax.set_xticks([0, 1], ["before", "after"])
    ax.set_yticks([])
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _stack(ax: Axes, frame: Any, column: str, x: float, gap: float) -> dict[str, float]:
    """Draw one date's segments as a stack of bars and return where each begins."""
    total = frame.groupby(column, sort=False)["customers"].sum()
    last = [name for name in ("not yet", "gone") if name in total.index]
    names = [*sorted(name for name in total.index if name not in last), *last]
    at, begins = 0.0, {}
    for name in names:
        size = float(total[name])
        begins[name] = at
        ax.fill_between([x - 0.03, x + 0.03], at, at + size, color="#333333", linewidth=0)
        side = "right" if x == 0 else "left"
        place = x - 0.05 if x == 0 else x + 0.05
        text = plain(f"{name} ({size:,.0f})")
        ax.text(place, at + size / 2, text, ha=side, va="center", fontsize=9)
        at += size + gap
    return begins
