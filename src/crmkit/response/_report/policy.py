"""What a rule of contact would be worth, judged on a campaign that was drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import check_numbers
from crmkit._arrays import normal_quantile
from crmkit._checks import check_choice, check_number
from crmkit._frames import read_customers, with_account
from crmkit._learn.judged import judged_arms, scores_at
from crmkit.response._math.policy import policy_scores, treated_share

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["policy_value"]

PolicyMethod = Literal["ipw", "dr"]


def policy_value(
    customers: Any,
    scores: Any,
    *,
    outcome: str,
    treated: str,
    control: Any = None,
    treatment: Any = None,
    score: str | None = None,
    shares: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 1.0),
    propensity: float | None = None,
    method: PolicyMethod = "ipw",
    value: float = 1.0,
    margin: float = 1.0,
    contact_cost: float = 0.0,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate the value per customer of contacting the best-scored share and leaving the rest.

    Customers who happened to get what the rule prescribes stand for all: weighted by the inverse
    of their chance ("ipw"), or as corrections to predicted outcomes ("dr"), which is right if
    either chance or prediction is and usually has the shorter interval.

    Parameters
    ----------
    customers : DataFrame
        One row per customer of a randomised campaign, with ``customer_id``, outcome and arm.
    scores : DataFrame
        ``customer_id`` and a score; higher means contact first. For "dr" also
        ``expected_control`` and ``uplift``, as the uplift model gives them.
    outcome : str
        Column with the outcome: 0 and 1, or an amount of money.
    treated : str
        Column that says who was treated: 1 and 0, or names of arms.
    control : optional
        Name of the control arm, where `treated` holds names other than "control".
    treatment : optional
        The arm to compare with the control group, where there are several.
    score : str, optional
        Column of `scores`, where it cannot be told.
    shares : sequence of float, default (0, 0.1, 0.3, 0.5, 1)
        Shares of customers to contact. On the edge, equal scores are contacted in part, at
        random.
    propensity : float, optional
        Chance to be treated, of treated and control customers; the default is the share that was.
    method : {"ipw", "dr"}, default "ipw"
        How the value is estimated.
    value : float, default 1
        Money per unit of the outcome.
    margin : float, default 1
        Share of that value that is contribution.
    contact_cost : float, default 0
        Cost of one contact.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per share, as given:

        * ``share`` (float) - share of customers contacted.
        * ``customers`` (float) - customers contacted, of those judged on.
        * ``value`` (float) - outcome x value x margin - cost of contacts, per customer of all.
        * ``std_error`` (float) - of the value.
        * ``conf_low``, ``conf_high`` (float) - interval of the value.
        * ``gain`` (float) - value less that of contacting nobody.
        * ``gain_low``, ``gain_high`` (float) - its interval.

    Raises
    ------
    InputError
        If there is no control group, a score is missing, or a share is out of range.

    Notes
    -----
    With the share that was treated the estimate is one of means within arms, and so are its errors;
    with a `propensity` given, those of weights by a known chance, which are wider where many
    respond anyway.

    References
    ----------
    Horvitz, D. G. and Thompson, D. J. (1952). A generalization of sampling without replacement
    from a finite universe. Journal of the American Statistical Association, 47, 663-685.

    Hirano, K., Imbens, G. W. and Ridder, G. (2003). Efficient estimation of average treatment
    effects using the estimated propensity score. Econometrica, 71, 1161-1189.

    Athey, S. and Wager, S. (2021). Policy learning with observational data. Econometrica, 89,
    133-161.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(6000, random_state=0)
    >>> truth = campaign[["customer_id", "true_uplift"]]
    >>> table = response.policy_value(
    ...     campaign,
    ...     truth,
    ...     outcome="responded",
    ...     treated="treated",
    ...     score="true_uplift",
    ...     value=20,
    ...     contact_cost=1,
    ... )
    >>> table["share"].tolist()
    [0.0, 0.1, 0.3, 0.5, 1.0]
    """
    check_choice(method, "method", PolicyMethod)
    z = normal_quantile(check_number(confidence_level, "confidence_level"))
    money = check_number(value, "value") * check_number(margin, "margin")
    each = check_number(contact_cost, "contact_cost")
    wanted = check_numbers(shares, "shares")
    data = judged_arms(
        customers,
        scores,
        outcome=outcome,
        treated=treated,
        control=control,
        treatment=treatment,
        score=score,
    )
    chance = None if propensity is None else check_number(propensity, "propensity")
    means = None
    if method == "dr":
        marks = read_customers(
            data.scores, needs=["expected_control", "uplift"], name="scores", unique=False
        )
        base, uplift = (
            scores_at(marks, column, data.rows) for column in ("expected_control", "uplift")
        )
        means = np.column_stack([base, base + uplift])
    n = data.arm.size
    nobody, of_nobody = policy_scores(np.zeros(n), data.arm, data.outcome, chance, means)
    rows = []
    for share in wanted:
        rule = treated_share(data.score, share)
        worth, influence = policy_scores(rule, data.arm, data.outcome, chance, means)
        cost = each * float(rule.mean())
        error, gain_error = (
            money * float(np.sqrt(np.sum(part**2) / max(n - 2, 1) / n))
            for part in (influence, influence - of_nobody)
        )
        level, gain = money * worth - cost, money * (worth - nobody) - cost
        rows.append(
            {
                "share": share,
                "customers": float(rule.sum()),
                "value": level,
                "std_error": error,
                "conf_low": level - z * error,
                "conf_high": level + z * error,
                "gain": gain,
                "gain_low": gain - z * gain_error,
                "gain_high": gain + z * gain_error,
            }
        )
    table = pd.DataFrame(rows)
    return with_account(table, data.account)
