"""What a campaign changed, and what it earned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named, optional_columns
from crmkit._arrays import adjust_p_values
from crmkit._checks import check_choice, check_number, random_generator
from crmkit._frames import group_codes, note_by, read_by, read_customers, with_account
from crmkit._learn.outcomes import with_outcome
from crmkit.errors import InputError
from crmkit.response._report.compared import (
    LiftInterval,
    Method,
    check_looks,
    compared,
    read_outcomes,
)
from crmkit.response._table.selected import campaign_arms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = ["campaign_result"]

_MONEY = ["profit", "profit_low", "profit_high", "roi", "roi_low", "roi_high"]


def campaign_result(
    customers: Any,
    *,
    outcome: str,
    treated: str | None = None,
    control: Any = None,
    selection: Any = None,
    covariates: str | Sequence[str] | None = None,
    cluster: str | None = None,
    denominator: str | None = None,
    looks: float | Sequence[float] | None = None,
    by: str | Sequence[str] | None = None,
    value: float = 1.0,
    margin: float = 1.0,
    contact_cost: float | str | Mapping[Any, float] | None = None,
    fixed_cost: float = 0.0,
    method: LiftInterval = "auto",
    n_draws: int = 1000,
    confidence_level: float = 0.95,
    random_state: int | None = None,
) -> pd.DataFrame:
    """Compare each treatment with the control group, in outcomes and in money.

    What a campaign earned is not what its customers bought, but what they bought more than
    customers who were left alone at random. An effect can be beyond doubt and still not pay: the
    verdict says so in words. Customers whom a selection left alone for a reason ("no contact") are
    neither: they are counted in ``attrs["account"]`` and compared with nobody.

    Parameters
    ----------
    customers : DataFrame
        One row per customer of a campaign with a control group drawn at random. Customers with a
        missing outcome are left out.
    outcome : str
        Column with the outcome: 0 and 1, or an amount of money.
    treated : str, optional
        Column that says who was treated: 1 and 0, or names of arms. Needed without `selection`.
    control : optional
        Name of the control arm, where `treated` holds names other than "control".
    selection : DataFrame, optional
        What ``select_targets`` decided, in place of `treated`: those to be contacted are the
        treated, by offer where there are several, those held out the control group.
    covariates : str or list of str, optional
        Columns of numbers known before the campaign, such as the spend of the months before. What
        they tell of the outcome is taken out, which shortens the interval; the uplift is then of
        the adjusted means.
    cluster : str, optional
        Column that says which customers hang together, such as those of one household.
    denominator : str, optional
        Column whose sum divides the sum of the outcomes: spend by orders, or clicks by visits. Such
        a ratio earns nothing by itself, so that profit and what follows from it are missing.
    looks : float or list of float, optional
        Shares of the planned customers whose outcomes were in at every look so far, this one last,
        such as [0.2, 0.4] at the second look of five: intervals and tests hold at all of them
        together (group-sequential). One number, the share that is in now: they hold whenever and
        however often one looks (anytime-valid), and are wider.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own.
    value : float, default 1
        Money per unit of the outcome: what one response is worth; 1 where it is money already.
    margin : float, default 1
        Share of that value that is contribution.
    contact_cost : float, str or mapping, optional
        Cost of one contact: a number, a column of `customers`, or a number per treatment. The
        default is what `selection` says, without one 0.
    fixed_cost : float, default 0
        Cost of the campaign whatever its size, shared by the treated customers in proportion.
    method : {"auto", "newcombe", "welch", "bootstrap"}, default "auto"
        Interval of the uplift. "auto": Newcombe's for rates, the bootstrap-t for amounts, which
        are skewed, and Welch's with `covariates`, `cluster` or `denominator`.
    n_draws : int, default 1000
        Bootstrap draws.
    confidence_level : float, default 0.95
        Level of the intervals, and of the verdict.
    random_state : int, optional
        Seed of the bootstrap; without one it is fixed.

    Returns
    -------
    pandas.DataFrame
        One row per group and treatment:

        * one column per name in `by`, with the group's levels.
        * ``treatment`` - name of the treatment.
        * ``customers_treated``, ``customers_control`` (int) - customers compared.
        * ``mean_treated``, ``mean_control`` (float) - mean outcome, for 0 and 1 the rate, with
          `denominator` the ratio.
        * ``uplift`` (float) - their difference.
        * ``std_error`` (float) - of the uplift.
        * ``conf_low``, ``conf_high`` (float) - interval of the uplift.
        * ``p_value`` (float) - two-sided test of no difference: for rates chi-squared, or Fisher's
          exact one where fewer than 5 are expected in a cell, for amounts that of the bootstrap-t,
          else Welch's; never below what a test by permutation could give with so few customers.
        * ``p_adjusted`` (float) - after Holm, over the rows.
        * ``incremental_outcome`` (float) - uplift x treated customers.
        * ``cost`` (float) - of contacts and campaign, in money.
        * ``profit`` (float) - incremental outcome x value x margin - cost, in money.
        * ``profit_low``, ``profit_high`` (float) - its interval.
        * ``roi`` (float) - return on investment, profit / cost; missing where nothing was spent.
        * ``roi_low``, ``roi_high`` (float) - its interval.
        * ``planned_profit`` (float) - sum of the gains that `selection` expected of the contacts,
          in money, before `fixed_cost`; only with `selection`.
        * ``verdict`` (str) - the result in words; "too few to tell" where a treatment or the
          control group of the row has fewer than two customers or five clusters, or than its
          `covariates` need, or where both together have fewer than ten customers with an amount:
          what cannot be told is missing.

    Raises
    ------
    InputError
        If there is no control group, every row has too few customers, or an argument is out of
        range.

    Notes
    -----
    The bootstrap-t takes the tail of the amounts from both arms, so that a control group with ten
    buyers is enough: what is missed lies on both sides alike. Rows with `cluster` are robust to
    customers who hang together (Bell and McCaffrey); a ratio's error is that of the delta method.
    With `looks` in a list, false alarms are spent as by O'Brien and Fleming (Lan and DeMets).

    References
    ----------
    Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression
    with multi-stage samples. Survey Methodology, 28, 169-181.

    Chung, E. and Romano, J. P. (2013). Exact and asymptotically robust permutation tests. Annals of
    Statistics, 41, 484-507.

    Deng, A., Xu, Y., Kohavi, R. and Walker, T. (2013). Improving the sensitivity of online
    controlled experiments by utilizing pre-experiment data. WSDM, 123-132.

    Lan, K. K. G. and DeMets, D. L. (1983). Discrete sequential boundaries for clinical trials.
    Biometrika, 70, 659-663.

    Lin, W. (2013). Agnostic notes on regression adjustments to experimental data. Annals of Applied
    Statistics, 7, 295-318.

    Newcombe, R. G. (1998). Interval estimation for the difference between independent
    proportions. Statistics in Medicine, 17, 873-890. Method 10.

    Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H. and Ramdas, A. (2024). Time-uniform
    central limit theory and asymptotic confidence sequences. Annals of Statistics, 52, 2613-2640.

    Welch, B. L. (1947). The generalization of "Student's" problem when several different
    population variances are involved. Biometrika, 34, 28-35.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(2000),
    ...         "mailed": [1, 0] * 1000,
    ...         "bought": ([1, 0] * 150 + [0, 1] * 80 + [0, 0] * 770),
    ...     }
    ... )
    >>> result = response.campaign_result(
    ...     customers, outcome="bought", treated="mailed", value=20, contact_cost=1
    ... )
    >>> result[["uplift", "conf_low", "conf_high", "profit"]].round(3)
       uplift  conf_low  conf_high  profit
    0  0.07     0.042      0.098   400.0
    >>> result["verdict"].iloc[0]
    'significant, profit not proven'
    """
    check_choice(method, "method", LiftInterval)
    level = check_number(confidence_level, "confidence_level")
    n_draws = check_number(n_draws, "n_draws")
    looked = check_looks(looks)
    money = check_number(value, "value") * check_number(margin, "margin")
    fixed_cost = check_number(fixed_cost, "fixed_cost")
    groups_by = read_by(by)
    beside = optional_columns(treated=treated, cluster=cluster, denominator=denominator)
    people = read_customers(customers, needs=[*columns_named(outcome=outcome), *beside, *groups_by])
    people, y, account = with_outcome(people, outcome, binary=False)
    outcomes = read_outcomes(people, y, covariates, cluster, denominator, method)
    arms, each, planned = campaign_arms(people, treated, control, selection, contact_cost, account)
    binary = bool(((y == 0) | (y == 1)).all())
    if method == "newcombe" and not binary:
        raise InputError("`method` 'newcombe' is for outcomes of 0 and 1; these are amounts.")
    codes, groups = group_codes(people, groups_by)
    rng = random_generator(random_state, fixed=0)
    how = Method(method, binary, level, looked, n_draws, rng)
    rows, labels = [], []
    for group in range(len(groups)):
        left_alone = (codes == group) & (arms.code == 0)
        base = outcomes.of(left_alone)
        for number, treatment in enumerate(arms.treatments, start=1):
            inside = (codes == group) & (arms.code == number)
            if not inside.any() and not left_alone.any():
                continue
            row = compared(outcomes.of(inside), base, how)
            row["cost"] = float(each[inside].sum())
            if planned is not None:
                row["planned_profit"] = float(planned[inside].sum())
            rows.append({"treatment": treatment, **row})
            labels.append(group)
    table = pd.DataFrame(rows)
    if not rows or table["uplift"].isna().all():
        raise InputError(
            "`customers`: in every row a treatment or its control group has fewer than two "
            "customers, or than five clusters or its covariates need. Give more, or split by fewer "
            "columns."
        )
    table["p_adjusted"] = adjust_p_values(table["p_value"].to_numpy(), "holm")
    planned_profit = table.pop("planned_profit") if planned is not None else None
    _add_money(table, money, table.pop("cost"), fixed_cost)
    if denominator is not None:
        table[["incremental_outcome", *_MONEY]] = float("nan")
    if planned_profit is not None:
        table["planned_profit"] = planned_profit
    table["verdict"] = _verdicts(table, 1 - level)
    read_by(by, reserved=table.columns)
    table = pd.concat([groups.iloc[labels].reset_index(drop=True), table], axis=1)
    return with_account(note_by(table, groups_by), account)


def _add_money(table: pd.DataFrame, money: float, cost: pd.Series[Any], fixed: float) -> None:
    """Append what the uplift is worth after costs."""
    n = table["customers_treated"]
    table["incremental_outcome"] = table["uplift"] * n
    table["cost"] = cost + fixed * n / n.sum()
    for name, uplift in (
        ("profit", "uplift"),
        ("profit_low", "conf_low"),
        ("profit_high", "conf_high"),
    ):
        table[name] = table[uplift] * n * money - table["cost"]
    spent = table["cost"].where(table["cost"] > 0)
    for name in ("", "_low", "_high"):
        table[f"roi{name}"] = table[f"profit{name}"] / spent


def _verdicts(table: pd.DataFrame, alpha: float) -> list[str]:
    """Say in words what uplift and profit amount to."""
    # The test and the interval are not the same formula: both have to say so.
    apart = (table["conf_low"] > 0) | (table["conf_high"] < 0)
    sure = ((table["p_adjusted"] < alpha) & apart).to_numpy()
    harmful = sure & (table["uplift"] < 0).to_numpy()
    words = np.select(
        [
            table["std_error"].isna().to_numpy(),
            harmful,
            sure & (table["profit_low"] > 0).to_numpy(),
            sure & (table["profit_high"] < 0).to_numpy(),
            sure,
        ],
        [
            "too few to tell",
            "significantly harmful",
            "significant and profitable",
            "significant but not profitable",
            "significant, profit not proven",
        ],
        default="no effect shown",
    )
    return [str(one) for one in words]
