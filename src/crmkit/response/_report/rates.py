"""Response rates of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import columns_named
from crmkit._arrays import adjust_p_values, wilson_interval
from crmkit._checks import check_number
from crmkit._frames import group_codes, read_by, read_customers
from crmkit._learn import read_outcome
from crmkit.response._math.rates import group_against_rest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["response_rates"]

_COLUMNS = [
    "customers",
    "contacted",
    "responders",
    "rate",
    "conf_low",
    "conf_high",
    "index",
    "p_value",
    "p_adjusted",
]


def response_rates(
    customers: Any,
    *,
    outcome: str,
    by: str | Sequence[str],
    min_customers: int = 1,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare the response rates of groups of customers.

    A customer whose outcome is missing was not contacted: such customers are counted, but they
    are neither responders nor refusals and enter no rate.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id``, the outcome and the columns of `by`.
    outcome : str
        Column with the outcome: 1 (or True) for a response, 0 for none, missing for not
        contacted.
    by : str or list of str
        Columns that make the groups; customers without a value are a group of their own.
        Several are crossed.
    min_customers : int, default 1
        Groups with fewer contacted customers are shown but not tested.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group, in the order of the levels:

        * one column per name in `by`, with the group's levels.
        * ``customers`` (int) - customers in the group.
        * ``contacted`` (int) - those whose outcome is known.
        * ``responders`` (int) - those with outcome 1.
        * ``rate`` (float) - responders / contacted; missing where nobody was contacted.
        * ``conf_low``, ``conf_high`` (float) - Wilson's interval of the rate.
        * ``index`` (float) - 100 x rate / rate of all contacted customers.
        * ``p_value`` (float) - two-sided test of the group against all others; missing where
          fewer than `min_customers` were contacted.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg, over the groups tested.

    Raises
    ------
    InputError
        If the outcome is not 0 or 1, or missing everywhere.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association, 22, 209-212.

    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the
    Royal Statistical Society B, 57, 289-300.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(1, 9),
    ...         "channel": ["shop", "shop", "web", "web", "web", "web", "shop", "shop"],
    ...         "responded": [1, 0, 1, 1, 1, 0, None, 0],
    ...     }
    ... )
    >>> rates = response.response_rates(customers, outcome="responded", by="channel")
    >>> rates[["channel", "customers", "contacted", "responders", "rate"]].round(3)
      channel  customers  contacted  responders   rate
    0    shop          4          3           1  0.333
    1     web          4          4           3  0.750
    """
    columns = read_by(by, reserved=_COLUMNS, needed=True)
    least = check_number(min_customers, "min_customers")
    confidence_level = check_number(confidence_level, "confidence_level")
    people = read_customers(customers, needs=[*columns_named(outcome=outcome), *columns])
    result = read_outcome(people, outcome)
    codes, groups = group_codes(people, columns)
    m = len(groups)
    known = np.isfinite(result)
    contacted = np.bincount(codes, weights=known, minlength=m)
    responders = np.bincount(codes, weights=np.where(known, result, 0.0), minlength=m)
    n, k = float(contacted.sum()), float(responders.sum())
    rate = np.divide(responders, contacted, out=np.full(m, np.nan), where=contacted > 0)
    low, high = wilson_interval(responders, contacted, confidence_level)
    p = group_against_rest(responders, contacted, k, n)
    p = np.where(contacted >= least, p, np.nan)
    # Where nobody responded no group stands above or below the rest.
    index = 100 * rate / (k / n) if k else np.where(contacted > 0, 100.0, np.nan)
    counts = [
        counted.astype(np.int64)
        for counted in (np.bincount(codes, minlength=m), contacted, responders)
    ]
    values = [*counts, rate, low, high, index, p, adjust_p_values(p, "bh")]
    return groups.assign(**dict(zip(_COLUMNS, values, strict=True)))
