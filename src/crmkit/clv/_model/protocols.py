"""What the room's reports ask of a model, whichever it is: the hooks that are no public names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead

__all__ = ["PurchaseDrawer", "PurchaseValuer", "SpendDrawer", "SpendValuer"]


@runtime_checkable
class PurchaseValuer(Protocol):
    """A fitted model, or models by group, of how often customers of a table buy again."""

    def _discounted(
        self,
        customers: Any,
        *,
        horizon_days: float | str,
        annual_discount_rate: float,
        gradient: bool = True,
    ) -> tuple[Floats, Floats]:
        """Return expected discounted purchases (n,) and their derivatives (n, p)."""

    def _new_customers(self, kinds: pd.DataFrame, days: Floats) -> Floats:
        """Return what customers without a history buy within each number of days, (n, days)."""


class PurchaseDrawer(PurchaseValuer, Protocol):
    """One with draws from the posterior, which intervals of money to come need."""

    @property
    def coefficient_draws_(self) -> Floats:
        """Draws from the posterior (d, p); none without a prior."""

    def _seed(self) -> int | None:
        """Return the seed of what is drawn after fitting."""

    def _discounted_at(
        self, customers: Any, draws: Floats, *, horizon_days: float, annual_discount_rate: float
    ) -> Floats:
        """Return expected discounted purchases at every draw of the coefficients, (d, n)."""

    def _ahead(self, customers: Any, days: float) -> Callable[[Ints, np.random.Generator], Ahead]:
        """Return what continues histories at some draws; draw d of customer i is d n + i."""


@runtime_checkable
class SpendValuer(Protocol):
    """A fitted model, or models by group, of what customers of a table spend per purchase."""

    def _amount(self, customers: Any) -> tuple[Floats, Floats]:
        """Return expected amounts (n,) and their derivatives in the coefficients (n, p)."""


class SpendDrawer(SpendValuer, Protocol):
    """One with draws from the posterior, which intervals of money to come need."""

    @property
    def coefficient_draws_(self) -> Floats:
        """Draws from the posterior (d, p); none without a prior."""

    def _amount_at(self, customers: Any, draws: Floats) -> Floats:
        """Return expected amounts at every draw of the coefficients, (d, n), infinite ones too."""

    def _amounts_ahead(self, customers: Any) -> Callable[[Ints, Ints, np.random.Generator], Floats]:
        """Return what draws an amount for each owner: at draw d customer i of n is d n + i."""
