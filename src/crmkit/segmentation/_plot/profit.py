"""Pictures of how profit is spread over customers and segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from crmkit._checks import check_choice
from crmkit._plotting import (
    COLORS,
    GREY,
    money,
    new_axes,
    percent,
    plain,
    short_number,
    table_to_draw,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_segment_overview", "plot_whale_curve"]

Measure = Literal["profit", "total_amount", "value"]
SHARES: dict[Measure, str] = {
    "profit": "share_of_profit",
    "total_amount": "share_of_amount",
    "value": "share_of_value",
}


def plot_whale_curve(curve: Any, *, ax: Axes | None = None) -> Axes:
    """Draw cumulative profit over customers, from the best to the worst.

    Parameters
    ----------
    curve : DataFrame
        The table of :func:`whale_curve`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on; the peak is marked, and the fall behind it shaded.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.segmentation import whale_curve
    >>> profit = pd.DataFrame({"customer_id": [1, 2, 3], "profit": [-30.0, 80.0, 50.0]})
    >>> plot_whale_curve(whale_curve(profit)).get_ylabel()
    'Cumulative profit'
    """
    needs = ["customers", "share_of_customers", "cumulative_profit"]
    frame = table_to_draw(curve, "curve", needs)
    share = frame["share_of_customers"].to_numpy(dtype=float)
    total = frame["cumulative_profit"].to_numpy(dtype=float)
    top = int(total.argmax())
    ax = tidy(new_axes(ax))
    ax.plot(share, total, color=COLORS[0], linewidth=2)
    ax.fill_between(share[top:], total[top:], total[top], color=COLORS[3], alpha=0.25, linewidth=0)
    ax.axhline(total[-1], color=GREY, linewidth=1, linestyle="--")
    ax.annotate(
        f"all: {short_number(total[-1])}",
        (0, total[-1]),
        xytext=(4, 4),
        textcoords="offset points",
        color=GREY,
    )
    ax.plot(share[top], total[top], "o", color=COLORS[3])
    ax.annotate(
        f"peak: {short_number(total[top])} at {share[top]:.1%} of customers",
        (share[top], total[top]),
        xytext=(0, 8),
        textcoords="offset points",
        ha="right",
    )
    ax.margins(y=0.12)
    ax.set_xlim(0, 1)
    ax.set_xlabel("Share of customers, best first")
    ax.set_ylabel("Cumulative profit")
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(money())
    return ax


def plot_segment_overview(
    overview: Any, *, measure: Measure | None = None, ax: Axes | None = None
) -> Axes:
    """Draw each segment's share of customers beside its share of profit, money or value.

    Parameters
    ----------
    overview : DataFrame
        The table of :func:`segment_overview`; its tiers by :func:`value_tiers` are the pyramid.
    measure : {"profit", "total_amount", "value"}, optional
        What is shared out. The default is the first of these that the table has.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on. Customers grow to the left, money to the right; at the end of each bar
        stand their number and sum.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.segmentation import segment_overview, value_tiers
    >>> profit = pd.DataFrame({"customer_id": [1, 2, 3, 4], "profit": [-30.0, 80.0, 50.0, 50.0]})
    >>> tiers = value_tiers(profit, tiers={"best": 0.25, "good": 0.25, "rest": 0.5})
    >>> ax = plot_segment_overview(segment_overview(profit, tiers))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['best', 'good', 'rest']
    """
    needs = ["segment", "customers", "share_of_customers"]
    frame = table_to_draw(overview, "overview", needs)
    if measure is None:
        measure = next((name for name in SHARES if name in frame.columns), "profit")
    share = SHARES[check_choice(measure, "measure", Measure)]
    frame = table_to_draw(frame, "overview", [str(measure), share])
    ax = tidy(new_axes(ax, figsize=(7.0, 1.4 + 0.4 * len(frame))))
    places = range(len(frame))
    customers = frame["share_of_customers"].to_numpy(dtype=float)
    money = frame[share].fillna(0.0).to_numpy(dtype=float)
    words = share.removeprefix("share_of_")
    ax.barh(places, -customers, color=COLORS[5], label="share of customers")
    ax.barh(places, money, color=COLORS[0], label=f"share of {words}")
    counts = zip(places, frame["customers"], frame[measure], customers, money, strict=True)
    for place, count, worth, left, right in counts:
        style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 9}
        ax.annotate(f"{count:,}", (-left, place), xytext=(-4, 0), ha="right", **style)
        ax.annotate(short_number(worth), (max(right, 0), place), xytext=(4, 0), **style)
    ax.axvline(0, color="white", linewidth=1.5)
    ax.set_yticks(places, frame["segment"].map(plain).tolist())
    ax.invert_yaxis()
    ax.margins(x=0.14)
    ax.set_xlabel(f"Share of customers (left) and of {words} (right)")
    ax.xaxis.set_major_formatter(lambda share, _: f"{abs(share):.0%}")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9)
    return ax
