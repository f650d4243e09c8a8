"""The chance to stay, with what is known about each customer, by any classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_number, random_generator
from crmkit._learn import Calibrator, FeatureEncoder, Scorer, fit_classifier
from crmkit._learn.columns import judged_columns
from crmkit._learn.seen import SeenRows
from crmkit.churn._math.hazards import interval_edges, interval_log_survival, person_periods
from crmkit.churn._model.staying import Staying, read_leavers
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["HazardModel"]

_MOST_ROWS = 3_000_000
_CUSTOMERS_AT_ONCE = 20_000


class HazardModel(Staying):
    """Learn who stays how long: the chance to leave in each interval of time, given the customer.

    Time is cut into intervals. Each customer gives one row for every interval that he or she was
    seen in, with the outcome whether it was the last, and any scikit-learn classifier learns from
    these rows. With the default, a logistic regression, a trait multiplies the odds to leave by
    the same factor in every interval.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        What learns. The default is a ridge-penalised logistic regression.
    n_intervals : int, default 20
        Number of intervals, at most; each holds about as many leavers.
    random_state : int, optional
        Seed of the estimator and, beyond three million rows, of the sample of customers that is
        learned from. Without one the sample is fixed.

    Attributes
    ----------
    columns_ : pandas.DataFrame
        What was done to each column: ``column``, ``kind``, ``used``, ``transformation``, ``low``
        and ``high`` (later numbers are held within), ``missing_share``, ``levels`` (those with a
        column of their own), ``pooled`` (how many rare levels were taken together). And how well
        it alone tells the outcome: ``alone_auc`` (out of fold), ``rows_certain`` (rows in
        which its being known went with the rarer outcome without exception),
        ``likely_leak`` (from an area of 0.99 on), of which a ``LeakWarning`` tells where no
        `columns` are named; an honest column of such an area is named too.
    edges_ : numpy.ndarray
        End of each interval, in the unit of the duration.
    scorer_ : object
        The fitted encoder and classifier.
    parameters_ : pandas.DataFrame
        For the default estimator ``term``, ``estimate`` (change of the log odds to leave per
        standard deviation, or of a level against the average), ``odds_ratio``; else no rows.

    See Also
    --------
    survival_table : Without covariates.
    CoxModel : With hazard ratios and their errors.

    References
    ----------
    .. [1] Singer, J. D. and Willett, J. B. (1993). It's about time: using discrete-time survival
       analysis to study duration and the timing of events. *J. Educ. Stat.* 18, 155-195.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(8),
    ...         "plan": ["month"] * 4 + ["year"] * 4,
    ...         "tenure_days": [30, 60, 60, 90, 360, 400, 500, 500],
    ...         "churned": [1, 1, 1, 0, 1, 1, 0, 0],
    ...     }
    ... )
    >>> model = HazardModel(n_intervals=3).fit(customers, columns=["plan"])
    >>> model.predict(customers.iloc[[0, 4]], horizon_days=60)["p_survival"].round(2).tolist()
    [0.44, 0.78]
    """

    columns_: pd.DataFrame
    edges_: Floats
    scorer_: Scorer
    parameters_: pd.DataFrame

    def __init__(
        self,
        *,
        estimator: Any = None,
        n_intervals: int = 20,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_intervals = n_intervals
        self.random_state = random_state

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
            alike; others weight a sample.
        columns : sequence of str, optional
            Columns to learn from. The default is every column but ids, dates and those named
            above.

        Returns
        -------
        HazardModel
            The model itself.

        Raises
        ------
        InputError
            If nobody left, nobody was seen to stay, or a value cannot be used.
        """
        n_intervals = check_number(self.n_intervals, "n_intervals")
        frame, tenures, taken = read_leavers(
            customers, duration=duration, event=event, entry=entry, weights=weights
        )
        encoder = FeatureEncoder(columns=columns, exclude=taken).fit(frame)
        self.columns_ = judged_columns(
            frame,
            encoder.looked_at(frame),
            encoder.terms,
            tenures.left.astype(np.float64),
            event,
            certain_is_suspect=False,
            warn=columns is None,
        )
        edges = interval_edges(tenures, n_intervals)
        customer, interval, outcome = person_periods(tenures, edges)
        if outcome.min() == 1:
            raise InputError("`customers`: nobody was seen to stay through any interval.")
        keep = _sample(customer, tenures.time.size, self.random_state)
        customer, interval, outcome = customer[keep], interval[keep], outcome[keep]
        features = encoder.transform(frame)
        matrix = _matrix(features[customer], interval, edges.size)
        fitted = fit_classifier(
            self.estimator,
            matrix,
            outcome,
            weight=None if tenures.weight is None else tenures.weight[customer],
            random_state=self.random_state,
        )
        self.edges_, self._seen_ = edges, SeenRows.of(frame, features)
        self.scorer_ = Scorer(encoder, fitted, Calibrator("none"))
        self.parameters_ = _parameters(fitted, encoder.feature_names, self.estimator is None)
        return self

    def _needs(self) -> list[str]:
        """Return the columns that were learned from."""
        return self.scorer_.encoder.used_columns

    def _encoded(self, frame: pd.DataFrame) -> Floats:
        """Return the features of customers."""
        return self.scorer_.encoder.transform(frame)

    def _log_survival(
        self,
        begin: Floats,
        end: Floats,
        matrix: Floats,
        frame: pd.DataFrame,  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        """Return log S at two times of each customer, who are taken a part at a time."""
        k = self.edges_.size
        log_now, log_then = np.empty(begin.size), np.empty(begin.size)
        for start in range(0, begin.size, _CUSTOMERS_AT_ONCE):
            rows = slice(start, start + _CUSTOMERS_AT_ONCE)
            block = matrix[rows]
            every = np.repeat(np.arange(len(block)), k), np.tile(np.arange(k), len(block))
            hazard = self.scorer_.score(_matrix(block[every[0]], every[1], k)).reshape(-1, k)
            log_now[rows] = interval_log_survival(hazard, self.edges_, begin[rows])
            log_then[rows] = interval_log_survival(hazard, self.edges_, end[rows])
        return log_now, log_then


def _matrix(features: Floats, interval: Ints, n_intervals: int) -> Floats:
    """Return features, shape (rows, p), and after them one indicator per interval."""
    indicator = np.zeros((interval.size, n_intervals))
    indicator[np.arange(interval.size), interval] = 1.0
    return np.hstack([features, indicator])


def _sample(customer: Ints, n_customers: int, random_state: int | None) -> Any:
    """Return which rows to learn from: all, or those of as many customers as fit."""
    if customer.size <= _MOST_ROWS:
        return slice(None)
    drawn = random_generator(random_state, fixed=0).random(n_customers)
    return (drawn < _MOST_ROWS / customer.size)[customer]


def _parameters(fitted: Any, names: list[str], linear: bool) -> pd.DataFrame:
    """Return the coefficients of the default estimator, without those of the intervals."""
    estimate = np.asarray(fitted.coef_)[0, : len(names)] if linear else np.zeros(0)
    return pd.DataFrame(
        {
            "term": names if linear else [],
            "estimate": estimate,
            "odds_ratio": np.exp(estimate),
        }
    )
