"""What learns: the next best item."""

from __future__ import annotations

from crmkit.basket._model.next_item import NextItem

__all__ = ["NextItem"]
