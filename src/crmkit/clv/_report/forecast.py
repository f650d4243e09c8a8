"""How well a held-out period was foreseen, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arrays import mean_interval, rank_bins
from crmkit._checks import check_choice, check_number
from crmkit._frames import read_customers, rows_of, with_account, without
from crmkit.clv._report.numbers import numbers

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["forecast_table"]

ForecastGroups = Literal["frequency", "expected_purchases"]


def forecast_table(
    customers: Any,
    predictions: Any,
    *,
    by: ForecastGroups = "frequency",
    n_groups: int = 8,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare purchases in the hold-out period with what was expected, per group of customers.

    A model may be right on the whole and wrong for the best customers; the groups show where.
    The interval says how far chance alone moves a group's mean: an expectation outside it is
    an error of the model.

    Parameters
    ----------
    customers : DataFrame
        A :func:`holdout_table`: ``customer_id``, ``frequency``, ``holdout_frequency``.
    predictions : DataFrame
        ``customer_id`` and ``expected_purchases`` over the hold-out period, as a purchase
        model's ``predict(customers, horizon_days=...)`` gives.
    by : {"frequency", "expected_purchases"}
        Groups of customers with the same number of past purchases (the last group is open), or
        of equal size by what was expected of them (customers with equal expectation stay
        together).
    n_groups : int
        How many groups, at most.
    confidence_level : float
        Level of the interval for the actual mean.

    Returns
    -------
    pandas.DataFrame
        One row per group that has customers, lowest first:

        * ``group`` (str) - past purchases, such as ``"0"`` or ``"7+"``; or the rank of the
          group by expectation, ``"1"`` the lowest.
        * ``customers`` (int) - customers in the group.
        * ``expected_mean`` (float) - expected purchases per customer.
        * ``actual_mean`` (float) - purchases per customer.
        * ``std_error`` (float) - of the actual mean; NaN for a group of one.
        * ``conf_low`` (float) - lower limit of the actual mean; NaN for a group of one.
        * ``conf_high`` (float) - upper limit of the actual mean; NaN for a group of one.
        * ``expected_total`` (float) - expected purchases of the group.
        * ``actual_total`` (float) - purchases of the group.
        * ``bias`` (float) - expected minus actual total.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If a customer has no prediction.

    Notes
    -----
    Where a group has few purchases, the limits of its mean are too narrow: with 60 customers of
    whom most buy nothing, intervals of 95 % hold 89 % of expectations that are right.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": [1, 2, 3, 4],
    ...     "frequency": [0, 0, 1, 3],
    ...     "holdout_frequency": [0, 1, 1, 4],
    ... })
    >>> predictions = pd.DataFrame({
    ...     "customer_id": [1, 2, 3, 4], "expected_purchases": [0.25, 0.25, 0.75, 3.0]
    ... })
    >>> table = clv.forecast_table(customers, predictions, n_groups=3)
    >>> table[["group", "customers", "expected_mean", "actual_mean", "bias"]]
      group  customers  expected_mean  actual_mean  bias
    0     0          2           0.25          0.5 -0.50
    1     1          1           0.75          1.0 -0.25
    2    2+          1           3.00          4.0 -1.00
    """
    check_choice(by, "by", ForecastGroups)
    n_groups = check_number(n_groups, "n_groups")
    level = check_number(confidence_level, "confidence_level")
    table = read_customers(customers, needs=("frequency", "holdout_frequency"))
    told = read_customers(predictions, needs=["expected_purchases"], name="predictions")
    row = rows_of(
        table["customer_id"],
        told["customer_id"],
        name="customers",
        other="predictions",
        do="Predict for the same table.",
    )
    past = numbers(table, ("frequency", "holdout_frequency"), name="customers", low=0.0)
    actual = past["holdout_frequency"]
    foreseen = numbers(told, ("expected_purchases",), name="predictions", low=0.0)
    expected = foreseen["expected_purchases"][row]
    if by == "frequency":
        group = np.minimum(past["frequency"], n_groups - 1).astype(np.int64)
        labels = [str(value) for value in range(n_groups)]
        labels[-1] += "+"
    else:
        group = rank_bins(expected, n_groups)
        labels = [str(value + 1) for value in range(n_groups)]
    result = _compare(group, labels, actual, expected, level)
    return with_account(result, {"predictions_unmatched": without(row, len(told))})


def _compare(
    group: Ints,
    labels: list[str],
    actual: Floats,
    expected: Floats,
    level: float,
) -> pd.DataFrame:
    """Sum actual and expected by group code, both of shape (n,)."""
    size = np.bincount(group, minlength=len(labels))
    there = np.flatnonzero(size)
    actual_total = np.bincount(group, weights=actual, minlength=len(labels))[there]
    squares = np.bincount(group, weights=actual**2, minlength=len(labels))[there]
    expected_total = np.bincount(group, weights=expected, minlength=len(labels))[there]
    size = size[there]
    mean, error, low, high = mean_interval(actual_total, squares, size, level)
    return pd.DataFrame(
        {
            "group": [labels[code] for code in there],
            "customers": size,
            "expected_mean": expected_total / size,
            "actual_mean": mean,
            "std_error": error,
            "conf_low": low,
            "conf_high": high,
            "expected_total": expected_total,
            "actual_total": actual_total,
            "bias": expected_total - actual_total,
        }
    )
