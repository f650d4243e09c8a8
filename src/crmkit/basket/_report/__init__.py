"""Tables that explain what is bought together."""

from __future__ import annotations

from crmkit.basket._report.rules import association_rules

__all__ = ["association_rules"]
