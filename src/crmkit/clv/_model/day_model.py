"""Models of purchases on days, which can follow a customer through a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.clv._model.purchases import PurchaseModel
from crmkit.clv._model.rows import parameters_at
from crmkit.clv._table.alive_days import alive_days
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DayModel"]


class DayModel(PurchaseModel):
    """Base of the models that count days and not periods."""

    def alive_path(
        self, transactions: Any, *, as_of: Any = None, every_days: int = 1
    ) -> pd.DataFrame:
        """Follow P(alive) from each customer's first purchase to the end of the log.

        Parameters
        ----------
        transactions : DataFrame
            One row per order line with ``customer_id`` and ``date``; best of few customers.
        as_of : date-like, optional
            Last day observed, inclusive. The default is the last date in the log.
        every_days : int
            Days from one point of the path to the next.

        Returns
        -------
        pandas.DataFrame
            One row per customer and day, sorted by both:

            * ``customer_id`` - as given.
            * ``date`` (datetime) - the day, at whose end the path stands.
            * ``frequency`` (int) - repeat purchase days so far.
            * ``p_alive`` (float) - probability of being a customer still, given the log so far.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If the model has covariates, or the log cannot be read.
        """
        self._check_fitted()
        if any(self._covariates()):
            raise InputError(
                f"This {type(self).__name__} cannot draw a path from a log alone, which holds no "
                "covariates. Use predict() on a table for each moment."
            )
        path, history = alive_days(transactions, as_of=as_of, every_days=every_days)
        theta = parameters_at(self.coefficients_, [None] * len(self._names))
        return path.assign(p_alive=self._future(theta, history).p_alive)
