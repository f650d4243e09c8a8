"""Who stays, leaves, arrives and returns in each period, and their money: sums over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number, check_optional
from crmkit._frames import ROWWISE, customer_groups, read_by, read_period, with_account
from crmkit._log import read_log
from crmkit._periods import period_of, period_start
from crmkit.churn._math.rates import TRIAL
from crmkit.churn._table.contracts import CONTRACT_COLUMNS, is_contracts, read_contracts
from crmkit.churn._table.rate_columns import customer_counts, revenue_units
from crmkit.churn._table.spells import activity_spells, contract_spells
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._periods import Period
    from crmkit.churn._table.contracts import Ends


__all__ = ["rate_sums"]

_COUNTS = ("active", "retained", "new", "reactivated", "lost", "trials", "converted", "paused")
_MONEY = ("", "_new", "_reactivated", "_expansion", "_contraction", "_lost", "_converted")
_COLUMNS = (
    *("period", "complete", *_COUNTS, "retention_rate", "conf_low", "conf_high", "churn_rate"),
    *(f"revenue{name}" for name in (*_MONEY, "_paused", "_resumed", "_churn_rate")),
    *("gross_revenue_retention", "net_revenue_retention"),
)


def rate_sums(
    transactions: Any,
    *,
    period: Period,
    as_of: Any,
    window_days: int | None,
    span_periods: int,
    ends: Ends | None,
    grace_days: int,
    by: Any,
    customers: Any,
) -> pd.DataFrame:
    """Return customers and money by heading, per group and number of the period."""
    calendar = read_period(period)
    window_days = check_optional(window_days, "window_days")
    span = check_number(span_periods, "span_periods")
    grace_days = check_number(grace_days, "grace_days")
    columns = read_by(by, reserved=_COLUMNS, rowwise=(*ROWWISE, *CONTRACT_COLUMNS))
    own = columns if customers is None else []
    if is_contracts(transactions, "transactions"):
        if window_days is not None:
            raise InputError(
                "`window_days` is for transactions; a contract itself says when it runs."
            )
        book = read_contracts(
            transactions, as_of=as_of, ends=ends, grace_days=grace_days, needs=own
        )
        spells = contract_spells(book)
        group, groups = customer_groups(book, columns, customers, book.account)
    else:
        if ends is not None or grace_days:
            raise InputError("`ends` and `grace_days` are for contracts; `transactions` has none.")
        log = read_log(transactions, needs=own, as_of=as_of)
        spells = activity_spells(log, calendar, window_days)
        group, groups = customer_groups(
            log.purchases if columns else log.rows, columns, customers, log.account
        )

    first, last = period_of(np.array([spells.start.min(), spells.as_of]), calendar).tolist()
    number = np.arange(first, last + 1)
    ends_on = np.minimum(period_start(number + 1, calendar) - 1, spells.as_of)
    accounts = spells.compared(ends_on, span)
    if spells.tried is not None:
        paying = np.unique(spells.customer[spells.state != TRIAL])
        unseen = paying.size - np.unique(accounts.now.customer[accounts.now.here]).size
        spells.account["customers_between_period_ends"] = unseen
    shape = (len(groups), number.size)
    found: dict[str, Any] = {"period": np.tile(number, len(groups))}
    found |= customer_counts(accounts, group, shape)
    if spells.value is not None:
        found |= {**revenue_units(accounts, group, shape), ".scale": accounts.scale}
    if taken := sorted(set(columns) & set(found)):
        raise InputError(f"`by` names {taken}, which the result needs for a reason. Rename them.")
    front = groups.iloc[np.repeat(np.arange(len(groups)), number.size)].reset_index(drop=True)
    table = pd.concat([front, pd.DataFrame(found)], axis=1)
    table.attrs["as_of"] = spells.as_of
    return with_account(table, spells.account)
