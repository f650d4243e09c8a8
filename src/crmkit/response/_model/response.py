"""Who will respond: a calibrated probability per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crmkit._learn.score_model import ScoreModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["ResponseModel"]


class ResponseModel(ScoreModel):
    """Learn who responds from a past campaign, and score customers for the next one.

    Any scikit-learn classifier can do the learning. Every training row is also scored by a model
    that has not seen that customer (cross-fitting); these scores calibrate the probabilities and
    are what the model may be judged on.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        What learns. The default is a ridge-penalised logistic regression.
    calibration : {"sigmoid", "isotonic", "none"}, default "sigmoid"
        How out-of-fold scores are turned into probabilities.
    n_folds : int, default 5
        Number of parts for cross-fitting.
    random_state : int, optional
        Seed of the parts and of the estimator. Without one the parts are fixed.

    Attributes
    ----------
    performance_ : pandas.DataFrame
        One row for the model and one for the best single column, a model of its own: ``model``
        (``"model"`` or the column), ``customers``, ``rate``, ``p_mean``, ``auc``,
        ``average_precision``, ``brier``, ``calibration_error``, ``top_decile_lift``, all out of
        fold. A model that does not beat its best column is not worth its trouble.
    columns_ : pandas.DataFrame
        What was done to each column: ``column``, ``kind``, ``used``, ``transformation``, ``low``
        and ``high`` (later numbers are held within), ``missing_share``, ``levels`` (those with a
        column of their own), ``pooled`` (how many rare levels were taken together). And how well
        it alone tells the outcome: ``alone_auc`` (out of fold), ``rows_certain`` (rows in
        which its value went with the rarer outcome without exception),
        ``likely_leak`` (from an area of 0.99 on), of which a ``LeakWarning`` tells where no
        `columns` are named; an honest column of such an area is named too.
    scores_ : pandas.DataFrame
        ``customer_id``, ``as_of`` (only where the table has it) and ``p_response``: out of fold,
        in the row order of the training table. Use it to judge on the training table; ``save``
        leaves it out, so that a saved model names no customer.
    scorer_ : object
        The fitted encoder, classifier and calibrator.
    outcome_ : str
        Name of the outcome column.
    account_ : dict
        ``rows`` given, and how many of them ``without_outcome`` were left out.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(4000, random_state=1)
    >>> known = ["age", "recency_days", "frequency", "monetary", "channel", "newsletter"]
    >>> past, later = campaign[:3000], campaign[3000:]
    >>> model = response.ResponseModel(random_state=0).fit(past, columns=known)
    >>> scores = model.predict(later)
    >>> list(scores.columns), len(scores)
    (['customer_id', 'p_response', 'in_sample'], 1000)
    >>> gains = response.gains_table(later, scores, outcome="responded")
    >>> bool(gains["lift"].iloc[0] > 1.5)
    True
    """

    outcome_: str
    scores_: pd.DataFrame

    _score = "p_response"

    def fit(
        self,
        customers: Any,
        *,
        outcome: str = "responded",
        columns: Sequence[str] | None = None,
        progress: bool = False,
    ) -> Self:
        """Learn from customers who were contacted.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with ``customer_id``, the outcome and what was known before the
            contact. Rows with a missing outcome (not contacted) are left out.
        outcome : str, default "responded"
            Column with the outcome: 1 (or True) for a response, 0 for none.
        columns : sequence of str, optional
            Columns to learn from; give them whenever the table also holds what became known only
            after the contact. The default is every column but the id, the outcome and dates.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        ResponseModel
            The model itself.

        Raises
        ------
        InputError
            If fewer than two customers responded or declined, or nothing can be learned from.
        """
        return self._fit(customers, outcome, columns, progress=progress)

    def predict(self, customers: Any) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with the columns the model learned from.

        Returns
        -------
        pandas.DataFrame
            One row per customer, in the order given:

            * ``customer_id`` - as given.
            * ``as_of`` (datetime) - as given, only where the table has it.
            * ``p_response`` (float) - calibrated probability of a response if contacted.
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
