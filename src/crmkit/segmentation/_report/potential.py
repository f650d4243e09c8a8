"""Whether potential told growth: on days of the past, by what came after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_list
from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._frames import day_column, parse_day, read_customers, rows_of, with_account, without
from crmkit._log import check_covered
from crmkit.errors import InputError
from crmkit.segmentation._table.outlook import Method, available, judge
from crmkit.segmentation._table.potential import backtests, check_method
from crmkit.segmentation._table.trade import read_trade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.segmentation._table.outlook import Judged
    from crmkit.segmentation._table.trade import Trade

__all__ = ["potential_backtest"]

_RIVAL = "recency"


def potential_backtest(
    transactions: Any,
    *,
    methods: Sequence[Method] | None = None,
    potentials: Any = None,
    category: str | None = None,
    customers: Any = None,
    by: str | Sequence[str] | None = None,
    wallet: str | None = None,
    margin: float | None = None,
    horizon_days: int = 90,
    as_of: Any = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Judge whether potential on a day told, of equal customers, who brought more afterwards.

    Parameters
    ----------
    transactions : DataFrame
        The log, as for :func:`potential_table`, with the days after `as_of`.
    methods : list of {"reach", "white_space", "wallet"}, optional
        Methods of :func:`potential_table`. The default is all for which there is what they need.
    potentials : DataFrame, optional
        Potential of your own as it was known on the one day of `as_of`, judged beside them:
        ``customer_id``, ``potential`` and, for several, ``method``, their names. A customer
        without a row is left out.
    category, customers, by, wallet, margin : optional
        As in :func:`potential_table`.
    horizon_days : int, default 90
        Days after `as_of` that are foretold.
    as_of : str, datetime-like or list of these, optional
        Last day observed, inclusive, when potential is told; several are judged each by its own.
        The default is `horizon_days` before the last date in `transactions`.
    confidence_level : float, default 0.95
        Level of the intervals, and of the verdict.

    Returns
    -------
    pandas.DataFrame
        Per day one row for each method, best first, and a last one for a rival that takes one
        line of pandas: ``recency``, who bought last has the most potential:

        * ``as_of`` (datetime) - day on which potential was told.
        * ``method`` (str) - how.
        * ``customers`` (int) - customers judged.
        * ``estimate`` (float) - partial rank correlation of potential and the profit of the
          horizon after, given profit so far: that of ranks within groups of about 20 customers
          of equal profit so far. 0 says that potential tells nothing; missing where nothing can
          be told.
        * ``conf_low`` (float) - lower limit of the estimate.
        * ``conf_high`` (float) - upper limit.
        * ``top_gain`` (float) - what a customer of the top tenth by potential brought in the
          horizon beyond the others of its group.
        * ``top_gain_low`` (float) - lower limit of the gain.
        * ``top_gain_high`` (float) - upper limit.
        * ``verdict`` (str) - ``yes`` or ``no``, and why: yes only where ``conf_low`` is above 0.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If the log does not reach far enough back or ahead, or a method lacks what it needs.

    See Also
    --------
    potential_table : Potential as of today.

    Notes
    -----
    Customers are compared with those of equal profit so far only, so potential that follows from
    it, in whatever way, gets a ``no``. The limits of the estimate are those of its influence
    function on Fisher's scale; those of the gain are Student's, and too narrow where a tenth of
    customers brings most of the money. To tell is not to cause: that an offer pays, only a
    controlled campaign shows.

    References
    ----------
    .. [1] Shah, R. D. and Peters, J. (2020). The hardness of conditional independence testing and
       the generalised covariance measure. *Annals of Statistics* 48(3), 1514-1538, on products
       of what is left after a third variable is taken away.

    Examples
    --------
    >>> from crmkit import datasets
    >>> log = datasets.make_transactions(500, random_state=0)["transactions"]
    >>> table = potential_backtest(log, methods=["reach"], as_of="2025-06-30")
    >>> table["method"].tolist()
    ['reach', 'recency']
    """
    horizon = check_number(horizon_days, "horizon_days")
    level = check_number(confidence_level, "confidence_level")
    trade, account = read_trade(
        transactions,
        category=category,
        customers=customers,
        by=by,
        wallet=wallet,
        margin=margin,
        as_of=None,
    )
    if methods is None:
        chosen = available(trade)
    else:
        chosen = check_list(methods, "methods", "methods")
        for method in chosen:
            check_choice(method, "methods", Method)
            check_method(method, trade)
    rows: list[dict[str, Any]] = []
    days = _days(as_of, trade, horizon)
    if potentials is not None and len(days) > 1:
        raise InputError(
            f"`potentials` were known on one day, and `as_of` has {len(days)}. Name theirs."
        )
    for day in days:
        past, later, judged = backtests(trade, day, horizon, chosen, level)
        current = past.current
        if potentials is not None:
            for name, (values, met) in _own(potentials, past.trade, account).items():
                judged[name] = judge(values, current[met], later[met], level)
        ranked = sorted(
            judged.items(),
            key=lambda item: (-np.nan_to_num(item[1].correlation.value, nan=-2.0), item[0]),
        )
        rival = judge(past.trade.last_day().astype(np.float64), current, later, level)
        rows += [_row(day, name, found) for name, found in [*ranked, (_RIVAL, rival)]]
    table = pd.DataFrame(rows)
    table["as_of"] = day_column(table["as_of"].to_numpy())
    return with_account(table, account)


def _row(day: int, method: str, found: Judged) -> dict[str, Any]:
    """Return one row of the result."""
    return {
        "as_of": day,
        "method": method,
        "customers": found.customers,
        "estimate": found.correlation.value,
        "conf_low": found.correlation.low,
        "conf_high": found.correlation.high,
        "top_gain": found.top_gain.value,
        "top_gain_low": found.top_gain.low,
        "top_gain_high": found.top_gain.high,
        "verdict": found.verdict,
    }


def _days(as_of: Any, trade: Trade, horizon: int) -> list[int]:
    """Return the days to tell potential on, whose horizons must lie within the log."""
    last = trade.log.as_of
    if as_of is None:
        days = [last - horizon]
    else:
        several = isinstance(as_of, (list, tuple, set, np.ndarray, pd.Index, pd.Series))
        days = sorted({parse_day(day, "as_of") for day in (as_of if several else [as_of])})
    if not days:
        raise InputError("`as_of` is an empty list. Give at least one date.")
    check_covered(np.array([last]), days[-1], days[-1] + horizon, tells=False)
    return days


def _own(
    potentials: Any, past: Trade, account: dict[str, Any]
) -> dict[str, tuple[Floats, np.ndarray[Any, Any]]]:
    """Return potentials of the caller's own by name, with the customers they are about."""
    frame = read_customers(
        potentials, needs=["potential"], optional=["method"], name="potentials", unique=False
    )
    problems = Problems("potentials")
    values = number_array(frame["potential"], problems, "potential")
    problems.raise_if_any()
    names = frame["method"].astype(str) if "method" in frame else pd.Series(["own"] * len(frame))
    row = rows_of(
        frame["customer_id"],
        past.log.customer_ids,
        name="potentials",
        other="transactions",
        account=account,
    )
    account["customers_without_potentials"] = without(row, past.n)
    found = {}
    for name in names.unique():
        mine = (names == name).to_numpy() & (row >= 0)
        if np.unique(row[mine]).size < np.count_nonzero(mine):
            raise InputError(
                f"`potentials` has several rows for one customer by {name!r}. Keep one, or tell "
                "them apart in a column 'method'."
            )
        if not mine.any():
            continue
        found[f"{name} (given)"] = (values[mine], row[mine])
    return found
