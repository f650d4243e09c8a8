"""Who came together and is active at each age, and their money: sums over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import pieces
from crmkit._checks import check_optional
from crmkit._frames import ROWWISE, read_by, with_account
from crmkit.churn._math.cohorts import active_runs, cohort_activity
from crmkit.churn._table.contracts import CONTRACT_COLUMNS
from crmkit.churn._table.presence import Paid, read_presence, run_length
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._periods import Period
    from crmkit._typing import Floats, Ints
    from crmkit.churn._table.contracts import Ends
    from crmkit.churn._table.presence import Activity, Ages, Presence, Spent


__all__ = ["check_size", "cohort_cells"]

_COLUMNS = (
    "cohort",
    "age",
    "customers",
    "active",
    "retention_rate",
    "conf_low",
    "conf_high",
    "amount",
    "first_revenue",
    "revenue",
    "gross_revenue_retention",
    "net_revenue_retention",
)
_MOST_CELLS = 20_000_000


def cohort_cells(
    transactions: Any,
    *,
    period: Period,
    as_of: Any,
    activity: Activity,
    window_periods: int,
    ages: Ages,
    ends: Ends | None,
    grace_days: int,
    by: Any,
    customers: Any,
    max_age: int | None,
) -> pd.DataFrame:
    """Return counts and money per group, cohort and age; ``.ended`` counts whose age is over."""
    window = run_length(activity, window_periods)
    max_age = check_optional(max_age, "max_age")
    columns = read_by(by, reserved=_COLUMNS, rowwise=(*ROWWISE, *CONTRACT_COLUMNS))
    presence = read_presence(
        transactions,
        period,
        as_of,
        columns if customers is None else [],
        ages=ages,
        ends=ends,
        grace_days=grace_days,
    )
    group, groups = presence.groups(columns, customers)
    n_cohorts = int(presence.cohort.max()) + 1
    unit, place = np.unique(group * n_cohorts + presence.cohort, return_inverse=True)
    unit_group, unit_cohort = np.divmod(unit, n_cohorts)
    whole = np.full(unit.size, np.iinfo(np.int64).max)
    np.minimum.at(whole, place, presence.whole_ages)
    n_ages = max(int(whole.max()), 1)
    if max_age is not None:
        n_ages = min(n_ages, max_age + 1)
    shape = (unit.size, n_ages)
    check_size(shape)
    row, start, stop = active_runs(presence.customer, presence.age, window=window)
    table = {
        "cohort": np.repeat(unit_cohort + presence.first_number, n_ages),
        "age": np.tile(np.arange(n_ages), unit.size),
        "customers": np.repeat(np.bincount(place, minlength=unit.size), n_ages),
        ".ended": cohort_activity(
            place, np.zeros_like(place), presence.whole_ages, shape=shape
        ).ravel(),
        "active": cohort_activity(place[presence.customer[row]], start, stop, shape=shape).ravel(),
    }
    if isinstance(presence.money, Paid):
        table |= _revenues(presence, presence.money, place, shape)
    elif presence.money is not None:
        table["amount"] = _amounts(presence.money, place, shape)
    front = groups.iloc[np.repeat(unit_group, n_ages)].reset_index(drop=True)
    return with_account(pd.concat([front, pd.DataFrame(table)], axis=1), presence.account)


def check_size(shape: tuple[int, int]) -> None:
    """Refuse a table that would be too large."""
    if shape[0] * shape[1] > _MOST_CELLS:
        raise InputError(
            f"The table would have {shape[0]:,} cohorts by {shape[1]:,} ages. Choose a longer "
            "`period` or a `max_age`."
        )


def _revenues(
    presence: Presence, paid: Paid, place: Ints, shape: tuple[int, int]
) -> dict[str, Any]:
    """Return what each cohort pays at each age, of what it paid on its first days, in units."""
    cell = place[presence.customer] * shape[1] + presence.age
    inside = presence.age < shape[1]
    first = np.zeros(shape[0], dtype=np.int64)
    np.add.at(first, place, paid.first)

    def total(units: Ints) -> Ints:
        found = np.zeros(shape[0] * shape[1], dtype=np.int64)
        np.add.at(found, cell[inside], units[inside])
        return found

    return {
        "first_revenue": np.repeat(first, shape[1]),
        "revenue": total(paid.value),
        ".kept": total(np.minimum(paid.value, paid.first[presence.customer])),
        ".scale": paid.scale,
    }


def _amounts(spent: Spent, place: Ints, shape: tuple[int, int]) -> Floats:
    """Return what each cohort spent at each age, cell by cell."""
    width = int(spent.number.max()) + 1
    # A cell's number is its row's beginning plus its age; all but the period is per customer.
    begin = place * width - spent.offset
    total = np.zeros(shape[0] * width)
    # Every piece has a sum for each cell.
    for rows in pieces(spent.number.size, max(total.size, 1 << 16)):
        customer, number, amount = spent.customer[rows], spent.number[rows], spent.amount[rows]
        cell = begin[customer] + number
        if spent.bought is not None:
            # A refund before the first age is of a purchase outside the log.
            since = number >= spent.offset[customer]
            cell, amount = cell[since], amount[since]
        total += np.bincount(cell, weights=amount, minlength=total.size)
    amounts = np.zeros(shape)
    known = min(shape[1], width)
    amounts[:, :known] = total.reshape(shape[0], width)[:, :known]
    return amounts.ravel()
