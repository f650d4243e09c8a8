"""Plot of what a campaign changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from crmkit._checks import check_choice
from crmkit._frames import split_by
from crmkit._plotting import COLORS, GREY, money, new_axes, plain, table_to_draw, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_campaign"]

CampaignMeasure = Literal["uplift", "profit"]
_SHOWN: dict[CampaignMeasure, tuple[str, str, str, str]] = {
    "uplift": ("uplift", "conf_low", "conf_high", "Uplift over control"),
    "profit": ("profit", "profit_low", "profit_high", "Incremental profit"),
}


def plot_campaign(
    result: pd.DataFrame, *, measure: CampaignMeasure = "uplift", ax: Axes | None = None
) -> Axes:
    """Draw uplift or profit of each treatment with its interval and its verdict.

    Parameters
    ----------
    result : DataFrame
        What :func:`crmkit.response.campaign_result` gives.
    measure : {"uplift", "profit"}, default "uplift"
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(2000, random_state=0, arms=("mail", "call"))
    >>> result = response.campaign_result(campaign, outcome="responded", treated="arm")
    >>> response.plot_campaign(result).get_xlabel()
    'Uplift over control'
    """
    value, low, high, label = _SHOWN[check_choice(measure, "measure", CampaignMeasure)]
    needed = ["treatment", value, low, high, "verdict"]
    result = table_to_draw(result, "result", needed)
    ax = new_axes(ax, figsize=(7.0, 1.4 + 0.6 * len(result)))
    at = np.arange(len(result))[::-1]
    ax.axvline(0, color=GREY, linewidth=1)
    ax.hlines(at, result[low], result[high], color=COLORS[0], linewidth=2)
    ax.plot(result[value], at, "o", color=COLORS[0])
    for y, x, verdict in zip(at, result[value], result["verdict"], strict=True):
        ax.annotate(
            plain(verdict),
            (x, y),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    names = [*split_by(result, "treatment"), "treatment"]
    labels = [plain(", ".join(map(str, row))) for row in result[names].itertuples(index=False)]
    ax.set_yticks(at, labels)
    ax.set_xlabel(label)
    ax.set_ylim(-0.5, len(result) - 0.3)
    if measure == "profit":
        ax.xaxis.set_major_formatter(money())
    ax.margins(x=0.12)
    return tidy(ax)
