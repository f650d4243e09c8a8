"""Tables that judge models and turn them into money."""

from __future__ import annotations

from crmkit.clv._report._calibration import calibration_table

__all__ = ["calibration_table"]
