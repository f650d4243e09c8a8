"""Target groups that a person can read: a tree of who responds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._arrays import wilson_interval
from crmkit._checks import check_number
from crmkit._frames import read_customers, with_account
from crmkit._learn import with_outcome
from crmkit.response._math.tree import grow_tree, leaf_of, rate_criterion
from crmkit.response._table.coding import check_tree_options, code_variables, rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["response_tree"]


def response_tree(
    customers: Any,
    *,
    outcome: str,
    columns: Sequence[str] | None = None,
    max_segments: int = 8,
    min_customers: int = 100,
    alpha: float = 0.05,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Find target groups: rules that set customers of high and low response apart.

    In the manner of CHAID the customers are divided by the variable and cut with the largest
    chi-squared, the most promising group first, until no division is significant after
    Bonferroni's correction for all the ways in which the group could have been divided. A rule
    is a condition in the form of ``DataFrame.query``: ``customers.query(rule)`` gives the group,
    of this table or of another.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id``, the outcome and variables. Customers with a
        missing outcome were not contacted and are left out.
    outcome : str
        Column with the outcome: 1 (or True) for a response and 0 for none.
    columns : sequence of str, optional
        Variables to divide by. The default is every column but the id, the outcome and dates.
    max_segments : int, default 8
        Most groups.
    min_customers : int, default 100
        Least customers in a group.
    alpha : float, default 0.05
        Level of the test that stops the division.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group, highest rate first:

        * ``segment`` (int) - 1 for the group with the highest rate.
        * ``rule`` (str) - who belongs to it; "all customers" where nothing divides them.
        * ``customers`` (int) - contacted customers in the group.
        * ``responders`` (int) - those who responded.
        * ``rate`` (float) - responders / customers.
        * ``conf_low``, ``conf_high`` (float) - Wilson's interval of the rate; since the group was
          chosen for its rate, a new campaign tells more.
        * ``index`` (float) - 100 x rate / rate of all.
        * ``cumulative_share_customers`` (float) - share of customers down to here.
        * ``cumulative_share_responders`` (float) - share of responders down to here.

    Raises
    ------
    InputError
        If there is no variable or an argument is out of range.

    References
    ----------
    Kass, G. V. (1980). An exploratory technique for investigating large quantities of
    categorical data. Applied Statistics, 29, 119-127.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(3000, random_state=0)
    >>> tree = response.response_tree(
    ...     campaign, outcome="responded", columns=["recency_days", "frequency"], max_segments=3
    ... )
    >>> best = tree.iloc[0]
    >>> bool(len(campaign.query(best["rule"])) == best["customers"])
    True
    """
    confidence_level = check_number(confidence_level, "confidence_level")
    max_segments, least, alpha = check_tree_options(max_segments, min_customers, alpha)
    people = read_customers(customers, needs=columns_named(outcome=outcome))
    people, result, account = with_outcome(people, outcome)
    variables = code_variables(people, columns, exclude=[outcome], least=least)
    codes = [variable.coded for variable in variables]
    regions = grow_tree(
        codes,
        result.astype(np.int64),
        2,
        rate_criterion(least),
        max_leaves=max_segments,
        alpha=alpha,
    )
    leaf = leaf_of(codes, regions)
    size = np.bincount(leaf, minlength=len(regions))
    responders = np.bincount(leaf, weights=result, minlength=len(regions))
    rules = np.array([rule_of(variables, region) for region in regions], dtype=object)
    order = np.lexsort((rules.astype(str), -responders / size))
    size, responders = size[order], responders[order]
    low, high = wilson_interval(responders, size, confidence_level)
    total = responders.sum()
    found = np.cumsum(responders) / total if total else np.cumsum(size) / result.size
    table = pd.DataFrame(
        {
            "segment": np.arange(1, len(regions) + 1),
            "rule": rules[order].tolist(),
            "customers": size.astype(np.int64),
            "responders": responders.astype(np.int64),
            "rate": responders / size,
            "conf_low": low,
            "conf_high": high,
            "index": 100 * responders / size / result.mean() if total else 100.0,
            "cumulative_share_customers": np.cumsum(size) / result.size,
            "cumulative_share_responders": found,
        }
    )
    return with_account(table, account)
