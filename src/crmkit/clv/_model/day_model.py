"""Models of purchases on days, which can follow a customer through a log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from crmkit._checks import Problems, number_array
from crmkit.clv._model.purchases import PurchaseModel
from crmkit.clv._model.rows import parameters_at
from crmkit.clv._table.alive_days import alive_days
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats
    from crmkit.clv._math.rows import Rows

__all__ = ["DayModel"]


class DayModel(PurchaseModel):
    """Base of the models in continuous time, whose histories are measured in days."""

    _columns: ClassVar[tuple[str, ...]] = ("frequency", "recency", "T")
    _length: ClassVar[str] = "T"

    def _read(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        x = number_array(frame["frequency"], problems, "frequency", low=0.0)
        t_x = number_array(frame["recency"], problems, "recency", low=0.0)
        T = number_array(frame["T"], problems, "T", low=0.0)
        problems.rows(
            np.isfinite(x) & (x != np.floor(x)),
            "column 'frequency' is not a whole number",
            do="It counts repeat purchases.",
        )
        problems.rows(t_x > T, "`recency` is above `T`", do="Both count from the first purchase.")
        problems.rows(
            (x == 0.0) & (t_x > 0.0),
            "`recency` is above 0 although `frequency` is 0",
            do="Without a repeat purchase the last purchase is the first.",
        )
        return {"frequency": x, "recency": t_x, "T": T}

    def _unit(self, rows: Rows) -> float:
        mean = float(np.average(rows.columns["T"], weights=rows.weight))
        if not mean > 0.0:
            raise InputError("`customers`: nobody was observed for any time (every `T` is 0).")
        return mean

    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        timed = {"recency", "T"}
        columns = {k: v / unit if k in timed else v for k, v in rows.columns.items()}
        return replace(rows, columns=columns)

    def _unit_power(self, rows: Rows) -> float:
        return float(rows.weight @ rows.columns["frequency"])

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
