"""Tables that judge models and turn them into money."""

from __future__ import annotations

from crmkit.clv._report._calibration import calibration_table
from crmkit.clv._report._sensitivity import tapk_sensitivity

__all__ = ["calibration_table", "tapk_sensitivity"]
