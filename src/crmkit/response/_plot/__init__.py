"""The room's plots: one Axes each, drawn from tables the room made."""

from __future__ import annotations

from crmkit.response._plot.drivers import plot_drivers
from crmkit.response._plot.gains import plot_gains

__all__ = ["plot_drivers", "plot_gains"]
