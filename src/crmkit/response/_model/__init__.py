"""The room's models."""

from __future__ import annotations

from crmkit.response._model.response import ResponseModel

__all__ = ["ResponseModel"]
