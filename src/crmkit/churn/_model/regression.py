"""What regressions of survival share: reading, what they learned, predicting."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_number, require_columns
from crmkit._learn.columns import judged_columns
from crmkit._learn.seen import SeenRows
from crmkit.churn._model.design import (
    Covariate,
    covariate_columns,
    design_matrix,
    learn_terms,
    term_names,
)
from crmkit.churn._model.staying import Staying, read_leavers
from crmkit.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.churn._math.tenures import Tenures


__all__ = ["Regression", "no_maximum"]


class Regression(Staying):
    """A regression; a subclass knows its likelihood."""

    penalizer: float
    confidence_level: float
    parameters_: pd.DataFrame
    _terms_: list[Covariate]

    def fit(
        self,
        customers: Any,
        *,
        duration: str = "tenure_days",
        event: str = "churned",
        entry: str | None = None,
        weights: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> Self:
        """Learn from customers who left, and from those still here.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with ``customer_id``, duration, event and traits that were known
            when the customer came.
        duration, event : str
            Columns with the time observed, and whether the customer left at its end.
        entry : str, optional
            Column with the tenure at which a customer came under observation, below that of
            `duration`; 0 for those who were watched from their beginning.
        weights : str, optional
            Column with the weight of each row, above 0. Whole numbers count customers who are
            alike; others weight a sample, and errors are
            then those of as many rows, not customers.
        columns : sequence of str, optional
            Columns to learn from: numbers in their own units, levels against the first in
            alphabetical order. The default is every column but ids, dates and those named above.

        Returns
        -------
        Model
            The model itself.

        Raises
        ------
        ImportError
            If lifelines is not installed, which ``AFTModel`` needs.
        ConvergenceError
            If the likelihood has no maximum, as when a trait tells the leavers apart for certain.
        InputError
            If nobody left, or a value cannot be used.
        """
        level = check_number(self.confidence_level, "confidence_level")
        frame, tenures, taken = read_leavers(
            customers, duration=duration, event=event, entry=entry, weights=weights
        )
        require_columns(frame.columns, self._beside(), "customers")
        chosen = covariate_columns(frame, columns, ["customer_id", *taken, *self._beside()])
        terms = learn_terms(frame, chosen)
        matrix = design_matrix(terms, frame)
        self.columns_ = judged_columns(
            frame,
            chosen,
            terms,
            tenures.left.astype(np.float64),
            event,
            certain_is_suspect=False,
            warn=columns is None,
        )
        estimate, error = self._learn(tenures, matrix, term_names(terms), frame, duration)
        if not np.isfinite(np.r_[estimate, error]).all():
            raise no_maximum()
        reach = normal_quantile(level) * error
        self._terms_, self._seen_ = terms, SeenRows.of(frame, matrix)
        self.parameters_ = pd.DataFrame(
            {
                "term": term_names(terms),
                "estimate": estimate,
                "std_error": error,
                "conf_low": estimate - reach,
                "conf_high": estimate + reach,
                "ratio": np.exp(estimate),
            }
        )
        return self

    def _needs(self) -> list[str]:
        """Return the columns that were learned from."""
        return [*(term.column for term in self._terms_), *self._beside()]

    def _encoded(self, frame: pd.DataFrame) -> Floats:
        """Return the design of customers."""
        return design_matrix(self._terms_, frame)

    def _log_survival(
        self, begin: Floats, end: Floats, matrix: Floats, frame: pd.DataFrame
    ) -> tuple[Floats, Floats]:
        """Return log S at two times of each customer."""
        score = matrix @ self.parameters_["estimate"].to_numpy()
        return self._log_stays(begin, score, frame), self._log_stays(end, score, frame)

    def _beside(self) -> list[str]:
        """Return columns that are no traits but are needed beside them."""
        return []

    @abstractmethod
    def _learn(
        self,
        tenures: Tenures,
        matrix: Floats,
        names: list[str],
        frame: pd.DataFrame,
        duration: str,
    ) -> tuple[Floats, Floats]:
        """Return coefficients and standard errors; keep what `_log_stays` needs."""

    @abstractmethod
    def _log_stays(self, time: Floats, score: Floats, frame: pd.DataFrame) -> Floats:
        """Return log S(time) of customers with these linear scores."""


def no_maximum() -> ConvergenceError:
    """Say that the likelihood has no maximum, and what to do."""
    return ConvergenceError(
        "The likelihood has no maximum: columns that add up to one another, or one that tells "
        "leavers apart for certain. Leave one out or raise `penalizer`."
    )
