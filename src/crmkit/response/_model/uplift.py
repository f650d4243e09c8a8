"""Who responds because of a contact: the effect per customer and treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from crmkit._learn.effect_model import EffectModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


__all__ = ["UpliftModel"]


class UpliftModel(EffectModel):
    """Learn whom a contact changes, from a campaign with a control group.

    For every customer and treatment the model estimates the difference between the outcome if
    treated and if left alone: a probability for outcomes of 0 and 1, an amount for money. All
    training rows are also scored by models that have not seen them; a regression of their doubly
    robust scores on these estimates scales the estimates. If that regression finds no rise at all,
    every customer gets the average effect: the data do not show whom the contact changes more.

    Parameters
    ----------
    method : {"auto", "dr", "t", "s", "x"}, default "auto"
        "auto": whatever mixture of all these, and of trees, predicts best out of fold; "t": one
        model per arm; "s": one model with the arm as a feature; "x": imputed effects, good where
        arms differ much in size; "dr": doubly robust scores.
    estimator : scikit-learn estimator, optional
        What learns outcomes: a classifier or regressor. The default is a ridge-penalised
        logistic regression, for money a ridge regression; in "auto" trees too.
    effect_estimator : scikit-learn regressor, optional
        What learns effects in "x" and "dr". The default is a ridge regression, in "auto" trees
        too.
    propensity : str or mapping, default "randomised"
        The chance of each arm. "randomised": equal to the arms' shares, refused where the arms
        visibly differ; "estimated": learned from the features; otherwise the column of
        `customers` with the chance to be treated, or one column per treatment.
    n_folds : int, default 5
        Number of parts for cross-fitting.
    random_state : int, optional
        Seed of the parts and of the estimators. Without one the parts are fixed.

    Attributes
    ----------
    scores_ : pandas.DataFrame
        What ``predict`` returns, out-of-fold, for the training table; ``in_sample`` is False.
        ``save`` leaves it out, so that a saved model names no customer.
    effects_ : pandas.DataFrame
        One row per treatment: ``treatment``, ``customers_treated``, ``customers_control``,
        ``average_uplift``, ``std_error``, ``conf_low``, ``conf_high``, and ``slope`` with
        ``slope_std_error``: 1 if the estimates' spread is right, 0 if they tell nothing.
    drivers_ : pandas.DataFrame
        What the effect differs by, per treatment, the most important first: ``variable``,
        ``importance`` (share of the estimates' variance that hangs on the column, interactions
        included), ``p_value`` and ``p_adjusted`` (Benjamini and Hochberg, over the rows) that its
        parts have one effect, whatever the model says, and its parts of the lowest and the
        highest effect: ``lowest_level``, ``lowest_uplift``, ``highest_level``,
        ``highest_uplift``, chosen for being so and therefore too far apart.
    methods_ : pandas.DataFrame
        What was tried, per treatment: ``method``, ``learner``, ``extra_loss`` (mean squared
        distance from doubly robust scores out of fold, less that of the average effect for
        everybody; below 0 is better) and ``weight``, its part in the estimates.
    columns_ : pandas.DataFrame
        What was done to each column: ``column``, ``kind``, ``used``, ``transformation``, ``low``
        and ``high`` (later numbers are held within), ``missing_share``, ``levels`` (those with a
        column of their own), ``pooled`` (how many rare levels were taken together). And how well
        it alone tells the outcome: ``alone_auc`` (out of fold), ``rows_certain`` (rows in
        which its value went with the rarer outcome without exception),
        ``likely_leak`` (from an area of 0.99 on, or values that only one arm has). Where no
        `columns` are named these are left out, and a ``LeakWarning`` tells of them; an honest
        column of such an area is named too, and left out.
    ensemble_ : object
        The effect models.
    account_ : dict
        ``rows`` given, and how many of them were left out ``without_outcome`` or ``in_no_arm``:
        customers whom a selection had left alone for a reason.

    Notes
    -----
    "auto" learns outcomes and effects by linear models and, from 400 customers in the smallest arm
    on, by boosted trees and forests of scikit-learn, and mixes what predicts doubly robust scores
    of customers it has not seen best. No part is chosen that is not good by itself. A forest from
    elsewhere can be given as `effect_estimator`. A tree sees 20,000 rows at most, so that more
    customers cost linear fits and their scores: a million took 112 CPU seconds and 1.2 GB; to score
    180,000 took 10.

    An interval is not that of the model, but of those doubly robust scores, as a smooth curve of
    the estimates: it holds for the mean effect of customers whom the model takes for alike, whether
    or not the model is right about each. Folds mix differently in "auto": there half of what curve
    and estimate differ by counts as an error too. Where the interval would leave out the estimate
    it is widened. Of 1,500 customers intervals of 95 % hold what they say.

    References
    ----------
    Künzel, S. R., Sekhon, J. S., Bickel, P. J. and Yu, B. (2019). Metalearners for estimating
    heterogeneous treatment effects using machine learning. Proceedings of the National Academy
    of Sciences, 116, 4156-4165.

    Kennedy, E. H. (2023). Towards optimal doubly robust estimation of heterogeneous causal
    effects. Electronic Journal of Statistics, 17, 3008-3049.

    Jansen, M. J. W. (1999). Analysis of variance designs for model output. Computer Physics
    Communications, 117, 35-43.

    Welch, B. L. (1951). On the comparison of several mean values: an alternative approach.
    Biometrika, 38, 330-336.

    Lan, H. and Syrgkanis, V. (2024). Causal Q-aggregation for CATE model selection. Proceedings
    of Machine Learning Research, 238.

    Semenova, V. and Chernozhukov, V. (2021). Debiased machine learning of conditional average
    treatment effects and other causal functions. Econometrics Journal, 24, 264-289.

    Chernozhukov, V., Demirer, M., Duflo, E. and Fernandez-Val, I. (2018). Generic machine
    learning inference on heterogeneous treatment effects in randomized experiments. NBER 24678.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(6000, random_state=1)
    >>> known = ["age", "recency_days", "frequency", "messages_received", "channel"]
    >>> model = response.UpliftModel(random_state=0)
    >>> model = model.fit(campaign, outcome="responded", treated="treated", columns=known)
    >>> model.scores_.columns.tolist()[:4]
    ['customer_id', 'treatment', 'expected_control', 'uplift']
    >>> table = response.uplift_table(
    ...     campaign, model.scores_, outcome="responded", treated="treated"
    ... )
    >>> bool(table["uplift"].iloc[0] > table["uplift"].iloc[-2])
    True
    """

    def fit(
        self,
        customers: Any,
        *,
        outcome: str = "responded",
        treated: str = "treated",
        control: Any = None,
        columns: Sequence[str] | None = None,
        progress: bool = False,
    ) -> Self:
        """Learn from a campaign with a control group.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with ``customer_id``, the outcome, the arm and what was known
            before the campaign.
        outcome : str, default "responded"
            Column with the outcome: 0 and 1, or an amount of money. Rows without one are left
            out.
        treated : str, default "treated"
            Column that says who was treated: 1 and 0, or names of arms.
        control : optional
            Name of the control arm, where `treated` holds names other than "control".
        columns : sequence of str, optional
            Columns to learn from; give them whenever the table also holds what became known
            only later. The default is every column but the id, the outcome, the arm and dates.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        UpliftModel
            The model itself.

        Raises
        ------
        InputError
            If there is no control group, an arm is too small, or arms that should be random
            visibly differ.
        """
        return self._fit(
            customers,
            outcome=outcome,
            treated=treated,
            control=control,
            columns=columns,
            progress=progress,
        )

    def predict(self, customers: Any, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Estimate what each treatment changes for each customer.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with the columns the model learned from.
        confidence_level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row per customer and treatment, in the order given:

            * ``customer_id`` - as given.
            * ``treatment`` - name of the treatment.
            * ``expected_control`` (float) - expected outcome if left alone.
            * ``uplift`` (float) - what the treatment adds to it.
            * ``std_error`` (float) - of the mean uplift of customers with this estimate.
            * ``conf_low``, ``conf_high`` (float) - its interval.
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
        return self._predict(customers, confidence_level)
