"""Whether those who buy more often also spend more: the assumption under purchases x spend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_number
from crmkit._frames import read_customers
from crmkit.clv._report.numbers import numbers
from crmkit.errors import InputError

__all__ = ["spend_frequency_correlation"]


def spend_frequency_correlation(customers: Any, *, confidence_level: float = 0.95) -> pd.DataFrame:
    """Test whether frequency and spend per purchase hang together.

    Multiplying expected purchases by expected spend is right only if they do not. A small
    correlation does little harm, even where a large base makes it significant; with a strong
    one, give the spend model a covariate that carries it, or fit by group.

    Parameters
    ----------
    customers : DataFrame
        A :func:`purchase_table`. Only customers with a repeat purchase and a positive
        ``monetary_value`` count.
    confidence_level : float
        Level of the intervals (Fisher's transformation).

    Returns
    -------
    pandas.DataFrame
        One row per measure:

        * ``measure`` (str) - ``"pearson"``, ``"pearson_log"`` (of the logarithms, which a few
          large customers do not dominate) or ``"spearman"`` (of the ranks).
        * ``customers`` (int) - customers that count.
        * ``correlation`` (float) - -1 to 1.
        * ``std_error`` (float) - of the correlation.
        * ``conf_low`` (float) - lower limit.
        * ``conf_high`` (float) - upper limit.
        * ``p_value`` (float) - two-sided, of no correlation.

    Raises
    ------
    MissingColumnsError
        If ``frequency`` or ``monetary_value`` is missing.
    InputError
        If fewer than four customers count, or all have the same frequency or spend.

    Notes
    -----
    Fisher's transformation is made for normal values, which frequencies and amounts are not:
    intervals of 95 % hold 92 % of Pearson's correlations of 300 customers, and
    81 % where a tenth of the customers brings half the money. Those of logarithms and ranks hold.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(6),
    ...     "frequency": [1, 2, 3, 4, 5, 0],
    ...     "monetary_value": [20.0, 35.0, 18.0, 30.0, 26.0, 0.0],
    ... })
    >>> table = clv.spend_frequency_correlation(customers)
    >>> table[["measure", "customers", "correlation"]].round(2)
           measure  customers  correlation
    0      pearson          5         0.16
    1  pearson_log          5         0.26
    2     spearman          5         0.10
    """
    from scipy.stats import rankdata, t

    level = check_number(confidence_level, "confidence_level")
    table = read_customers(customers, needs=("frequency", "monetary_value"))
    columns = numbers(table, ("frequency", "monetary_value"), name="customers")
    counts = (columns["frequency"] > 0.0) & (columns["monetary_value"] > 0.0)
    often, spend = columns["frequency"][counts], columns["monetary_value"][counts]
    n = often.size
    if n < 4 or np.ptp(often) == 0.0 or np.ptp(spend) == 0.0:
        raise InputError(
            f"`customers`: {n:,} customers have a repeat purchase and a positive "
            "`monetary_value`; a correlation needs four, with differing values."
        )
    pairs = {
        "pearson": (often, spend),
        "pearson_log": (np.log(often), np.log(spend)),
        "spearman": (rankdata(often), rankdata(spend)),
    }
    rows = []
    for measure, (left, right) in pairs.items():
        r = float(np.clip(np.corrcoef(left, right)[0, 1], -1.0, 1.0))
        size = float(np.sqrt((n - 2) / max(1.0 - r * r, 1e-300)))
        z, width = float(np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))), normal_quantile(level)
        rows.append(
            {
                "measure": measure,
                "customers": n,
                "correlation": r,
                "std_error": float(np.sqrt((1.0 - r * r) / (n - 2))),
                "conf_low": float(np.tanh(z - width / np.sqrt(n - 3))),
                "conf_high": float(np.tanh(z + width / np.sqrt(n - 3))),
                "p_value": float(2.0 * t.sf(abs(r) * size, n - 2)),
            }
        )
    return pd.DataFrame(rows)
