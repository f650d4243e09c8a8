"""How deep to go: profit by the number of customers contacted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._arrays import gains_curve, wilson_interval
from crmkit._checks import check_number
from crmkit._frames import with_account
from crmkit._learn.judged import judged_scores
from crmkit.errors import InputError

__all__ = ["profit_table"]


def profit_table(
    customers: Any,
    scores: Any,
    *,
    outcome: str | None = None,
    value: float,
    contact_cost: float,
    margin: float = 1.0,
    fixed_cost: float = 0.0,
    score: str | None = None,
    n_points: int = 50,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Show what contacting the best-scored customers earns, by how many are contacted.

    Every responder counts as earned by the contact; where there was a control group,
    :func:`campaign_result` and :func:`qini_table` tell what the contact really added.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id`` and the outcome. Customers whose outcome is
        missing were not contacted and are left out.
    scores : DataFrame
        ``customer_id`` and a score; higher means contact first.
    outcome : str, optional
        Column with the outcome: 1 for those who left or responded, 0 for the others. The
        default is the one named ``churned`` or ``responded``.
    value : float
        What one response is worth, in money.
    contact_cost : float
        Cost of one contact.
    margin : float, default 1
        Share of the value that is contribution.
    fixed_cost : float, default 0
        Cost of the campaign whatever its size.
    score : str, optional
        Column of `scores`, where it cannot be told.
    n_points : int, default 50
        Rows aimed at; the best cut-off and the last contact that pays have rows of their own.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per cut-off, from few customers to all; equal scores are never divided:

        * ``share`` (float) - share of customers contacted.
        * ``customers`` (int) - customers contacted.
        * ``score`` (float) - lowest score contacted.
        * ``responders`` (int) - responses won.
        * ``revenue`` (float) - responders x value x margin, in money.
        * ``cost`` (float) - of contacts and campaign, in money.
        * ``profit`` (float) - revenue - cost, in money.
        * ``conf_low``, ``conf_high`` (float) - its interval, from Wilson's for the rate.
        * ``best`` (bool) - the cut-off with the highest profit.
        * ``break_even`` (bool) - the deepest cut-off that still earns its costs.
        * ``pays`` (bool) - the last cut-off whose score, read as a probability, is worth the
          contact: score >= contact cost / (value x margin).

    Raises
    ------
    InputError
        If a score is missing, or comes from a model that learned from these very rows.

    Notes
    -----
    The limits are those of a cut-off chosen beforehand. At the best of many among few customers
    they promise too much: of 200 with 3 % responders, intervals of 95 % hold 89 %.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame({"customer_id": range(6), "responded": [1, 1, 0, 1, 0, 0]})
    >>> scores = pd.DataFrame(
    ...     {"customer_id": range(6), "p_response": [0.9, 0.8, 0.7, 0.3, 0.2, 0.1]}
    ... )
    >>> table = response.profit_table(customers, scores, value=10, contact_cost=4)
    >>> table[["customers", "score", "profit", "best", "pays"]]
       customers  score  profit   best   pays
    0          1    0.9     6.0  False  False
    1          2    0.8    12.0  False  False
    2          3    0.7     8.0  False   True
    3          4    0.3    14.0   True  False
    4          5    0.2    10.0  False  False
    5          6    0.1     6.0  False  False
    """
    unit = check_number(value, "value") * check_number(margin, "margin")
    if unit == 0:
        raise InputError("`value` and `margin` must be above 0: no contact pays for nothing.")
    each = check_number(contact_cost, "contact_cost")
    fixed = check_number(fixed_cost, "fixed_cost")
    points = check_number(n_points, "n_points")
    confidence_level = check_number(confidence_level, "confidence_level")
    judged = judged_scores(customers, scores, outcome, score)
    curve = gains_curve(judged.score, judged.outcome)
    contacted, responders = np.cumsum(curve.customers), np.cumsum(curve.outcome)
    cost = contacted * each + fixed
    profit = responders * unit - cost
    best = int(np.argmax(profit))
    earning, paying = np.flatnonzero(profit >= 0), np.flatnonzero(curve.score >= each / unit)
    break_even = int(earning[-1]) if earning.size else -1
    pays = int(paying[-1]) if paying.size else -1
    wanted = np.arange(1, points + 1) * contacted[-1] / points
    shown = np.searchsorted(contacted, wanted * (1 - 1e-12))
    marked = [at for at in (best, break_even, pays) if at >= 0]
    at = np.unique(np.r_[np.minimum(shown, contacted.size - 1), marked]).astype(np.int64)
    low, high = wilson_interval(responders[at], contacted[at], confidence_level)
    table = pd.DataFrame(
        {
            "share": contacted[at] / contacted[-1],
            "customers": contacted[at].astype(np.int64),
            "score": curve.score[at],
            "responders": responders[at].astype(np.int64),
            "revenue": responders[at] * unit,
            "cost": cost[at],
            "profit": profit[at],
            "conf_low": low * contacted[at] * unit - cost[at],
            "conf_high": high * contacted[at] * unit - cost[at],
            "best": at == best,
            "break_even": at == break_even,
            "pays": at == pays,
        }
    )
    return with_account(table, judged.account)
