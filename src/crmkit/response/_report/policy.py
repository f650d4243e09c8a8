"""What a rule of contact would be worth, judged on a campaign that was drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import check_numbers, columns_named, numbers_by
from crmkit._arrays import normal_quantile
from crmkit._checks import check_choice, check_number
from crmkit._frames import read_customers, with_account
from crmkit._learn.judged import JudgedOffers, judged_arms, judged_offers, scores_at
from crmkit._learn.outcomes import read_arms
from crmkit.errors import InputError
from crmkit.response._math.policy import policy_scores, treated_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

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
    contact_cost: float | Mapping[Any, float] = 0.0,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate the value per customer of contacting the best-scored share and leaving the rest.

    Where a campaign had several treatments and none is chosen, everybody contacted gets the one
    that is best by the scores: score x value x margin less its cost.

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
        The arm to compare with the control group, where there are several. Without one each
        customer gets the best.
    score : str, optional
        Column of `scores`, where it cannot be told.
    shares : sequence of float, default (0, 0.1, 0.3, 0.5, 1)
        Shares of customers to contact. On the edge, equal scores are contacted in part, at
        random.
    propensity : float, optional
        Chance to be treated, of treated and control customers; the default is the share that was.
        For one treatment only.
    method : {"ipw", "dr"}, default "ipw"
        How the value is estimated.
    value : float, default 1
        Money per unit of the outcome.
    margin : float, default 1
        Share of that value that is contribution.
    contact_cost : float or mapping, default 0
        Cost of one contact, or of one by treatment.
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
    wanted = check_numbers(shares, "shares")
    everyone = read_customers(customers, needs=columns_named(outcome=outcome, treated=treated))
    offers = read_arms(everyone, treated, control).treatments
    several = treatment is None and len(offers) > 1
    names = {"outcome": outcome, "treated": treated, "control": control, "score": score}
    if several:
        data = judged_offers(everyone, scores, **names)
    else:
        one = judged_arms(everyone, scores, treatment=treatment, **names)
        data = JudgedOffers(
            one.score[:, None], one.arm, one.outcome, one.scores, one.rows[:, None], one.account
        )
        offers = offers if treatment is None else [treatment]
    if isinstance(contact_cost, Mapping):
        each = np.array(numbers_by(contact_cost, "contact_cost", offers, "treatment"))
    else:
        each = np.full(len(offers), check_number(contact_cost, "contact_cost"))
    chance = _chance(propensity, several)
    means = None if method == "ipw" else _means(data)
    n, k = data.score.shape
    # Scores may be of any kind: with one treatment only their order counts.
    promised = money * data.score - each if k > 1 else data.score
    best, at = promised.argmax(axis=1), np.arange(n)
    untouched = np.eye(k + 1)[np.zeros(n, dtype=np.int64)]
    nobody, of_nobody = policy_scores(untouched, data.arm, data.outcome, chance, means)
    rows = []
    for share in wanted:
        contacted = treated_share(promised[at, best], share)
        rule = np.zeros((n, k + 1))
        rule[at, best + 1], rule[:, 0] = contacted, 1 - contacted
        worth, influence = policy_scores(rule, data.arm, data.outcome, chance, means)
        cost = float((contacted * each[best]).mean())
        error, gain_error = (
            money * float(np.sqrt(np.sum(part**2) / max(n - k - 1, 1) / n))
            for part in (influence, influence - of_nobody)
        )
        level, gain = money * worth - cost, money * (worth - nobody) - cost
        rows.append(
            {
                "share": share,
                "customers": float(contacted.sum()),
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


def _chance(propensity: float | None, several: bool) -> Floats | None:
    """Return the chance of control and treatment, where it was given."""
    if propensity is None:
        return None
    chance = check_number(propensity, "propensity")
    if several:
        raise InputError(
            "`propensity` is for one treatment; with several the shares of the arms are taken. "
            "Leave it out, or choose one with `treatment`."
        )
    return np.array([1 - chance, chance])


def _means(data: JudgedOffers) -> Floats:
    """Return what the scores' table expects of each customer in each arm, (n, k + 1)."""
    marks = read_customers(
        data.scores, needs=["expected_control", "uplift"], name="scores", unique=False
    )
    base = scores_at(marks, "expected_control", data.rows[:, 0])
    uplift = [scores_at(marks, "uplift", rows) for rows in data.rows.T]
    return np.column_stack([base, *(base + one for one in uplift)])
