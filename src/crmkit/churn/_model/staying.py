"""What models of staying share: reading who left, and predicting who stays another while."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named, optional_columns
from crmkit._checks import Problems, check_number, number_array
from crmkit._estimator import Model
from crmkit._frames import read_customers, sorted_codes
from crmkit._learn.seen import in_sample
from crmkit.churn._table.tenures import tenures_of
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.churn._math.tenures import Tenures


__all__ = ["Staying", "read_leavers"]


class Staying(Model):
    """A model of how long customers stay; a subclass learns and knows log survival."""

    columns_: pd.DataFrame

    _not_saved = ("_seen_",)

    def predict(
        self, customers: Any, *, horizon_days: float, duration: str | None = None
    ) -> pd.DataFrame:
        """Return each customer's chance to stay longer than a horizon.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with the columns the model learned from.
        horizon_days : float
            Time to look ahead, in the unit of the duration the model learned from.
        duration : str, optional
            Column with the tenure so far; the chance is then to stay `horizon_days` longer, given
            the tenure. The default is customers who begin.

        Returns
        -------
        pandas.DataFrame
            One row per customer, in the order of `customers`:

            * ``customer_id`` - as given.
            * ``p_survival`` (float) - chance to stay; NaN beyond the last time at which
              ``HazardModel`` saw somebody leave, and ``CoxModel`` anybody.
            * ``in_sample`` (bool) - whether the model learned from this very row; such scores
              are refused where scores are judged. Missing in a model read from a file, which
              keeps nothing of its customers.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.
        InputError
            If a value cannot be used, or a level was not seen in ``fit``.
        """
        self._check_fitted()
        frame, begin, end = read_remaining(customers, self._needs(), horizon_days, duration)
        matrix = self._encoded(frame)
        now, then = self._log_survival(begin, end, matrix, frame)
        with np.errstate(invalid="ignore"):
            chance = np.exp(np.minimum(then - now, 0.0))
        seen = in_sample(vars(self).get("_seen_"), frame, matrix)
        return pd.DataFrame(
            {"customer_id": frame["customer_id"], "p_survival": chance, "in_sample": seen}
        )

    @abstractmethod
    def _needs(self) -> list[str]:
        """Return the columns that were learned from."""

    @abstractmethod
    def _encoded(self, frame: pd.DataFrame) -> Floats:
        """Return traits of customers as learned from, shape (n, p)."""

    @abstractmethod
    def _log_survival(
        self, begin: Floats, end: Floats, matrix: Floats, frame: pd.DataFrame
    ) -> tuple[Floats, Floats]:
        """Return log S at two times of each customer, shapes (n,)."""


def read_leavers(
    customers: Any, *, duration: str, event: str, entry: str | None, weights: str | None
) -> tuple[pd.DataFrame, Tenures, list[str]]:
    """Return customers to learn from, their tenures, and the columns that say these."""
    taken = [
        *columns_named(duration=duration, event=event),
        *optional_columns(entry=entry, weights=weights),
    ]
    frame = read_customers(customers, needs=taken, unique=False)
    codes, _ = sorted_codes(frame["customer_id"])
    # Sums in the order of the customers are the same for any order of the rows.
    frame = frame.iloc[np.argsort(codes, kind="stable")].reset_index(drop=True)
    tenures = tenures_of(frame, duration, event, entry=entry, weights=weights)
    if not tenures.left.any():
        raise InputError(f"`customers`: nobody left (column {event!r}); nothing to learn.")
    return frame, tenures, taken


def read_remaining(
    customers: Any, columns: Sequence[str], horizon_days: float, duration: str | None
) -> tuple[pd.DataFrame, Floats, Floats]:
    """Return the customers to predict for, their tenure so far (else 0) and a horizon later."""
    horizon_days = check_number(horizon_days, "horizon_days", rule="days_ahead")
    frame = read_customers(customers, needs=[*columns, *optional_columns(duration=duration)])
    if duration is None:
        return frame, np.zeros(len(frame)), np.full(len(frame), horizon_days)
    problems = Problems("customers")
    tenure = number_array(frame[duration], problems, duration, low=0)
    problems.raise_if_any()
    return frame, tenure, tenure + horizon_days
