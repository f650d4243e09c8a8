"""The room's models."""

from __future__ import annotations

from crmkit.response._model.response import ResponseModel
from crmkit.response._model.uplift import UpliftModel

__all__ = ["ResponseModel", "UpliftModel"]
