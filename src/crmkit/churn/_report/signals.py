"""Which signals move first, long before customers leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_numbers
from crmkit._checks import check_number, check_optional
from crmkit._frames import ACCOUNT, parse_day, with_account
from crmkit._learn import column_kind
from crmkit._learn.judging import area_interval
from crmkit._two_steps import in_one, in_two_steps
from crmkit.churn._table.churn_table import churn_table
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.churn._table.contracts import Ends

__all__ = ["signal_table"]

_LEAD = "lead_days of the row"  # no name that a column of customers has


def signal_table(
    transactions: Any,
    *,
    customers: Any = None,
    as_of: Any,
    horizon_days: int,
    lead_days: Sequence[int] = (0, 28, 56, 84),
    recent_days: int = 28,
    active_days: int | None = None,
    discount: str | None = None,
    observed_until: Any = None,
    contracts: Any = None,
    ends: Ends | None = None,
    grace_days: int = 0,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Show how long before customers leave each feature tells them from those who stay.

    The outcome days are the same for all leads, and so are the customers: those who could be
    described at every lead. Only the day up to which features are known moves back.

    Parameters
    ----------
    transactions : DataFrame
        The log, as for ``churn_table``.
    customers : DataFrame, optional
        Further columns per customer, as for ``churn_table``. Only number columns are shown.
    as_of : date-like
        Last day observed, inclusive; the outcome days begin after it.
    horizon_days : int
        Days after `as_of` in which a customer who buys nothing counts as churned.
    lead_days : sequence of int, default (0, 28, 56, 84)
        Days between `as_of` and the outcome, several: how long before it the features end.
    recent_days : int, default 28
        Length of the recent window; a short one shows when behaviour turns.
    active_days : int, optional
        Only customers who had bought in the last `active_days` days at the longest lead.
    discount, observed_until, contracts, ends, grace_days
        As in :func:`churn_table`.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per feature and lead, the earliest strong signal first:

        * ``variable`` (str) - the feature.
        * ``lead_days`` (int) - days between the features and the outcome.
        * ``customers`` (int) - customers with a known value.
        * ``auc`` (float) - chance that one who will leave has the higher value; 0.5 tells
          nothing, below 0.5 leavers have the lower value.
        * ``std_error`` (float) - its standard error (DeLong); missing with one customer who left
          or one who stayed.
        * ``conf_low`` (float) - lower limit; missing likewise.
        * ``conf_high`` (float) - upper limit; missing likewise.
        * ``direction`` (str) - whether leavers are ``higher`` or ``lower``, or ``unclear`` where
          the interval holds 0.5.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If the log does not reach far enough back or ahead, or all did the same.

    References
    ----------
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or
    more correlated receiver operating characteristic curves: a nonparametric approach.
    *Biometrics* 44(3), 837-845.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> transactions = datasets.make_transactions(1000, random_state=0)["transactions"]
    >>> table = churn.signal_table(
    ...     transactions, as_of="2025-03-31", horizon_days=60, lead_days=[0, 60]
    ... )
    >>> sorted(table["lead_days"].unique().tolist())
    [0, 60]
    """
    return in_one(signal_table, locals())


def _at_leads(
    transactions: Any,
    *,
    customers: Any,
    as_of: Any,
    horizon_days: int,
    lead_days: Sequence[int],
    recent_days: int,
    active_days: int | None,
    discount: str | None,
    observed_until: Any,
    contracts: Any,
    ends: Ends | None,
    grace_days: int,
) -> pd.DataFrame:
    """Describe the customers at every lead, each in as many rows."""
    leads = sorted(set(check_numbers(lead_days, "lead_days")))
    horizon_days = check_number(horizon_days, "horizon_days")
    end = parse_day(as_of, "as_of")
    active_days = check_optional(active_days, "active_days")
    tables = {
        lead: churn_table(
            transactions,
            customers=customers,
            as_of=np.datetime64(end - lead, "D"),
            horizon_days=horizon_days,
            lead_days=lead,
            recent_days=recent_days,
            active_days=active_days if lead == leads[-1] else None,
            discount=discount,
            observed_until=observed_until,
            contracts=contracts,
            ends=ends,
            grace_days=grace_days,
        )
        for lead in leads
    }
    kept = tables[leads[-1]]["customer_id"]
    for table in tables.values():
        # A contract may have paused between two leads.
        kept = kept[kept.isin(table["customer_id"])]
    rows = [
        table[table["customer_id"].isin(kept)].assign(**{_LEAD: lead})
        for lead, table in tables.items()
    ]
    account = tables[leads[-1]].attrs[ACCOUNT]
    for table in rows:
        table.attrs = {}  # or pandas compares them with one another
    return with_account(pd.concat(rows, ignore_index=True), account)


def _told(
    described: pd.DataFrame, *, lead_days: Sequence[int], confidence_level: float
) -> pd.DataFrame:
    """Show how well each feature tells those who left, at each lead."""
    level = check_number(confidence_level, "confidence_level")
    leads = sorted(set(lead_days))
    rows = []
    for lead in leads:
        same = described[described[_LEAD] == lead]
        result = same["churned"].to_numpy(dtype=np.float64)
        if not result.size or result.min() == result.max():
            raise InputError(
                f"`transactions`: all {len(result):,} customers did the same after `as_of`; "
                "signals need some who left and some who stayed."
            )
        for variable in same.columns.drop(["customer_id", "churned", _LEAD]):
            if column_kind(same[variable]) in ("numbers", "flags"):
                values = same[variable].to_numpy(dtype=np.float64, na_value=np.nan)
                rows += _signal(variable, lead, values, result, level)
    signals = pd.DataFrame(rows)
    strength = (signals["auc"] - 0.5).abs().where(signals["lead_days"] == leads[-1], -1.0)
    signals["rank"] = strength.groupby(signals["variable"]).transform("max")
    signals = signals.sort_values(
        ["rank", "variable", "lead_days"], ascending=[False, True, False], kind="stable"
    )
    signals = signals.drop(columns="rank").reset_index(drop=True)
    return with_account(signals, described.attrs[ACCOUNT])


in_two_steps(signal_table, first=_at_leads, rest=_told)


def _signal(
    variable: str, lead: int, values: Floats, result: Floats, level: float
) -> list[dict[str, Any]]:
    """Return the row of one feature at one lead, or none where it tells nobody apart."""
    known = ~np.isnan(values)
    values, result = values[known], result[known]
    if not values.size or result.min() == result.max() or values.min() == values.max():
        return []
    area, error, low, high = area_interval(values, result, level)
    return [
        {
            "variable": variable,
            "lead_days": lead,
            "customers": len(result),
            "auc": area,
            "std_error": error,
            "conf_low": low,
            "conf_high": high,
            "direction": "higher" if low > 0.5 else "lower" if high < 0.5 else "unclear",
        }
    ]
