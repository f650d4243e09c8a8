"""Pictures of lifetime value; each draws a table that another function made."""

from __future__ import annotations

from crmkit.clv._plot._judgement import plot_calibration

__all__ = ["plot_calibration"]
