"""The room's plots: one Axes each, drawn from tables the room made."""

from __future__ import annotations

from crmkit.response._plot.campaign import plot_campaign
from crmkit.response._plot.drivers import plot_drivers
from crmkit.response._plot.profit import plot_profit
from crmkit.response._plot.qini import plot_qini
from crmkit.response._plot.tree import plot_tree

__all__ = [
    "plot_campaign",
    "plot_drivers",
    "plot_profit",
    "plot_qini",
    "plot_tree",
]
