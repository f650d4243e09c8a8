"""What the room's reports ask of a model, whichever it is: the hooks that are no public names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["PurchaseValuer", "SpendValuer"]


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

    def _at(self, coefficients: Floats) -> Self:
        """Return the model with other coefficients."""


@runtime_checkable
class SpendValuer(Protocol):
    """A fitted model, or models by group, of what customers of a table spend per purchase."""

    def _amount(self, customers: Any, *, gradient: bool = True) -> tuple[Floats, Floats]:
        """Return expected amounts (n,) and their derivatives in the coefficients (n, p)."""

    def _at(self, coefficients: Floats) -> Self:
        """Return the model with other coefficients."""
