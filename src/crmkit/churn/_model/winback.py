"""Who comes back because of an offer, as opposed to with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from crmkit._learn.effect_model import EffectModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


__all__ = ["WinBackModel"]


class WinBackModel(EffectModel):
    """Learn which lost customers an offer brings back, from an offer with a control group.

    Many lost customers come back by themselves; an offer to them is a gift. The model estimates,
    per customer, the chance to return if left alone and what the offer adds to it. Every training
    row is also scored by models that have not seen it; a regression of its doubly robust score on
    this estimate scales the estimates. Where that regression finds no
    rise, every customer gets the average: the data do not show whom the offer moves more.

    Parameters
    ----------
    method : {"auto", "dr", "t", "s", "x"}, default "auto"
        How effects are learned; see :class:`~crmkit.response.UpliftModel`.
    estimator : scikit-learn classifier, optional
        What learns the chance to return. The default is a ridge-penalised logistic regression,
        in "auto" trees too.
    propensity : str or mapping, default "randomised"
        The chance to be made the offer. "randomised": the same for all, refused where those
        with an offer visibly differ from those without; "estimated": learned from the features,
        right only if these hold all that decided who got it; otherwise the column that holds it,
        or one column per offer.
    effect_estimator, n_folds, random_state
        As in :class:`~crmkit.response.UpliftModel`.

    Attributes
    ----------
    effects_ : pandas.DataFrame
        One row per offer: ``treatment``, ``customers_treated``, ``customers_control``,
        ``average_uplift``, ``std_error``, ``conf_low``, ``conf_high``, and ``slope`` with
        ``slope_std_error``: 1 if the estimates differ as much as customers do, 0 if they tell
        nothing.
    scores_ : pandas.DataFrame
        What ``predict`` returns, out of fold, for the training table in its row order;
        ``in_sample`` is False. ``save`` leaves it out, so that a saved model names no customer.
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

    See Also
    --------
    conditional_survival : The chance to return by itself, given the silence so far.

    Notes
    -----
    "auto" learns outcomes and effects by linear models and, from 400 customers in the smallest arm
    on, by boosted trees and forests of scikit-learn, and mixes what predicts doubly robust scores
    of customers it has not seen best. No part is chosen that is not good by itself. A forest from
    elsewhere can be given as `effect_estimator`.

    An interval is not that of the model, but of those doubly robust scores, as a smooth curve of
    the estimates: it holds for the mean effect of customers whom the model takes for alike, whether
    or not the model is right about each. Folds mix differently in "auto": there half of what curve
    and estimate differ by counts as an error too. Where the interval would leave out the estimate
    it is widened. Of 1,500 customers intervals of 95 % hold what they say.

    References
    ----------
    Jansen, M. J. W. (1999). Analysis of variance designs for model output. Computer Physics
    Communications, 117, 35-43.

    Welch, B. L. (1951). On the comparison of several mean values: an alternative approach.
    Biometrika, 38, 330-336.

    Lan, H. and Syrgkanis, V. (2024). Causal Q-aggregation for CATE model selection. *Proceedings
    of Machine Learning Research* 238.

    Semenova, V. and Chernozhukov, V. (2021). Debiased machine learning of conditional average
    treatment effects and other causal functions. *Econometrics Journal* 24, 264-289.

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
    >>> bool(model.effects_["conf_low"].iloc[0] > 0)
    True
    >>> model.predict(lost).columns.tolist()[:4]
    ['customer_id', 'treatment', 'expected_control', 'uplift']
    """

    _binary = True

    def fit(
        self,
        customers: Any,
        *,
        outcome: str = "returned",
        treated: str = "offered",
        control: Any = None,
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
            Column with the outcome: 1 for customers who came back, or ``stayed`` (see
            ``churn_table``), 0 for those who did not. Rows without one are left out.
        treated : str, default "offered"
            Column that says who was treated: 1 for customers who were made the offer, 0
            for the control group; or names of several offers.
        control : optional
            Name of the control arm, where `treated` holds names other than "control".
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
        return self._fit(
            customers,
            outcome=outcome,
            treated=treated,
            control=control,
            columns=columns,
            progress=progress,
        )

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
            One row per customer and offer, in the order given:

            * ``customer_id`` - as given.
            * ``treatment`` - name of the offer.
            * ``expected_control`` (float) - chance to return if left alone.
            * ``uplift`` (float) - what the offer adds to this chance; below 0 it keeps away.
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
