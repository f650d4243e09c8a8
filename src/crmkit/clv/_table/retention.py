"""Value at constant margin and retention: the closed forms for contracts and back envelopes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, check_number, check_optional, number_array
from crmkit._frames import read_customers
from crmkit.clv._math.accounting import margin_multiple, period_rate
from crmkit.errors import InputError

__all__ = ["retention_value"]

Timing = Literal["after_renewal", "period_end", "now"]


def retention_value(
    customers: Any,
    *,
    annual_discount_rate: float,
    period_days: float = 365,
    n_periods: int | None = None,
    growth: float = 0.0,
    first_payment: Timing = "after_renewal",
) -> pd.DataFrame:
    """Value customers who pay a constant margin per period and stay with a constant probability.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with ``customer_id``, ``margin`` (amount per period),
        ``retention_rate`` (probability to stay for the next period) and, if there was one,
        ``acquisition_cost``.
    annual_discount_rate : float
        Rate per year, such as 0.10; converted to the period by compounding.
    period_days : float
        Length of a period; 365 is a year, 365 / 12 a month.
    n_periods : int, optional
        Payments to count. Default: an infinite life.
    growth : float
        Growth of the margin per period, such as 0.02; from the second payment on.
    first_payment : {"after_renewal", "period_end", "now"}
        ``"after_renewal"``: at the end of the first period, by those who stay (Gupta and
        Lehmann's multiple). ``"period_end"``: at the end of the first period, by all.
        ``"now"``: today, by all.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``margin_multiple`` (float) - value of one unit of margin per period.
        * ``lifetime_value`` (float) - margin x multiple - acquisition cost, amount.

    Raises
    ------
    MissingColumnsError
        If ``margin`` or ``retention_rate`` is missing.
    InputError
        If a retention rate lies outside 0 to 1, or an infinite life has infinite value because
        retention and growth outrun the discount rate.

    Notes
    -----
    With retention r, rate i and growth g per period an infinite life is worth
    ``r / (1 + i - r (1 + g))`` margins [1]_. The multiple assumes that retention stays constant;
    in a mixed base it rises with tenure, because those likely to leave have left, and the
    constant-rate formula undervalues those who stayed [2]_.

    References
    ----------
    .. [1] Gupta, S. and Lehmann, D. R. (2003). Customers as assets. Journal of Interactive
       Marketing 17(1), 9-24.
    .. [2] Fader, P. S. and Hardie, B. G. S. (2010). Customer-base valuation in a contractual
       setting: the perils of ignoring heterogeneity. Marketing Science 29(1), 85-93.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "margin": [100.0, 100.0], "retention_rate": [0.9, 0.6]
    ... })
    >>> clv.retention_value(customers, annual_discount_rate=0.10).round(3)
      customer_id  margin_multiple  lifetime_value
    0         ann              4.5           450.0
    1         bob              1.2           120.0
    """
    table = read_customers(customers, needs=("margin", "retention_rate"))
    check_choice(first_payment, "first_payment", Timing)
    rate = check_number(annual_discount_rate, "annual_discount_rate")
    days = check_number(period_days, "period_days")
    growth = check_number(growth, "growth")
    n_periods = check_optional(n_periods, "n_periods")
    problems = Problems("customers")
    margin = number_array(table["margin"], problems, "margin")
    retention = number_array(table["retention_rate"], problems, "retention_rate", low=0.0)
    problems.rows(
        retention > 1.0,
        "column 'retention_rate' is above 1",
        do="Give a probability: 85% is 0.85.",
        values=table["retention_rate"].tolist(),
    )
    cost = np.zeros(len(table))
    if "acquisition_cost" in table.columns:
        cost = number_array(table["acquisition_cost"], problems, "acquisition_cost")
    problems.raise_if_any()
    multiple = margin_multiple(
        retention,
        rate=period_rate(rate, days),
        growth=growth,
        n_periods=n_periods,
        first_payment=first_payment,
    )
    endless = np.isinf(multiple)
    if endless.any():
        raise InputError(
            f"`customers`: {int(endless.sum()):,} of {len(table):,} rows have an infinite value "
            f"(first at row {int(np.argmax(endless))}), because retention and `growth` outrun the "
            "discount rate. Say `n_periods`, or raise `annual_discount_rate`."
        )
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "margin_multiple": multiple,
            "lifetime_value": margin * multiple - cost,
        }
    )
