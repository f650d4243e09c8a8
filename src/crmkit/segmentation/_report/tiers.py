"""Curry's customer pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_mapping, columns_named
from crmkit._checks import Problems, check_number, number_array, quoted
from crmkit._frames import read_customers
from crmkit.errors import InputError
from crmkit.segmentation._math import value_tiers as tier_codes
from crmkit.segmentation._report.profit import read_value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["value_tiers"]

INACTIVE = "inactive"
CURRY = {"top": 0.01, "big": 0.04, "medium": 0.15, "small": 0.80}


def value_tiers(
    profit: Any,
    *,
    value: str = "profit",
    tiers: Mapping[str, float] | None = None,
    active: str | None = None,
) -> pd.DataFrame:
    """Put every customer into a tier of the customer pyramid.

    Parameters
    ----------
    profit : DataFrame
        One row per customer with a value column, such as the table of :func:`customer_profit`.
    value : str, default "profit"
        The column to rank by.
    tiers : dict of str to float, optional
        Names and shares of customers from the best tier to the last, adding up to 1. The default
        is Curry's top 1%, big 4%, medium 15% and small 80% [1]_.
    active : str, optional
        Column that is true or 1 for customers who bought in the period. The others are not ranked
        and stand in a last tier, ``inactive``. Without it all are ranked.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `profit`:

        * ``customer_id`` - as given.
        * ``value`` (float) - what the customer is ranked by.
        * ``segment`` (str) - name of the tier.

    Raises
    ------
    MissingColumnsError
        If `profit` lacks the column.
    InputError
        If a value is missing or infinite, or the shares do not add up to 1.

    See Also
    --------
    segment_overview : Customers and money of each tier.

    Notes
    -----
    The tier follows from the share of customers with strictly more value. Equal customers are in
    the same tier, so a tier may hold more than its share.

    References
    ----------
    .. [1] Curry, J. and Curry, A. (2000). *The Customer Marketing Method*. Free Press.

    Examples
    --------
    >>> import pandas as pd
    >>> profit = pd.DataFrame({"customer_id": [1, 2, 3, 4], "profit": [-30.0, 80.0, 50.0, 50.0]})
    >>> value_tiers(profit, tiers={"best": 0.25, "good": 0.25, "rest": 0.5})
       customer_id  value segment
    0            1  -30.0    rest
    1            2   80.0    best
    2            3   50.0    good
    3            4   50.0    good
    """
    tiers = CURRY if tiers is None else tiers
    tiers = check_mapping(tiers, "tiers", "names to shares")
    shares = [check_number(share, f"tiers[{quoted(name)}]") for name, share in tiers.items()]
    if abs(sum(shares) - 1) > 1e-9:
        raise InputError(
            f"`tiers` must have shares that add up to 1; they add up to {sum(shares):g}."
        )
    names = [str(name) for name in tiers]
    ids, values = read_value(profit, value)
    ranked = np.ones(values.size, dtype=bool)
    if active is not None:
        needs = columns_named(active=active)
        frame = read_customers(profit, needs=needs, optional=(), name="profit")
        problems = Problems("profit")
        ranked = number_array(frame[active], problems, active) != 0
        problems.raise_if_any()
    codes = np.full(values.size, len(names))
    codes[ranked] = tier_codes(values[ranked], np.array(shares[:-1]))
    segment = pd.Series(np.array([*names, INACTIVE], dtype=object)[codes]).astype(str)
    return pd.DataFrame({"customer_id": ids, "value": values, "segment": segment})
