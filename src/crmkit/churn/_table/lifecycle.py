"""The state of each customer, and how customers move between states."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_list
from crmkit._checks import check_flag, listed
from crmkit._frames import (
    ACCOUNT,
    ROWWISE,
    customer_groups,
    day_column,
    group_codes,
    parse_day,
    read_by,
    with_account,
)
from crmkit._log import PurchaseDays, PurchaseLog, read_log
from crmkit._periods import day_text
from crmkit._two_steps import in_two_steps
from crmkit.churn._math.lifecycle import NOT_YET, STATES, lifecycle_states
from crmkit.churn._math.rhythm import own_pace
from crmkit.churn._table.gaps import gap_lengths, gaps_by_group
from crmkit.churn._table.thresholds import (
    NOT_GROUPS,
    lifecycle_thresholds,
    read_thresholds,
    thresholds_of_groups,
    thresholds_of_lengths,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Floats


__all__ = ["lifecycle_table", "lifecycle_transitions"]

_COLUMNS = (
    "state",
    "recency_days",
    "purchase_days",
    "first_date",
    "last_date",
    "at_risk_days",
    "lapsed_days",
)
_MOVE = ("from_date", "to_date", "from_state", "to_state")
_NAMES = (*STATES, "not_yet")


def lifecycle_table(
    transactions: Any,
    *,
    as_of: Any = None,
    thresholds: Any = None,
    by: str | Iterable[str] | None = None,
    customers: Any = None,
    own_rhythm: bool = False,
) -> pd.DataFrame:
    """Tell for each customer: new, active, reactivated, at risk or lapsed.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``; a refund is no purchase.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    thresholds : DataFrame, optional
        Columns ``at_risk_days`` and ``lapsed_days``: the silence beyond which a customer is at
        risk, or lapsed. One row, or one per group with the columns that name it. The default is
        :func:`lifecycle_thresholds` of the log's own gaps.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own. Of
        `customers` if given, else of `transactions`; each group has thresholds of its own.
        Not needed with `thresholds`, which say their groups.
    customers : DataFrame, optional
        One row per customer, with ``customer_id`` and the columns that name the groups.
    own_rhythm : bool, default False
        Stretch the thresholds by how slowly each customer buys against the group, as far as the
        customer's number of gaps bears it out: the rhythm by which :func:`silence_table` judges.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``state`` (str) - ``lapsed`` or ``at_risk``: silent beyond the threshold. Else ``new``:
          the first purchase is no longer ago than `at_risk_days`; ``reactivated``: a purchase no
          longer ago than that ended a silence beyond `lapsed_days`; or ``active``.
        * ``recency_days`` (int) - days since the last purchase.
        * ``purchase_days`` (int) - number of days with a purchase.
        * ``first_date`` (datetime) - day of the first purchase.
        * ``last_date`` (datetime) - day of the last purchase.
        * ``at_risk_days`` (float) - the customer's threshold for being at risk.
        * ``lapsed_days`` (float) - the customer's threshold for having lapsed.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a value cannot be used, or `thresholds` lack a group.

    See Also
    --------
    gap_table : Where the thresholds come from.
    lifecycle_transitions : How customers move between states.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob", "cem", "dee", "dee"],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-01", "2025-06-20", "2025-01-15", "2025-06-25", "2025-03-01",
    ...              "2025-04-20"]
    ...         ),
    ...     }
    ... )
    >>> thresholds = pd.DataFrame({"at_risk_days": [60], "lapsed_days": [120]})
    >>> lifecycle_table(transactions, as_of="2025-06-30", thresholds=thresholds)[
    ...     ["customer_id", "state", "recency_days"]
    ... ]
      customer_id        state  recency_days
    0         ann  reactivated            10
    1         bob       lapsed           166
    2         cem          new             5
    3         dee      at_risk            71
    """
    log, days, limits = _read(
        transactions,
        as_of,
        thresholds=thresholds,
        by=by,
        customers=customers,
        own_rhythm=own_rhythm,
    )
    as_of = log.rows.as_of
    state = lifecycle_states(days, as_of=as_of, at_risk=limits[0], lapsed=limits[1])
    last = days.day[days.last]
    columns = (
        np.array(STATES)[state],
        as_of - last,
        days.count,
        day_column(days.day[days.first]),
        day_column(last),
        *limits,
    )
    table = {"customer_id": log.rows.customer_ids, **dict(zip(_COLUMNS, columns, strict=True))}
    return log.noted(pd.DataFrame(table))


def lifecycle_transitions(
    transactions: Any,
    *,
    dates: Iterable[Any],
    thresholds: Any = None,
    by: str | Iterable[str] | None = None,
    customers: Any = None,
    own_rhythm: bool = False,
) -> pd.DataFrame:
    """Count how customers move between the states of the lifecycle from date to date.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``; a refund is no purchase.
    dates : list of date-like
        Two or more dates; each with the one before makes a set of moves.
    thresholds, by, customers, own_rhythm
        As in :func:`lifecycle_table`. Thresholds are derived once, as of the last date, so that
        a move is a change of the customer and not of the yardstick.

    Returns
    -------
    pandas.DataFrame
        One row per pair of dates and move that a customer made:

        * ``from_date`` (datetime) - the earlier date.
        * ``to_date`` (datetime) - the later date.
        * ``from_state`` (str) - state on the earlier date; ``not_yet`` before the first purchase.
        * ``to_state`` (str) - state on the later date.
        * ``customers`` (int) - customers who made that move.
        * ``share`` (float) - of the customers in `from_state`; sums to 1 over each of them.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If there are fewer than two dates, or a value cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob", "cem"],
    ...         "date": pd.to_datetime(["2025-01-01", "2025-06-20", "2025-01-15", "2025-06-25"]),
    ...     }
    ... )
    >>> thresholds = pd.DataFrame({"at_risk_days": [60], "lapsed_days": [120]})
    >>> lifecycle_transitions(
    ...     transactions, dates=["2025-01-31", "2025-06-30"], thresholds=thresholds
    ... )[["from_state", "to_state", "customers", "share"]]
      from_state     to_state  customers  share
    0        new  reactivated          1    0.5
    1        new       lapsed          1    0.5
    2    not_yet          new          1    1.0
    """
    moves = _moves(
        transactions,
        dates=dates,
        thresholds=thresholds,
        by=by,
        customers=customers,
        own_rhythm=own_rhythm,
    )
    return _shares(moves)


def _moves(
    transactions: Any,
    *,
    dates: Iterable[Any],
    thresholds: Any,
    by: Any,
    customers: Any,
    own_rhythm: bool,
) -> pd.DataFrame:
    """Count moves between numbers of states, from day to day."""
    ends = sorted({parse_day(date, "dates") for date in check_list(dates, "dates", "dates")})
    if len(ends) < 2:
        raise InputError("`dates` must hold two or more different dates.")
    last = day_text(ends[-1])
    log, days, limits = _read(
        transactions, last, thresholds=thresholds, by=by, customers=customers, own_rhythm=own_rhythm
    )
    states = [
        lifecycle_states(days, as_of=day, at_risk=limits[0], lapsed=limits[1]) for day in ends
    ]
    n = len(_NAMES)
    parts = []
    for (start, before), (end, after) in pairwise(zip(ends, states, strict=True)):
        moves = np.bincount(before * n + after, minlength=n * n)
        moves[NOT_YET * n + NOT_YET] = 0
        made = np.flatnonzero(moves)
        columns = dict(zip(_MOVE, (start, end, *np.divmod(made, n)), strict=True))
        parts.append(pd.DataFrame({**columns, "customers": moves[made]}))
    return log.noted(pd.concat(parts, ignore_index=True))


def _shares(moves: pd.DataFrame) -> pd.DataFrame:
    """Add up the same moves and give their shares of all from the same state."""
    move, table = group_codes(moves, list(_MOVE))
    number = np.zeros(len(table), dtype=np.int64)
    np.add.at(number, move, moves["customers"].to_numpy())
    opening, _ = group_codes(table, list(_MOVE[:3]))
    names = np.array(_NAMES)
    columns = {
        **{name: day_column(table[name]) for name in _MOVE[:2]},
        **{name: names[table[name]] for name in _MOVE[2:]},
        "customers": number,
        "share": number / np.bincount(opening, weights=number)[opening],
    }
    return with_account(pd.DataFrame(columns), moves.attrs[ACCOUNT])


def _lengths_until(transactions: Any, *, dates: Any, by: Any, customers: Any) -> pd.DataFrame:
    """Count the gaps of each length up to the last of some dates."""
    last = max(check_list(dates, "dates", "dates"), key=lambda date: parse_day(date, "dates"))
    return gap_lengths(transactions, as_of=last, by=by, customers=customers)


in_two_steps(lifecycle_table, before=[("thresholds", gap_lengths, thresholds_of_lengths)])
in_two_steps(
    lifecycle_transitions,
    before=[("thresholds", _lengths_until, thresholds_of_lengths)],
    first=_moves,
    rest=_shares,
)


def _read(
    transactions: Any, as_of: Any, *, thresholds: Any, by: Any, customers: Any, own_rhythm: bool
) -> tuple[PurchaseLog, PurchaseDays, tuple[Floats, Floats]]:
    """Read the log, its purchase days and each customer's two thresholds."""
    own_rhythm = check_flag(own_rhythm, "own_rhythm")
    columns = read_by(by, reserved=_COLUMNS, rowwise=ROWWISE)
    table = None if thresholds is None else read_thresholds(thresholds)
    if table is not None:
        named = [str(column) for column in table.columns if column not in NOT_GROUPS]
        if columns and columns != named:
            raise InputError(f"`by` is {listed(columns)}, but `thresholds` are split by {named}.")
        columns = named
    inside = [] if customers is not None else columns
    log = read_log(transactions, needs=inside, as_of=as_of)
    days = log.days()
    group, groups = customer_groups(
        log.purchases if columns else log.rows, columns, customers, log.account
    )
    if table is None:
        table = lifecycle_thresholds(gaps_by_group(days, log.rows.as_of, group, groups, 0.95))
    limits = thresholds_of_groups(table, groups, columns)[:, group]
    if own_rhythm:
        total = (days.day[days.last] - days.day[days.first]).astype(np.float64)
        gaps = (days.count - 1).astype(np.float64)
        limits = limits * own_pace(gaps, total, days.sum_log_gaps(), group)
    return log, days, (limits[0], limits[1])
