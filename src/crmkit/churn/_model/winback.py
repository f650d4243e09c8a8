"""Who comes back because of an offer, as opposed to with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_choice, check_number
from crmkit._estimator import Model
from crmkit._frames import read_customers, sorted_codes
from crmkit._learn import FeatureEncoder, read_outcome, with_outcome
from crmkit._learn.effect_line import EffectLine, effect_line
from crmkit._learn.effects import METHODS, EffectEnsemble, fit_effects
from crmkit._learn.propensity import Propensity, learn_propensity
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["WinBackModel"]


class WinBackModel(Model):
    """Learn which lost customers an offer brings back, from an offer with a control group.

    Many lost customers come back by themselves; an offer to them is a gift. The model estimates,
    per customer, the chance to return if left alone and what the offer adds to it. Every training
    row is also scored by models that have not seen it; a regression of its doubly robust score on
    this estimate scales the estimates and gives the intervals. Where that regression finds no
    rise, every customer gets the average: the data do not show whom the offer moves more.

    Parameters
    ----------
    method : {"dr", "t", "s", "x"}, default "dr"
        How effects are learned: "t" one model per arm, "s" one model with the arm as a feature,
        "x" imputed effects, "dr" doubly robust scores.
    estimator : scikit-learn classifier, optional
        What learns the chance to return. The default is a ridge-penalised logistic regression.
    effect_estimator : scikit-learn regressor, optional
        What learns effects in "x" and "dr". The default is a ridge regression.
    propensity : str, default "randomised"
        The chance to be made the offer. "randomised": the same for all, refused where those
        with an offer visibly differ from those without; "estimated": learned from the features,
        right only if these hold all that decided who got it; else the column that holds it.
    n_folds : int, default 5
        Number of parts for cross-fitting.
    random_state : int, optional
        Seed of the parts and of the estimators. Without one the parts are fixed.

    Attributes
    ----------
    effect_ : pandas.DataFrame
        One row: ``offered`` and ``control`` (customers of either arm), ``average_uplift`` with
        ``std_error``, ``conf_low``, ``conf_high``, and ``slope`` with ``slope_std_error``: 1 if
        the estimates differ as much as customers do, 0 if they tell nothing.
    scores_ : pandas.DataFrame
        What ``predict`` returns, out of fold, for the training table in its row order; ``save``
        leaves it out, so that a saved model names no customer.
    ensemble_, encoder_state_, propensity_, line_
        What scoring needs.

    See Also
    --------
    conditional_survival : The chance to return by itself, given the silence so far.
    contact_decision : Turns a save rate per customer into whom to contact.

    References
    ----------
    Kennedy, E. H. (2023). Towards optimal doubly robust estimation of heterogeneous causal
    effects. *Electronic Journal of Statistics* 17, 3008-3049.

    Stauss, B. and Friege, C. (1999). Regaining service customers. *Journal of Service Research*
    1(4), 347-361.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> campaign = datasets.make_campaign(6000, random_state=1)
    >>> lost = campaign.rename(columns={"treated": "offered", "responded": "returned"})
    >>> known = ["age", "recency_days", "frequency", "messages_received", "channel"]
    >>> model = churn.WinBackModel(random_state=0).fit(lost, columns=known)
    >>> model.effect_["offered"].tolist()[0] + model.effect_["control"].tolist()[0]
    6000
    >>> list(model.predict(lost).columns)
    ['customer_id', 'p_return', 'uplift', 'std_error', 'conf_low', 'conf_high']
    """

    ensemble_: EffectEnsemble
    encoder_state_: dict[str, Any]
    propensity_: dict[str, Any]
    line_: list[float]
    effect_: pd.DataFrame
    scores_: pd.DataFrame

    def __init__(
        self,
        *,
        method: str = "dr",
        estimator: Any = None,
        effect_estimator: Any = None,
        propensity: str = "randomised",
        n_folds: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.method = method
        self.estimator = estimator
        self.effect_estimator = effect_estimator
        self.propensity = propensity
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self,
        customers: Any,
        *,
        outcome: str = "returned",
        treated: str = "offered",
        columns: Sequence[str] | None = None,
        progress: bool = False,
    ) -> Self:
        """Learn from lost customers of whom some, but not all, were made an offer.

        Parameters
        ----------
        customers : DataFrame
            One row per lost customer, with ``customer_id``, the outcome, the arm and what was
            known before the offer.
        outcome : str, default "returned"
            Column with 1 for customers who came back, 0 for those who did not.
        treated : str, default "offered"
            Column with 1 for customers who were made the offer, 0 for the control group.
        columns : sequence of str, optional
            Columns to learn from; name them whenever the table also holds what became known only
            after the offer. The default is all but the id, the outcome, the arm and dates.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        WinBackModel
            The model itself.

        Raises
        ------
        InputError
            If there is no control group, an arm is too small, or arms that should be random
            visibly differ.
        """
        check_choice(self.method, "method", METHODS)
        n_folds = check_number(self.n_folds, "n_folds")
        given = read_customers(customers, needs=[outcome, treated])
        given, result, _ = with_outcome(given, outcome)
        order = np.argsort(sorted_codes(given["customer_id"])[0], kind="stable")
        frame = given.iloc[order].reset_index(drop=True)
        result = result[order]
        arms = read_outcome(frame, treated)
        if np.isnan(arms).any():
            raise InputError(f"`customers`: column {treated!r} is missing in some rows.")
        arm = arms.astype(np.int64)
        counts = np.bincount(arm, minlength=2)
        _check_arms(counts, treated, 2 * n_folds)
        encoder = FeatureEncoder(columns=columns, exclude=[outcome, treated, self.propensity])
        matrix = encoder.fit(frame).transform(frame)
        propensity, chance = learn_propensity(
            self.propensity, frame, matrix, arm, [1], encoder.feature_names
        )
        self.ensemble_, fitted = fit_effects(
            matrix,
            result,
            arm,
            chance,
            method=self.method,
            estimator=self.estimator,
            effect_estimator=self.effect_estimator,
            n_folds=n_folds,
            random_state=self.random_state,
            progress=progress,
        )
        line = effect_line(fitted.effect[:, 0], fitted.score[:, 0])
        self.encoder_state_ = encoder.state()
        self.propensity_ = propensity.state()
        self.line_ = line.numbers()
        self.effect_ = _effect_table(counts, line)
        back = np.argsort(order)
        self.scores_ = _scores(
            given["customer_id"], line, fitted.effect[back, 0], fitted.mean[back, 0], 0.95
        )
        return self

    def predict(self, customers: Any, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Estimate what an offer would change.

        Parameters
        ----------
        customers : DataFrame
            One row per lost customer with the columns the model learned from.
        confidence_level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row per customer, in the order given:

            * ``customer_id`` - as given.
            * ``p_return`` (float) - chance to return if left alone.
            * ``uplift`` (float) - what the offer adds to this chance; below 0 it keeps away.
            * ``std_error`` (float) - of the mean uplift of customers with this estimate.
            * ``conf_low`` (float) - lower limit.
            * ``conf_high`` (float) - upper limit.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.
        """
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        frame = read_customers(customers)
        matrix = FeatureEncoder.from_state(self.encoder_state_).transform(frame)
        chance = Propensity.from_state(self.propensity_).chances(frame, matrix)
        effect, mean = self.ensemble_.predict(matrix, chance)
        line = EffectLine.from_numbers(self.line_)
        return _scores(frame["customer_id"], line, effect[:, 0], mean[:, 0], level)


def _check_arms(counts: Ints, treated: str, least: int) -> None:
    """Refuse a table from which nothing can be learned about the offer's effect."""
    if counts.min() == 0:
        absent = "without the offer" if counts[0] == 0 else "with the offer"
        raise InputError(
            f"`customers`: column {treated!r} holds no customer {absent}, so who came back because "
            "of it cannot be told from who would have come anyway. Leave a random part of the "
            "next list without an offer."
        )
    if counts.min() < least:
        raise InputError(
            f"`customers`: column {treated!r} has an arm of {counts.min()} customers; "
            f"cross-fitting needs at least {least} in each. Lower `n_folds` or wait for more."
        )


def _effect_table(counts: Ints, line: EffectLine) -> pd.DataFrame:
    """Return the average effect, and how much of the estimates' spread is confirmed."""
    error, z = float(np.sqrt(line.variances[0])), normal_quantile(0.95)
    return pd.DataFrame(
        {
            "offered": [int(counts[1])],
            "control": [int(counts[0])],
            "average_uplift": [line.average],
            "std_error": [error],
            "conf_low": [line.average - z * error],
            "conf_high": [line.average + z * error],
            "slope": [line.raw_slope],
            "slope_std_error": [float(np.sqrt(line.variances[1]))],
        }
    )


def _scores(
    ids: pd.Series[Any], line: EffectLine, effect: Floats, control: Floats, level: float
) -> pd.DataFrame:
    """Return one row per customer."""
    uplift, error = line.at(effect)
    z = normal_quantile(level)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "p_return": np.clip(control, 0.0, 1.0),
            "uplift": uplift,
            "std_error": error,
            "conf_low": uplift - z * error,
            "conf_high": uplift + z * error,
        }
    )
