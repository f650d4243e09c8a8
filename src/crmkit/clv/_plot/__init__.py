"""Pictures of lifetime value; each draws a table that another function made."""

from __future__ import annotations

from crmkit.clv._plot._customers import plot_frequency_recency
from crmkit.clv._plot._judgement import plot_calibration, plot_tracking

__all__ = ["plot_calibration", "plot_frequency_recency", "plot_tracking"]
