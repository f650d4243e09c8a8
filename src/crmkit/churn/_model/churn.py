"""Who will leave: a calibrated probability per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crmkit._learn.score_model import ScoreModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["ChurnModel"]


class ChurnModel(ScoreModel):
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
        One row for the model and one for the best single column, a model of its own: ``model``
        (``"model"`` or the column), ``customers``, ``churn_rate``, ``p_mean``, ``auc``,
        ``average_precision``, ``brier``, ``calibration_error``, ``top_decile_lift``, all out of
        fold. A model that does not beat its best column is not worth its trouble.
    columns_ : pandas.DataFrame
        What was done to each column: ``column``, ``kind``, ``used``, ``transformation``, ``low``
        and ``high`` (later numbers are held within), ``missing_share``, ``levels`` (those with a
        column of their own), ``pooled`` (how many rare levels were taken together). And how well
        it alone tells the outcome: ``alone_auc`` (out of fold), ``rows_certain`` (rows in
        which its being known went with the rarer outcome without exception),
        ``likely_leak`` (from an area of 0.99 on), of which a ``LeakWarning`` tells where no
        `columns` are named; an honest column of such an area is named too.
    scores_ : pandas.DataFrame
        ``customer_id``, ``as_of`` (only where the table has it) and ``p_churn``: out of fold, in
        the row order of the training table. Use it to judge on the training table; ``save``
        leaves it out, so that a saved model names no customer.
    scorer_ : object
        The fitted encoder, classifier and calibrator.
    outcome_ : str
        Name of the outcome column.
    account_ : dict
        ``rows`` given, and how many of them ``without_outcome`` were left out.

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
    >>> model.performance_["model"].tolist()[0]
    'model'
    >>> today = churn.churn_table(transactions, as_of="2025-06-30")
    >>> list(model.predict(today).columns)
    ['customer_id', 'as_of', 'p_churn', 'in_sample']
    """

    outcome_: str
    scores_: pd.DataFrame

    _score = "p_churn"
    _rate = "churn_rate"
    # Who has been silent for years is sure to stay silent, and that is no leak.
    _certain_is_suspect = False

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
            Column with the outcome: 1 (or True) for customers who left, 0 for those who
            stayed. Rows where it is missing are left out.
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
        return self._fit(customers, outcome, columns, progress=progress)

    def predict(self, customers: Any) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, or per customer and ``as_of``, with the columns the model
            learned from. Scores of the training table flatter a flexible estimator; judge it by
            ``scores_`` or by ``backtest_table``.

        Returns
        -------
        pandas.DataFrame
            One row per row of `customers`, in their order:

            * ``customer_id`` - as given.
            * ``as_of`` (datetime) - as given, only where the table has it.
            * ``p_churn`` (float) - calibrated probability to churn.
            * ``in_sample`` (bool) - whether the model learned from this very row; such scores
              are refused where scores are judged. Missing in a model read from a file, which
              keeps nothing of its customers.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.
        """
        return self._predict(customers)
