"""Who will leave: a calibrated probability per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_choice
from crmkit._estimator import Model
from crmkit._frames import sorted_codes
from crmkit._learn import (
    FeatureEncoder,
    Scorer,
    area_under_curve,
    column_kind,
    figures,
    with_outcome,
)
from crmkit._learn.outcomes import read_snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["ChurnModel"]


class ChurnModel(Model):
    """Learn the probability to churn from a table of features and outcomes.

    Any scikit-learn classifier can do the learning. Every row is also scored by a model that has
    seen no row of its customer and, where there are several snapshots, none of its day; these
    out-of-fold scores calibrate the probabilities and are what the model is judged by, beside the
    best single column.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        What learns. The default is a ridge-penalised logistic regression.
    calibration : {"sigmoid", "isotonic", "none"}, default "sigmoid"
        How out-of-fold scores are turned into probabilities. None of the three changes who ranks
        above whom; scores that do not rise with the outcome at all become the base rate.
    n_folds : int, default 5
        Number of parts for cross-fitting.
    random_state : int, optional
        Seed of the parts and of the estimator. Without one the parts are fixed.

    Attributes
    ----------
    performance_ : pandas.DataFrame
        One row for the model and one for the best single column, a model of its own: ``score``
        (``"model"`` or the column), ``customers``, ``churn_rate``, ``p_mean``, ``auc``,
        ``average_precision``, ``brier``, ``calibration_error``, ``top_decile_lift``, all out of
        fold. A model that does not beat its best column is not worth its trouble.
    scores_ : pandas.DataFrame
        ``customer_id``, ``as_of`` (only where the table has it) and ``p_churn``: out of fold, in
        the row order of the training table. Use it to judge on the training table; ``save``
        leaves it out, so that a saved model names no customer.
    scorer_ : object
        The fitted encoder, classifier and calibrator.
    outcome_ : str
        Name of the outcome column.

    See Also
    --------
    churn_table : Makes features and outcome without a leak.
    backtest_table : Judges on later days, which is what counts.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> transactions = datasets.make_transactions(2000, random_state=0)["transactions"]
    >>> past = churn.churn_table(transactions, as_of="2024-12-31", horizon_days=90)
    >>> model = churn.ChurnModel(random_state=0).fit(past)
    >>> model.performance_["score"].tolist()[0]
    'model'
    >>> today = churn.churn_table(transactions, as_of="2025-06-30")
    >>> list(model.predict(today).columns)
    ['customer_id', 'as_of', 'p_churn']
    """

    def __init__(
        self,
        *,
        estimator: Any = None,
        calibration: str = "sigmoid",
        n_folds: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.calibration = calibration
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self,
        customers: Any,
        *,
        outcome: str = "churned",
        columns: Sequence[str] | None = None,
        progress: bool = False,
    ) -> Self:
        """Learn from customers whose outcome is known.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, or per customer and ``as_of``, with ``customer_id``, features
            and the outcome, as ``churn_table`` makes it.
        outcome : str, default "churned"
            Column with 1 (or True) for customers who left, 0 for those who stayed. Rows where
            it is missing are left out.
        columns : sequence of str, optional
            Columns to learn from. The default is every column but the id, the outcome and dates;
            name them where the table also holds what became known only later.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        ChurnModel
            The model itself.

        Raises
        ------
        InputError
            If fewer than two customers left or stayed, or nothing can be learned from.
        """
        check_choice(self.calibration, "calibration", ["sigmoid", "isotonic", "none"])
        given, result, _ = with_outcome(read_snapshots(customers, [outcome]), outcome)
        codes, days = _row_codes(given)
        order = np.lexsort((days, codes))
        frame, result = given.iloc[order], result[order]
        encoder = FeatureEncoder(columns=columns, exclude=[outcome]).fit(frame)
        rules = {
            "groups": codes[order],
            "times": days[order],
            "estimator": self.estimator,
            "calibration": self.calibration,
            "n_folds": self.n_folds,
            "random_state": self.random_state,
        }
        matrix = encoder.transform(frame)
        self.scorer_, scores = Scorer.fit(encoder, matrix, result, **rules, progress=progress)
        self.outcome_ = outcome
        unsorted = np.empty(len(scores))
        unsorted[order] = scores
        self.scores_ = _with_keys(given, unsorted)
        rows = [{"score": "model", **figures(scores, result, rate="churn_rate")}]
        best = best_column(frame, result, encoder.used_columns)
        if best is not None:
            alone = FeatureEncoder(columns=[best]).fit(frame)
            rules["estimator"] = None
            _, single = Scorer.fit(alone, alone.transform(frame), result, **rules)
            rows.append({"score": best, **figures(single, result, rate="churn_rate")})
        self.performance_ = pd.DataFrame(rows)
        return self

    def predict(self, customers: Any) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, or per customer and ``as_of``, with the columns the model
            learned from. For customers of the training table the scores flatter a flexible
            estimator; judge it by ``scores_`` or by ``backtest_table``.

        Returns
        -------
        pandas.DataFrame
            One row per row of `customers`, in their order:

            * ``customer_id`` - as given.
            * ``as_of`` (datetime) - as given, only where the table has it.
            * ``p_churn`` (float) - calibrated probability to churn.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.
        """
        self._check_fitted()
        frame = read_snapshots(customers, self.scorer_.encoder.used_columns)
        return _with_keys(frame, self.scorer_.predict(frame))


def best_column(frame: pd.DataFrame, outcome: Floats, columns: Iterable[str]) -> str | None:
    """Return the number column that ranks best by itself, in whichever direction; None if none.

    Equal areas are settled by name.
    """
    ranked = []
    for column in columns:
        if column_kind(frame[column]) != "numbers":
            continue
        values = FeatureEncoder(columns=[column]).fit(frame).transform(frame)[:, 0]
        ranked.append((-abs(area_under_curve(values, outcome) - 0.5), column))
    return min(ranked)[1] if ranked else None


def _row_codes(frame: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return customer codes and day codes in their order; one day where the table has none."""
    codes, _ = sorted_codes(frame["customer_id"])
    if "as_of" not in frame.columns:
        return codes, np.zeros(len(frame), dtype=np.int64)
    return codes, sorted_codes(frame["as_of"])[0]


def _with_keys(frame: pd.DataFrame, scores: Floats) -> pd.DataFrame:
    """Put scores beside what identifies the rows."""
    keys = [name for name in ("customer_id", "as_of") if name in frame.columns]
    return frame[keys].assign(p_churn=scores)
