"""Which ways of coming bring customers who stay and are worth it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import optional_columns
from crmkit._arrays import adjust_p_values, mean_interval, wilson_interval
from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit._frames import read_by, with_account
from crmkit._learn.levels import column_levels
from crmkit._two_steps import in_one, in_two_steps
from crmkit.churn._math.levels import shrunk_means, shrunk_rates, two_sided_p
from crmkit.churn._table.acquisition import Acquired, acquired_customers, read_newcomers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["acquisition_profile"]


def acquisition_profile(
    transactions: Any,
    *,
    customers: Any = None,
    by: str | Sequence[str],
    acquisition_cost: str | None = None,
    as_of: Any = None,
    window_days: int = 180,
    retained_days: int | None = None,
    acquired_from: Any = None,
    margin: float = 1.0,
    valuable_share: float = 0.2,
    n_bins: int = 5,
    max_levels: int = 20,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare channels, campaigns, regions, seasons or first products by the customers they bring.

    Every customer is judged over the same number of days since the first purchase, so that old
    levels do not look better for having had more time.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; with ``amount`` and ``product`` where there are
        such columns.
    customers : DataFrame, optional
        One row per ``customer_id`` with what was known when the customer came.
    by : str or list of str
        Columns that make the groups; customers without a value are a group of their own.
        They are of `customers`, or ``first_month``, ``first_season``, ``first_product``,
        which the log itself tells.
    acquisition_cost : str, optional
        Column of `customers` with the cost of winning each customer, in the log's currency.
        Customers without a row or a cost count as won for nothing.
    as_of, window_days, retained_days, acquired_from, margin, valuable_share
        As in :func:`acquisition_table`.
    n_bins : int, default 5
        Number of parts of equal size into which numbers are cut.
    max_levels : int, default 20
        Most levels shown of a column; the rarest are pooled as ``(other)``.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per column in `by` and level:

        * ``variable`` (str) - the column.
        * ``level`` (str) - its value.
        * ``customers`` (int) - customers acquired whose window is over; all that follows is about
          these.
        * ``not_yet_observed`` (int) - customers acquired whose window is not over.
        * ``share`` (float) - share of ``customers``.
        * ``retained`` (int) - customers who bought in the last `retained_days` of the window.
        * ``retention_rate`` (float) - their share.
        * ``conf_low`` (float) - lower limit of the rate (Wilson).
        * ``conf_high`` (float) - upper limit.
        * ``retention_shrunk`` (float) - the rate drawn towards that of all, the more the fewer
          customers there are; rank small levels by this.
        * ``p_adjusted`` (float) - p-value of the rate against that of all other levels, after
          Benjamini and Hochberg over all rows.
        * ``value_per_customer`` (float) - mean of `margin` x net amount in the window. This and
          all that follow come only where the log has ``amount``.
        * ``value_low`` (float) - lower limit of the mean (Student); missing for one
          customer. Only with ``amount``.
        * ``value_high`` (float) - upper limit. Only with ``amount``.
        * ``value_shrunk`` (float) - the mean drawn towards that of all. Only with ``amount``.
        * ``valuable`` (int) - customers among the best `valuable_share`. Only with ``amount``.
        * ``index`` (float) - 100 x share of the valuable over share of all. Only with ``amount``.
        * ``cost_per_customer`` (float) - mean cost of winning one. Only with `acquisition_cost`.
        * ``net_value_per_customer`` (float) - value less cost. Only with `acquisition_cost`.
        * ``payback_days`` (float) - days until the level's value reached its cost; missing where
          it did not within the window. Only with `acquisition_cost`.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If nobody's window is over by `as_of`.

    Notes
    -----
    A level is where customers came from, not what made them stay: channels reach different
    people, and a budget moved to the best level will meet others than those already won there.

    Limits of the value need many customers where a few bring most of the money: of a dozen per
    level, a tenth of whom bring half, intervals of 95 % hold 75 % and miss what the few will bring.

    References
    ----------
    .. [1] Morris, C. N. (1983). Parametric empirical Bayes inference. *Journal of the American
       Statistical Association* 78, 47-55.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> shop = datasets.make_transactions(1500, random_state=1)
    >>> profile = churn.acquisition_profile(
    ...     shop["transactions"],
    ...     customers=shop["customers"],
    ...     by="channel",
    ...     acquisition_cost="acquisition_cost",
    ...     margin=0.4,
    ... )
    >>> profile["level"].tolist()
    ['referral', 'search', 'shop', 'social']
    >>> bool(profile["customers"].sum() == 1500)
    True
    """
    return in_one(acquisition_profile, locals())


def _compared(
    newcomers: pd.DataFrame,
    *,
    customers: Any,
    by: str | Sequence[str],
    acquisition_cost: str | None,
    window_days: int,
    acquired_from: Any,
    valuable_share: float,
    n_bins: int,
    max_levels: int,
    confidence_level: float,
) -> pd.DataFrame:
    """Compare the levels of columns by the customers that came with each."""
    n_bins = check_number(n_bins, "n_bins")
    max_levels = check_number(max_levels, "max_levels")
    confidence_level = check_number(confidence_level, "confidence_level")
    acquired = acquired_customers(
        newcomers,
        customers=customers,
        window_days=window_days,
        acquired_from=acquired_from,
        valuable_share=valuable_share,
    )
    table = acquired.table
    variables = read_by(by, needed=True)
    needed = [*variables, *optional_columns(acquisition_cost=acquisition_cost)]
    name = "transactions" if customers is None else "customers"
    require_columns([*table.columns.drop("observed")], needed, name)
    problems = Problems(name)
    cost = None
    if acquisition_cost is not None and acquired.money is not None:
        given = number_array(
            table[acquisition_cost], problems, acquisition_cost, allow_missing=True, low=0
        )
        cost = np.nan_to_num(given)
    levels = [
        (variable, *column_levels(table[variable], problems, variable, n_bins, max_levels))
        for variable in variables
    ]
    problems.raise_if_any()
    parts = [
        _profile(acquired, variable, codes, names, cost=cost, confidence_level=confidence_level)
        for variable, codes, names in levels
    ]
    profile = pd.concat(parts, ignore_index=True)
    profile["p_adjusted"] = adjust_p_values(profile["p_adjusted"].to_numpy())
    return with_account(profile, table.attrs["account"])


in_two_steps(acquisition_profile, first=read_newcomers, rest=_compared)


def _profile(
    acquired: Acquired,
    variable: str,
    codes: Ints,
    names: list[str],
    *,
    cost: Floats | None,
    confidence_level: float,
) -> pd.DataFrame:
    """Describe the levels of one column that hold at least one customer observed in full."""
    seen = acquired.table["observed"].to_numpy()

    def total(values: Any = None) -> Floats:
        weights = None if values is None else np.asarray(values, np.float64)[seen]
        return np.bincount(codes[seen], weights=weights, minlength=len(names)).astype(np.float64)

    everyone = total()
    kept = np.flatnonzero(everyone > 0)
    n, stayed = everyone[kept], total(acquired.table["retained"])[kept]
    waiting = np.bincount(codes[~seen], minlength=len(names))[kept]
    low, high = wilson_interval(stayed, n, confidence_level)
    columns = {
        "variable": variable,
        "level": [names[at] for at in kept],
        "customers": n.astype(np.int64),
        "not_yet_observed": waiting.astype(np.int64),
        "share": n / n.sum(),
        "retained": stayed.astype(np.int64),
        "retention_rate": stayed / n,
        "conf_low": low,
        "conf_high": high,
        "retention_shrunk": shrunk_rates(stayed, n),
        "p_adjusted": two_sided_p(stayed, n, float(stayed.sum()), float(n.sum())),
    }
    if "value" in acquired.table:
        value = acquired.table["value"].to_numpy()
        mean, error, low, high = mean_interval(
            total(value)[kept], total(value**2)[kept], n, confidence_level
        )
        best = total(acquired.table["valuable"])[kept]
        columns |= {
            "value_per_customer": mean,
            "value_low": low,
            "value_high": high,
            "value_shrunk": shrunk_means(mean, np.nan_to_num(error) ** 2 * n, n),
            "valuable": best.astype(np.int64),
            "index": 100 * (best / best.sum()) / (n / n.sum()),
        }
        if cost is not None:
            spent = total(cost)[kept]
            columns |= {
                "cost_per_customer": spent / n,
                "net_value_per_customer": mean - spent / n,
                "payback_days": _payback(acquired, codes, len(names), seen, cost)[kept],
            }
    return pd.DataFrame(columns)


def _payback(acquired: Acquired, codes: Ints, n_levels: int, seen: Bools, cost: Floats) -> Floats:
    """Return days since the first purchase until a level's money covers its cost; NaN if never."""
    rows = seen[acquired.row]
    window = int(acquired.age.max()) + 1
    cell = codes[acquired.row[rows]] * window + acquired.age[rows]
    money = np.asarray(acquired.money)[rows]
    daily = np.bincount(cell, weights=money, minlength=n_levels * window)
    earned = np.cumsum(daily.reshape(n_levels, window), axis=1)
    spent = np.bincount(codes[seen], weights=cost[seen], minlength=n_levels)
    covered = earned >= spent[:, None]
    return np.where(covered.any(axis=1), covered.argmax(axis=1), np.nan)
