"""What every section of the report may use: the log, the choices, and what was found so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._report.shelf import Shelf

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.language import Language
    from crmkit._report.log import Facts, PageLog
    from crmkit._report.pieces import Standing

__all__ = ["Settings", "Story"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The reader's choices, checked."""

    as_of: pd.Timestamp
    horizon_days: int
    # The part of the history that can be held out to judge forecasts.
    holdout_days: int
    annual_discount_rate: float
    margin: float | None
    acquisition_cost: float | None
    contact_cost: float | None
    # Of those who would stay away, the share that a contact wins back.
    save_rate: float

    @property
    def split(self) -> pd.Timestamp:
        """Last day before the part that is held out."""
        # Not by pandas.Timedelta: making one warns in pandas 2 beside numpy 2.5.
        return self.as_of - np.timedelta64(self.holdout_days, "D")


@dataclass(slots=True)
class Story:
    """The log up to ``as_of`` and the results of the sections written so far."""

    log: PageLog
    facts: Facts
    settings: Settings
    account: dict[str, Any]
    rows_after_as_of: int
    words: Language
    # What every customer is, or why that cannot be said.
    standing: Standing | str = ""
    customers: pd.DataFrame | None = None
    products: pd.DataFrame | None = None
    campaigns: pd.DataFrame | None = None
    redemptions: pd.DataFrame | None = None
    found: dict[str, Any] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)

    def has(self, column: str) -> bool:
        """Tell whether the log has a column."""
        return column in self.log.columns

    def on_some(self, log: PageLog) -> list[str]:
        """Say of how many customers a part of the log tells."""
        n, whole = sum(log.customers), sum(self.log.customers)
        return [self.words.say("parts.enough", n=n, all=whole)] if n < whole else []

    @property
    def margin(self) -> float | None:
        """Return the share of an amount that is profit: as given, or as the log's costs show."""
        if not self.has("cost"):
            return self.settings.margin
        amount, cost = self.facts.amount, self.facts.cost
        return float((amount - cost) / amount) if amount > cost else None

    @property
    def knows_cost(self) -> bool:
        """Return whether profit can be told: a cost, or a margin, is known."""
        settings = self.settings
        known = settings.margin is not None or bool(settings.acquisition_cost)
        return self.has("amount") and (self.has("cost") or known)

    @property
    def days(self) -> int:
        """Return the days observed, the first and the last among them."""
        return int((self.settings.as_of - self.facts.first.normalize()).days) + 1
