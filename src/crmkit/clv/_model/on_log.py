"""Models that read logs, and one held to a log so that it values the customers of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_number
from crmkit._frames import read_customers, rows_of
from crmkit._periods import day_text
from crmkit.clv._math.varying_future import VaryingFuture
from crmkit.clv._math.varying_likelihood import Histories, effects_of
from crmkit.clv._model.future import check_rate
from crmkit.clv._model.intervals import slopes_at
from crmkit.clv._model.varying_read import read_histories
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats, Ints

__all__ = ["NEEDS_A_LOG", "OnLog", "ReadsLogs"]

NEEDS_A_LOG = (
    "predicts from a log and its covariates. Give it with them: "
    "model.on_log(transactions, covariates=..., as_of=...)."
)


@dataclass(frozen=True)
class OnLog:
    """A fitted model with the log and the covariates that it predicts from."""

    model: Any
    transactions: Any
    covariates: Any
    as_of: Any

    def __getattr__(self, name: str) -> Any:
        """Return what the model has learned, such as ``log_likelihood_``."""
        if name.endswith("_") and not name.startswith("_"):
            return getattr(self.model, name)
        raise AttributeError(name)

    def predict(self, customers: Any, **options: Any) -> pd.DataFrame:
        """Return what the model predicts of the customers of a table, in their order."""
        ids = read_customers(customers)["customer_id"]
        sources = {"covariates": self.covariates, "as_of": self.as_of}
        told = self.model.predict(self.transactions, **sources, **options)
        row = rows_of(ids, told["customer_id"], name="customers", other="transactions")
        found: pd.DataFrame = told.iloc[row].reset_index(drop=True).assign(customer_id=ids)
        return found

    def _discounted(
        self,
        customers: Any,
        *,
        horizon_days: float,
        annual_discount_rate: float,
        gradient: bool = True,
    ) -> tuple[Floats, Floats]:
        """Return expected discounted purchases (n,) and their derivatives (n, p)."""
        ids = read_customers(customers)["customer_id"]
        days = check_number(horizon_days, "horizon_days", rule="alive_in_days")
        rate, columns = check_rate(annual_discount_rate), self.model._covariate_columns()
        read = read_histories(
            self.transactions, self.covariates, columns, as_of=self.as_of, ahead=days
        )
        effects = effects_of(read.paths.values, self.model._chosen())

        def expected(at: Floats) -> Floats:
            return VaryingFuture(read.histories, read.paths, effects, at).expected(days, rate)[2]

        at = self.model.coefficients_
        value, slopes = expected(at), np.empty((read.histories.path.size, 0))
        if gradient:
            value, slopes = slopes_at(expected, at)
        row = read.inverse[rows_of(ids, read.ids, name="customers", other="transactions")]
        return value[row], slopes[row]

    def _new_customers(self, kinds: pd.DataFrame, days: Floats) -> Floats:
        """Refuse: what new customers buy depends on the day they come."""
        del kinds, days
        raise InputError("What new customers buy under covariates depends on the day they come.")

    def expected_of_base(self, split: int, ends: Ints) -> Floats:
        """Return the repeat purchases that the customers who came by `split` make up to `ends`.

        As if nothing but the days they came on were known; shape (periods,).
        """
        columns, ahead = self.model._covariate_columns(), float(ends[-1] - split + 1)
        read = read_histories(
            self.transactions, self.covariates, columns, as_of=day_text(split), ahead=ahead
        )
        h, effects = read.histories, effects_of(read.paths.values, self.model._chosen())
        total = np.zeros(ends.size)
        for period, end in enumerate(ends):
            came = h.first < end
            first, weight = h.first[came], h.weight[came]
            new = Histories(h.path[came], first, first, first, np.zeros(first.size), weight)
            future = VaryingFuture(new, read.paths, effects, self.model.coefficients_)
            total[period] = weight @ future.expected(end - first)[2]
        return total


class ReadsLogs:
    """Part of a model that predicts from a log and from covariates over time."""

    def on_log(self, transactions: Any, *, covariates: Any, as_of: Any = None) -> OnLog:
        """Hold the model to a log, for reports that value or judge the customers of a table.

        Give what this returns as `purchases` to :func:`lifetime_value`, :func:`customer_equity`
        and :func:`tracking_table`, or among the `models` of :func:`model_comparison`.

        Parameters
        ----------
        transactions : DataFrame
            One row per order line, as in ``fit``.
        covariates : DataFrame
            As in ``fit``, from each customer's first purchase to the end of the horizon.
        as_of : date-like, optional
            Last day observed, inclusive. The default is the last date in the log.

        Returns
        -------
        OnLog
            The model with its log; its ``predict`` takes a table of customers.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        MissingColumnsError, InputError
            As in ``fit``.
        """
        self._check_fitted()  # type: ignore[attr-defined]
        read_histories(transactions, covariates, self._covariate_columns(), as_of=as_of)
        return OnLog(self, transactions, covariates, as_of)

    def _covariate_columns(self) -> list[str]:
        """Return the covariates of both processes, each once."""
        covariates = self._covariates()  # type: ignore[attr-defined]
        names = dict.fromkeys(c for triples in covariates for c, _, _ in triples)
        if not names:
            raise InputError(
                "`purchase_covariates` and `dropout_covariates` are empty: name a covariate, or "
                "use ParetoNBD, which is the model without them."
            )
        return list(names)

    def _chosen(self) -> list[list[int]]:
        """Return, for purchases and dropout, which of the covariates act on them."""
        names = self._covariate_columns()
        covariates = self._covariates()  # type: ignore[attr-defined]
        return [[names.index(column) for column, _, _ in covariates[at]] for at in (1, 3)]
