"""Stability of rules: their lift in windows of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arrays import normal_quantile
from crmkit._checks import check_number
from crmkit._frames import day_column
from crmkit.basket._math.cover import cover_of
from crmkit.basket._report.count import add_up, read_sets
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
        * ``support`` (float) - share of the window's orders with both sides.
        * ``confidence`` (float) - share of the antecedent's orders that hold the consequent;
          missing where there is no such order.
        * ``lift`` (float) - confidence over the consequent's support; missing where a side is not
          bought in the window.
        * ``conf_low`` (float) - lower limit of lift, by the delta method on its logarithm.
        * ``conf_high`` (float) - upper limit of lift; missing where there is no order with both.
        * ``p_stable`` (float) - chance of windows as different as these if the lift were the same
          in all (Cochran's Q on log lift); the same in all rows of a rule.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a rule names an item that is not in the log, or there are fewer days than windows.

    Notes
    -----
    Windows without an order with both sides have no part in ``p_stable``: a rule that died is not
    noticed. Of pairs that chance brings together once per window, intervals of 95 % hold 91 %.

    References
    ----------
    .. [1] Cochran, W. G. (1954). The combination of estimates from different experiments.
       *Biometrics* 10(1), 101-129.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> rules = basket.association_rules(basket.frequent_itemsets(log)).head(2)
    >>> len(basket.rule_windows(rules, log, n_windows=3))
    6
    """
    n_windows = check_number(n_windows, "n_windows")
    confidence_level = check_number(confidence_level, "confidence_level")
    lines = read_baskets(transactions, unit=unit, may_lack=("customer_id",), as_of=as_of)
    left, right = read_sets(rules, "rules", lines)
    first, n_days = int(lines.log.day.min()), lines.log.as_of - int(lines.log.day.min()) + 1
    if n_days < n_windows:
        raise InputError(
            f"`n_windows` is {n_windows} but the log has {n_days} day(s). Ask for fewer."
        )
    window = (lines.log.day - first) * n_windows // n_days
    counts, orders = _window_counts(lines, window, n_windows, (left, right))
    a, c, x = (counts[part].astype(float) for part in range(3))
    n = np.broadcast_to(orders.astype(float), x.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence = x / a
        lift = x * n / (a * c)
        variance = 1 / x - 1 / a - 1 / c + 1 / n + 2 * (lift - 1) / n
        error = np.where(x > 0, np.sqrt(np.maximum(variance, 0)), np.nan)
        stable = _homogeneity(np.log(lift), error)
    z = normal_quantile(confidence_level)
    edge = -(-np.arange(n_windows + 1) * n_days // n_windows)  # first day number of each window
    return pd.DataFrame(
        {
            "antecedent": np.repeat(object_column(left), n_windows),
            "consequent": np.repeat(object_column(right), n_windows),
            "window_start": np.tile(day_column(first + edge[:-1]), len(left)),
            "window_end": np.tile(day_column(first + edge[1:] - 1), len(left)),
            "orders": n.ravel().astype(np.int64),
            "count": counts[2].ravel(),
            "support": (x / np.maximum(n, 1)).ravel(),
            "confidence": confidence.ravel(),
            "lift": lift.ravel(),
            "conf_low": np.where(x > 0, lift * np.exp(-z * error), lift).ravel(),
            "conf_high": (lift * np.exp(z * error)).ravel(),
            "p_stable": np.repeat(stable, n_windows),
        }
    )


def _window_counts(
    lines: BasketLog, window: Any, n_windows: int, sets: tuple[Tuples, Tuples]
) -> tuple[Any, Any]:
    """Count both sides and their union in each window, shape (3, m, n_windows), and all orders."""
    if lines.log.has("order_id"):
        # an order over several days belongs to the window it began in
        began = np.full(lines.n_baskets, n_windows)
        np.minimum.at(began, lines.row_basket, window)
        window = began[lines.row_basket]
    key, basket = np.unique(lines.row_basket * n_windows + window, return_inverse=True)
    window_of = key % n_windows
    cover = cover_of(basket[lines.line], lines.item, n_baskets=len(key), n_items=len(lines.items))
    unions = [(*a, *b) for a, b in zip(*sets, strict=True)]
    counts = np.stack(
        [
            add_up(cover, lines, some, {}, group=window_of, n_groups=n_windows)[0]
            for some in (*sets, unions)
        ]
    )
    return counts, np.bincount(window_of, minlength=n_windows)


def _homogeneity(estimate: Any, error: Any) -> Any:
    """Return the p-value of Cochran's Q per row, shape (m,), over the known estimates."""
    known = np.isfinite(estimate) & (error > 0)
    weight = np.where(known, 1 / np.where(known, error, 1.0) ** 2, 0.0)
    value = np.where(known, estimate, 0.0)
    total = np.maximum(weight.sum(axis=1), 1e-300)
    centre = (weight * value).sum(axis=1) / total
    q = (weight * (value - centre[:, None]) ** 2).sum(axis=1)
    degrees = known.sum(axis=1) - 1
    return np.where(degrees > 0, special.chdtrc(np.maximum(degrees, 1), q), 1.0)
