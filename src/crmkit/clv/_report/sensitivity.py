"""What a change of each factor of TAPK is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit.clv._table import tapk

__all__ = ["tapk_sensitivity"]

FACTORS = ("transactions", "items_per_transaction", "price", "acquisition_cost")


def tapk_sensitivity(customers: Any, *, change: float = 0.10) -> pd.DataFrame:
    """Tell what the customer base gains if one factor of TAPK changes and the others stay.

    T, A and P multiply, so the same relative change of any of them is worth the same: the
    question a manager has to answer is which of them is easiest to move. K adds up and is
    usually worth less, except where customers are won dearly and buy little.

    Parameters
    ----------
    customers : DataFrame
        What :func:`tapk` reads, such as a :func:`tapk_table`.
    change : float
        Relative change of each factor; 0.10 is 10% more.

    Returns
    -------
    pandas.DataFrame
        One row per factor, T, A, P and K:

        * ``factor`` (str) - the column that changes.
        * ``mean`` (float) - its mean over customers, before.
        * ``changed_mean`` (float) - its mean over customers, after.
        * ``lifetime_value`` (float) - value of all customers before, amount.
        * ``changed_lifetime_value`` (float) - value of all customers after, amount.
        * ``value_change`` (float) - the difference, amount.
        * ``value_change_per_customer`` (float) - the same per customer, amount.
        * ``customers_in_profit`` (int) - customers with a positive value after the change.

    Raises
    ------
    MissingColumnsError
        If a factor is missing.
    InputError
        If a factor is not a finite number, or `change` is below -1.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"],
    ...     "transactions": [20, 2],
    ...     "items_per_transaction": [3.0, 1.0],
    ...     "price": [5.0, 8.0],
    ...     "acquisition_cost": [40.0, 40.0],
    ... })
    >>> clv.tapk_sensitivity(customers)[["factor", "mean", "value_change"]]
                      factor  mean  value_change
    0           transactions  11.0          31.6
    1  items_per_transaction   2.0          31.6
    2                  price   6.5          31.6
    3       acquisition_cost  40.0          -8.0
    """
    change = check_number(change, "change")
    before = tapk(customers)
    rows = []
    for factor in FACTORS:
        after = tapk(before.assign(**{factor: before[factor] * (1.0 + change)}))
        # Summing the differences keeps the digits that two large totals would lose.
        gain = float(np.sum(after["lifetime_value"] - before["lifetime_value"]))
        rows.append(
            {
                "factor": factor,
                "mean": before[factor].mean(),
                "changed_mean": after[factor].mean(),
                "lifetime_value": before["lifetime_value"].sum(),
                "changed_lifetime_value": after["lifetime_value"].sum(),
                "value_change": gain,
                "value_change_per_customer": gain / len(before),
                "customers_in_profit": int((after["lifetime_value"] > 0.0).sum()),
            }
        )
    return pd.DataFrame(rows)
