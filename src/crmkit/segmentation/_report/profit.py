"""How profit is spread over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import read_customers
from crmkit.segmentation import _math

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["whale_curve"]


def read_value(table: Any, value: str, name: str = "profit") -> tuple[pd.Series[Any], Floats]:
    """Return ids and one column as floats."""
    frame = read_customers(table, needs=columns_named(value=value), optional=(), name=name)
    problems = Problems(name)
    values = number_array(frame[value], problems, value)
    problems.raise_if_any()
    return frame["customer_id"], values


def whale_curve(profit: Any, *, value: str = "profit", max_points: int = 1000) -> pd.DataFrame:
    """Cumulate profit from the best customer to the worst.

    Parameters
    ----------
    profit : DataFrame
        The table of :func:`customer_profit`, or any table of customers with a value column.
    value : str, default "profit"
        The column to cumulate.
    max_points : int, default 1000
        Number of points, evenly spread over customers; the peak is always one of them. With
        fewer customers each has its point.

    Returns
    -------
    pandas.DataFrame
        One row per point:

        * ``customers`` (int) - number of best customers, from 0 to all.
        * ``share_of_customers`` (float) - the same as a share.
        * ``cumulative_profit`` (float) - what these customers earn together.

    Raises
    ------
    MissingColumnsError
        If `profit` lacks the column.
    InputError
        If a value is missing or infinite.

    See Also
    --------
    segment_overview : Profit, loss-makers and what they lose in one row, or per segment.

    Notes
    -----
    The curve rises as long as customers earn more than they cost and falls where they cost
    more. How high and how early it peaks differs from firm to firm; no shape is assumed.

    Examples
    --------
    >>> import pandas as pd
    >>> profit = pd.DataFrame({"customer_id": [1, 2, 3, 4], "profit": [-30.0, 80.0, 50.0, 0.0]})
    >>> whale_curve(profit)
       customers  share_of_customers  cumulative_profit
    0          0                0.00                0.0
    1          1                0.25               80.0
    2          2                0.50              130.0
    3          3                0.75              130.0
    4          4                1.00              100.0
    """
    max_points = check_number(max_points, "max_points")
    _, values = read_value(profit, value)
    curve = _math.whale_curve(values)
    n = values.size
    even = np.rint(np.linspace(0, n, min(max_points, n + 1))).astype(np.int64)
    customers = np.union1d(even, [curve.customers_at_peak])
    return pd.DataFrame(
        {
            "customers": customers,
            "share_of_customers": customers / n,
            "cumulative_profit": curve.cumulative[customers],
        }
    )
