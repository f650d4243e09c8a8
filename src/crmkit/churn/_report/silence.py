"""Customers who are silent for longer than is like them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit._frames import ACCOUNT, day_column, with_account
from crmkit._log import read_log
from crmkit._two_steps import in_one, in_two_steps
from crmkit.churn._math.rhythm import fit_rhythm, p_longer, usual_gap
from crmkit.errors import InputError

__all__ = ["silence_table"]


def silence_table(
    transactions: Any,
    *,
    as_of: Any = None,
    min_gaps: int = 2,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Find customers whose present gap is improbable under their own rhythm.

    A month without a purchase says nothing about one customer and everything about another. Each
    customer's rhythm is learned from the gaps between purchase days, and from those of all
    customers where there are few.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; a refund is no purchase.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    min_gaps : int, default 2
        Customers with fewer gaps between purchase days are left out: they have no rhythm yet.
    confidence_level : float, default 0.95
        Level of the verdict: a silence is unusual if the customer exceeds it with a
        probability below one minus this.

    Returns
    -------
    pandas.DataFrame
        One row per customer with enough gaps, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``last_date`` (datetime) - last purchase day.
        * ``recency_days`` (int) - days since then.
        * ``gaps`` (int) - gaps between purchase days so far.
        * ``mean_gap_days`` (float) - their mean.
        * ``usual_days`` (float) - silence that the customer exceeds only with the probability
          one minus `confidence_level`: the day to call.
        * ``p_silence`` (float) - probability of a gap longer than the present silence.
        * ``unusual`` (bool) - whether it is below one minus `confidence_level`.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If no customer has `min_gaps` gaps.

    Notes
    -----
    Gaps are gamma distributed with one shape for all and a rate per customer, rates are gamma
    distributed over customers; all three parameters are estimated. Some silences are unusual by
    chance: at the default level about one in twenty of the customers who carry on as before, and
    more where purchases come in bursts (three in ten where four of five gaps are short), because
    a look on any one day is likely to fall into a long gap.

    References
    ----------
    Platzer, M. and Reutterer, T. (2016). Ticking away the moments: timing regularity helps to
    better predict customer activity. *Marketing Science* 35(5), 779-799, for gamma gaps.

    Examples
    --------
    >>> import pandas as pd
    >>> weekly = pd.date_range("2025-01-01", periods=10, freq="7D")
    >>> monthly = pd.date_range("2025-01-01", periods=4, freq="30D")
    >>> transactions = pd.DataFrame(
    ...     {"customer_id": ["ann"] * 10 + ["bob"] * 4, "date": [*weekly, *monthly]}
    ... )
    >>> table = silence_table(transactions, as_of="2025-05-01")
    >>> table[["customer_id", "recency_days", "gaps", "mean_gap_days", "unusual"]]
      customer_id  recency_days  gaps  mean_gap_days  unusual
    0         ann            57     9            7.0     True
    1         bob            30     3           30.0    False
    """
    return in_one(silence_table, locals())


def _gaps(transactions: Any, *, as_of: Any) -> pd.DataFrame:
    """Return the gaps of each customer."""
    log = read_log(transactions, as_of=as_of)
    days = log.days()
    last = days.day[days.last]
    table = {
        "customer_id": log.rows.customer_ids,
        "gaps": days.count - 1,
        "total": (last - days.day[days.first]).astype(np.float64),
        "sum_log_gaps": days.sum_log_gaps(),
        "last": last,
        "recency_days": log.rows.as_of - last,
    }
    return log.noted(pd.DataFrame(table))


def _judged(gaps: pd.DataFrame, *, min_gaps: int, confidence_level: float) -> pd.DataFrame:
    """Judge the silence of each customer by the gaps of all."""
    min_gaps = check_number(min_gaps, "min_gaps")
    level = check_number(confidence_level, "confidence_level")
    n = gaps["gaps"].to_numpy(dtype=np.float64)
    found = np.flatnonzero(n >= min_gaps)
    if not found.size:
        raise InputError(
            f"`transactions` has no customer with {min_gaps} gaps between purchase days on or "
            "before `as_of`. Lower `min_gaps` or give a longer log."
        )
    some = np.flatnonzero(n > 0)
    total = gaps["total"].to_numpy()
    rhythm = fit_rhythm(n[some], total[some], gaps["sum_log_gaps"].to_numpy()[some])
    n, total = n[found], total[found]
    silence = gaps["recency_days"].to_numpy()[found]
    chance = p_longer(silence.astype(np.float64), n, total, rhythm)
    table = pd.DataFrame(
        {
            "customer_id": pd.Index(gaps["customer_id"]).take(found),
            "last_date": day_column(gaps["last"].to_numpy()[found]),
            "recency_days": silence,
            "gaps": n.astype(np.int64),
            "mean_gap_days": total / n,
            "usual_days": usual_gap(level, n, total, rhythm),
            "p_silence": chance,
            "unusual": chance < 1 - level,
        }
    )
    return with_account(table, gaps.attrs[ACCOUNT])


in_two_steps(silence_table, first=_gaps, rest=_judged)
