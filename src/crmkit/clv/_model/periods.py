"""What the models in whole periods share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from crmkit._checks import Problems, check_number
from crmkit.clv._math.accounting import DAYS_PER_YEAR
from crmkit.clv._model.purchases import PurchaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.clv._model.rows import Rows

__all__ = ["PeriodModel", "whole"]


class PeriodModel(PurchaseModel):
    """Base of the models whose clock ticks once per period of `period_days`."""

    _length: ClassVar[str] = "periods"

    def __init__(
        self,
        *,
        period_days: float = DAYS_PER_YEAR,
        purchase_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        n_draws: int = 0,
        random_state: int | None = None,
    ) -> None:
        self.period_days = period_days
        self.purchase_covariates = purchase_covariates
        self.dropout_covariates = dropout_covariates
        self.tie = tie
        self.l2 = l2
        self.n_draws = n_draws
        self.random_state = random_state

    def _period(self) -> float:
        """Return the length of a period, checked."""
        return float(check_number(self.period_days, "period_days"))

    def _unit(self, rows: Rows) -> float:
        del rows
        self._period()
        return 1.0

    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        del unit
        return rows

    def _unit_power(self, rows: Rows) -> float:
        del rows
        return 0.0


def whole(values: Floats, column: str, problems: Problems) -> None:
    """Note values that are not whole numbers."""
    problems.rows(
        np.isfinite(values) & (values != np.floor(values)),
        f"column {column!r} is not a whole number",
        do="It counts periods or purchases.",
    )
