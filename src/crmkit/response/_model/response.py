"""Who will respond: a calibrated probability per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_choice
from crmkit._estimator import Model
from crmkit._frames import read_customers, sorted_codes
from crmkit._learn import FeatureEncoder, Scorer, read_outcome, row_fingerprints

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ResponseModel"]


class ResponseModel(Model):
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
    scores_ : pandas.DataFrame
        ``customer_id``, ``p_response``: out-of-fold and calibrated, in the row order of the
        training table; ``save`` leaves it out, so that a saved model names no customer.
    scorer_ : object
        The fitted encoder, classifier and calibrator.
    outcome_ : str
        Name of the outcome column.
    fingerprints_ : numpy.ndarray
        By these ``predict`` recognises rows that the model learned from.

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
            Column with 1 (or True) for a response, 0 for none.
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
        check_choice(self.calibration, "calibration", ["sigmoid", "isotonic", "none"])
        people = read_customers(customers, needs=[outcome])
        result = read_outcome(people, outcome)
        known = np.isfinite(result)
        people, result = people[known].reset_index(drop=True), result[known]
        codes, _ = sorted_codes(people["customer_id"])
        encoder = FeatureEncoder(columns=columns, exclude=[outcome]).fit(people)
        matrix = encoder.transform(people)
        self.scorer_, scores = Scorer.fit(
            encoder,
            matrix,
            result,
            groups=codes,
            estimator=self.estimator,
            calibration=self.calibration,
            n_folds=self.n_folds,
            random_state=self.random_state,
            progress=progress,
        )
        self.outcome_ = outcome
        self.fingerprints_ = np.sort(row_fingerprints(people["customer_id"], matrix))
        self.scores_ = pd.DataFrame({"customer_id": people["customer_id"], "p_response": scores})
        return self

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
            * ``p_response`` (float) - calibrated probability of a response if contacted.
            * ``in_sample`` (bool) - whether the model learned from this very row; such scores
              are refused where scores are judged.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.
        """
        self._check_fitted()
        people = read_customers(customers)
        matrix = self.scorer_.encoder.transform(people)
        prints = row_fingerprints(people["customer_id"], matrix)
        return pd.DataFrame(
            {
                "customer_id": people["customer_id"],
                "p_response": self.scorer_.score(matrix),
                "in_sample": np.isin(prints, self.fingerprints_),
            }
        )
