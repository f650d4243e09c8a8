"""Stability of rules: their lift in windows of time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit._frames import day_column
from crmkit._two_steps import in_two_steps
from crmkit.basket._math.cover import cover_of
from crmkit.basket._math.stability import chance_if_stable, lift_limits
from crmkit.basket._report.count import add_up, order_of, over_parts, with_items
from crmkit.basket._report.read import read_sides
from crmkit.basket._table.baskets import BasketLog, object_column, read_baskets
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit.basket._report.read import Tuples
    from crmkit.basket._table.baskets import Unit


def rule_windows(
    rules: Any,
    transactions: Any,
    *,
    n_windows: int = 4,
    unit: Unit = "order",
    confidence_level: float = 0.95,
    as_of: Any = None,
) -> pd.DataFrame:
    """Follow rules through time: tell whether their lift is stable.

    Parameters
    ----------
    rules : pandas.DataFrame
        Any table with columns ``antecedent`` and ``consequent``, whole or in part; of `item_pairs`
        the rule from ``item_a`` to ``item_b``.
    transactions : DataFrame
        The log with ``customer_id``, ``date``, ``product`` and, if there is one, ``order_id``. An
        order belongs to the window of its first day, a refund to none.
    n_windows : int, default 4
        Number of windows of (almost) equally many days from the first to the last day.
    unit : {"order", "customer"}
        Whether together means in one order or by one customer within the window; then read
        customers for orders below.
    confidence_level : float, default 0.95
        Level of the interval of lift.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per rule and window, rules by length and items:

        * ``antecedent`` (tuple) - as given.
        * ``consequent`` (tuple) - as given.
        * ``window_start`` (datetime) - first day of the window.
        * ``window_end`` (datetime) - last day of the window.
        * ``orders`` (int) - all orders in the window.
        * ``count`` (int) - orders with both sides.
        * ``customers`` (int) - customers with such an order in the window.
        * ``support`` (float) - share of the window's orders with both sides.
        * ``confidence`` (float) - share of the antecedent's orders that hold the consequent;
          missing where there is no such order.
        * ``lift`` (float) - confidence over the consequent's support; missing where a side is not
          bought in the window.
        * ``conf_low`` (float) - lower limit of lift, by the delta method on its logarithm; with few
          orders exact, by Poisson's distribution of ``count``.
        * ``conf_high`` (float) - upper limit of lift, likewise; missing where a side is not bought.
        * ``p_stable`` (float) - chance of windows as different as these if the lift were the same
          in all; the same in all rows of a rule. By counts, so that windows without an order with
          both count, too: exact where there are fewer than 64 such orders in all, else by
          Pearson's statistic.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a rule names an item that is not in the log, or there are fewer days than windows.

    Notes
    -----
    If the lift is the same in all windows, the orders with both sides fall into them in proportion
    to what independence expects there. Few are tested window by window against all others by the
    exact binomial test, adjusted for the number of windows, and many by Pearson's statistic with
    the variance that the counts of both sides leave [1]_. Both take orders as independent.

    References
    ----------
    .. [1] Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence
       intervals for the risk ratio in cohort studies. *Biometrics* 34(3), 469-474.
    .. [2] Garwood, F. (1936). Fiducial limits for the Poisson distribution. *Biometrika* 28(3/4),
       437-442.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> rules = basket.association_rules(basket.frequent_itemsets(log)).head(2)
    >>> len(basket.rule_windows(rules, log, n_windows=3))
    6
    """
    lines = _read(transactions, unit, as_of)
    days = _days(lines)
    counted = _by_window(lines, rules, n_windows, days)
    return _followed(
        counted, rules=rules, n_windows=n_windows, confidence_level=confidence_level, days=days
    )


def _read(transactions: Any, unit: Unit, as_of: Any) -> BasketLog:
    return read_baskets(transactions, unit=unit, may_lack=("customer_id",), as_of=as_of)


def _days(lines: BasketLog) -> tuple[int, int]:
    """Return the first day and the last day observed."""
    return int(lines.log.day.min()), lines.log.as_of


def _find_days(transactions: Any, *, unit: Unit, as_of: Any) -> pd.DataFrame:
    """Tell of the days of a part."""
    return pd.DataFrame([_days(_read(transactions, unit, as_of))], columns=["first", "last"])


def _all_days(found: pd.DataFrame) -> tuple[int, int]:
    return int(found["first"].min()), int(found["last"].max())


def _count_windows(
    transactions: Any, *, rules: Any, n_windows: int, unit: Unit, as_of: Any, days: tuple[int, int]
) -> pd.DataFrame:
    """Count the orders of a part by rule and window, and name its items."""
    return _by_window(_read(transactions, unit, as_of), rules, n_windows, days)


def _by_window(lines: BasketLog, rules: Any, n_windows: int, days: tuple[int, int]) -> pd.DataFrame:
    n_windows = check_number(n_windows, "n_windows")
    left, right = read_sides(rules, "rules")
    first, n_days = days[0], days[1] - days[0] + 1
    window = (lines.log.day - first) * n_windows // n_days
    counts, customers, orders = _window_counts(lines, window, n_windows, (left, right))
    sums = {
        "antecedent": counts[0].ravel(),
        "consequent": counts[1].ravel(),
        "both": counts[2].ravel(),
        "customers": customers.ravel(),
        "orders": np.tile(orders, len(left)),
    }
    return with_items(sums, lines.items)


def _followed(
    counted: pd.DataFrame,
    *,
    rules: Any,
    n_windows: int,
    confidence_level: float,
    days: tuple[int, int],
) -> pd.DataFrame:
    """Describe rules by their counts in the windows of all parts."""
    confidence_level = check_number(confidence_level, "confidence_level")
    sums, items = over_parts(counted)
    sides = read_sides(rules, "rules")
    order = order_of(sides, "rules", items)
    first, n_days = days[0], days[1] - days[0] + 1
    if n_days < n_windows:
        raise InputError(
            f"`n_windows` is {n_windows} but the log has {n_days} day(s). Ask for fewer."
        )
    left, right = ([side[row] for row in order] for side in sides)
    shape = (len(order), n_windows)
    counts = {name: sums[name].to_numpy().reshape(shape)[order] for name in sums}
    a, c, x, n = (
        counts[name].astype(float) for name in ("antecedent", "consequent", "both", "orders")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence = x / a
        lift = x * n / (a * c)
    low, high = lift_limits(x, a, c, n, confidence_level)
    stable = chance_if_stable(x, a, c, n)
    edge = -(-np.arange(n_windows + 1) * n_days // n_windows)  # first day number of each window
    return pd.DataFrame(
        {
            "antecedent": np.repeat(object_column(left), n_windows),
            "consequent": np.repeat(object_column(right), n_windows),
            "window_start": np.tile(day_column(first + edge[:-1]), len(left)),
            "window_end": np.tile(day_column(first + edge[1:] - 1), len(left)),
            "orders": counts["orders"].ravel(),
            "count": counts["both"].ravel(),
            "customers": counts["customers"].ravel(),
            "support": (x / np.maximum(n, 1)).ravel(),
            "confidence": confidence.ravel(),
            "lift": lift.ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
            "p_stable": np.repeat(stable, n_windows),
        }
    )


in_two_steps(
    rule_windows,
    table="transactions",
    before=[("days", _find_days, _all_days)],
    first=_count_windows,
    rest=_followed,
    by_order=True,
)


def _window_counts(
    lines: BasketLog, window: Any, n_windows: int, sets: tuple[Tuples, Tuples]
) -> tuple[Any, Any, Any]:
    """Count by window: both sides and their union, the union's customers, and all orders.

    Shapes (3, m, n_windows), (m, n_windows) and (n_windows,).
    """
    if lines.log.has("order_id"):
        # an order over several days belongs to the window it began in
        began = np.full(lines.n_baskets, n_windows)
        np.minimum.at(began, lines.row_basket, window)
        window = began[lines.row_basket]
    key, basket = np.unique(lines.row_basket * n_windows + window, return_inverse=True)
    window_of = key % n_windows
    cover = cover_of(basket[lines.line], lines.item, n_baskets=len(key), n_items=len(lines.items))
    unions = [(*a, *b) for a, b in zip(*sets, strict=True)]
    count = partial(add_up, cover, lines, weights={}, group=window_of, n_groups=n_windows)
    counts = np.stack([count(some)[0] for some in (*sets, unions)])
    customer = lines.customer_of_basket()[key // n_windows]
    return counts, count(unions, customer=customer)[0], np.bincount(window_of, minlength=n_windows)
