"""Groups on whom a campaign works differently, as rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._arrays import normal_quantile
from crmkit._checks import check_flag, check_number, random_generator
from crmkit._frames import read_customers, sorted_codes, with_account
from crmkit._learn.outcomes import tested_customers
from crmkit.errors import InputError
from crmkit.response._math.effects import group_effects
from crmkit.response._math.tree import Coded, grow_tree, leaf_of, uplift_criterion
from crmkit.response._table.coding import check_tree_options, code_variables, rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Bools

__all__ = ["uplift_tree"]


def uplift_tree(
    customers: Any,
    *,
    outcome: str,
    treated: str,
    control: Any = None,
    treatment: Any = None,
    columns: Sequence[str] | None = None,
    max_segments: int = 8,
    min_customers: int = 100,
    alpha: float = 0.05,
    honest: bool = True,
    confidence_level: float = 0.95,
    random_state: int | None = None,
) -> pd.DataFrame:
    """Find groups on whom a campaign works differently, as rules that a person can read.

    Customers are divided where the effects of the two sides differ most, measured by the squared
    z of their difference, until no difference is significant after Bonferroni's correction. With
    `honest` one half of the customers, drawn at random, makes the rules and the other half
    measures the effects, so that the intervals are not flattered by the search.

    Parameters
    ----------
    customers : DataFrame
        One row per customer of a randomised campaign, with ``customer_id``, the outcome, the arm
        and variables known before the campaign.
    outcome : str
        Column with the outcome: 0 and 1, or an amount of money.
    treated : str
        Column that says who was treated: 1 and 0, or names of arms.
    control : optional
        Name of the control arm, where `treated` holds names other than "control".
    treatment : optional
        The arm to compare with the control group, where there are several.
    columns : sequence of str, optional
        Variables to divide by; give them whenever the table also holds what became known later.
        The default is every column but the id, the outcome, the arm and dates.
    max_segments : int, default 8
        Most groups.
    min_customers : int, default 100
        Least customers of each arm in a group, in the half that makes the rules.
    alpha : float, default 0.05
        Level of the test that stops the division.
    honest : bool, default True
        Whether rules and effects come from different halves.
    confidence_level : float, default 0.95
        Level of the intervals.
    random_state : int, optional
        Seed of the halves; without one they are fixed.

    Returns
    -------
    pandas.DataFrame
        One row per group, largest effect first:

        * ``segment`` (int) - 1 for the group with the largest effect.
        * ``rule`` (str) - who belongs to it, for ``DataFrame.query``.
        * ``customers`` (int) - customers that the effect is measured on.
        * ``customers_treated`` (int) - treated customers among them.
        * ``mean_treated``, ``mean_control`` (float) - mean outcome, for 0 and 1 the rate.
        * ``uplift`` (float) - their difference.
        * ``std_error`` (float) - of the uplift.
        * ``conf_low``, ``conf_high`` (float) - interval of the uplift.

    Raises
    ------
    InputError
        If there is no control group, or an argument is out of range.

    References
    ----------
    Su, X., Tsai, C.-L., Wang, H., Nickerson, D. M. and Li, B. (2009). Subgroup analysis via
    recursive partitioning. Journal of Machine Learning Research, 10, 141-158.

    Athey, S. and Imbens, G. (2016). Recursive partitioning for heterogeneous causal effects.
    Proceedings of the National Academy of Sciences, 113, 7353-7360.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(8000, random_state=0)
    >>> tree = response.uplift_tree(
    ...     campaign,
    ...     outcome="responded",
    ...     treated="treated",
    ...     columns=["recency_days", "messages_received", "age"],
    ... )
    >>> bool(tree["uplift"].is_monotonic_decreasing)
    True
    """
    z = normal_quantile(check_number(confidence_level, "confidence_level"))
    max_segments, least, alpha = check_tree_options(max_segments, min_customers, alpha)
    people = read_customers(customers, needs=columns_named(outcome=outcome, treated=treated))
    people, result, arm, account = tested_customers(
        people, outcome, treated, control=control, treatment=treatment
    )
    money = bool(((result != 0) & (result != 1)).any())
    variables = code_variables(people, columns, exclude=[outcome, treated], least=least)
    learn, judge = (
        _halves(people, random_state)
        if check_flag(honest, "honest")
        else (slice(None), slice(None))
    )
    codes = [variable.coded for variable in variables]
    regions = grow_tree(
        [Coded(coded.codes[learn], coded.size, coded.ordered) for coded in codes],
        arm[learn] if money else (2 * arm + result.astype(np.int64))[learn],
        2 if money else 4,
        uplift_criterion(least, money=money),
        values=result[learn] if money else None,
        max_leaves=max_segments,
        alpha=alpha,
    )
    leaf = leaf_of(codes, regions)[judge]
    m = len(regions)
    effect = group_effects(leaf, arm[judge], result[judge], m)
    if effect.n.min() < 2:
        raise InputError(
            "`min_customers` is too low: the half that measures the effects has a group with "
            "fewer than two customers of an arm. Raise it."
        )
    rules = np.array([rule_of(variables, region) for region in regions], dtype=object)
    table = pd.DataFrame(
        {
            "segment": np.arange(1, m + 1),
            "rule": rules.tolist(),
            "customers": effect.n.sum(axis=1).astype(np.int64),
            "customers_treated": effect.n[:, 1].astype(np.int64),
            "mean_treated": effect.mean[:, 1],
            "mean_control": effect.mean[:, 0],
            "uplift": effect.uplift,
            "std_error": effect.std_error,
            "conf_low": effect.uplift - z * effect.std_error,
            "conf_high": effect.uplift + z * effect.std_error,
        }
    )
    order = np.lexsort((rules.astype(str), -effect.uplift))
    table = table.iloc[order].assign(segment=np.arange(1, m + 1)).reset_index(drop=True)
    return with_account(table, account)


def _halves(people: pd.DataFrame, random_state: int | None) -> tuple[Bools, Bools]:
    """Divide customers at random, in the order of their ids, whatever that of the rows."""
    codes, _ = sorted_codes(people["customer_id"])
    drawn = random_generator(random_state, fixed=0)
    first = drawn.permutation(codes.size)[codes] < codes.size // 2
    return first, ~first
