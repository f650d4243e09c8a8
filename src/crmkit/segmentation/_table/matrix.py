"""Two values per customer, cut into four quadrants with a strategy each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._frames import read_customers
from crmkit.errors import InputError
from crmkit.segmentation._math import snap_cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats


__all__ = ["frequency_value_matrix", "value_matrix"]

Cut = Literal["mean", "median"]
MatrixCut = Literal["mean", "median", "pooled_mean"]

# Quadrants in the order both high, only the first high, only the second high, both low.
MARCUS = [
    ("best", "keep: recognise them, give the best service, ask them to recommend"),
    ("frequent", "raise the value of an order: bundles, higher range, free delivery above a sum"),
    ("spender", "raise the number of orders: reminders, reasons to come back"),
    ("uncertain", "find out which are new and which are lost; spend little until known"),
]
VALUE = [
    ("star", "keep and grow: best service, personal contact, first to hear of new offers"),
    ("mainstay", "keep: reward loyalty, spend nothing on growth"),
    ("growth", "invest: cross-sell, win share of their spending from competitors"),
    ("marginal", "serve at low cost; where they lose money, change price or service"),
]


def frequency_value_matrix(
    rfm: Any, *, cut: MatrixCut | tuple[float, float] = "mean"
) -> pd.DataFrame:
    """Place each customer by number of purchases and value per purchase (Marcus 1998).

    Parameters
    ----------
    rfm : DataFrame
        The table of :func:`rfm_table`, or any table with ``customer_id``, ``frequency`` and
        ``monetary``.
    cut : {"mean", "median", "pooled_mean"} or (float, float), default "mean"
        Where high begins on each axis: above the mean or median of customers, or above a
        frequency and a value of your own. ``pooled_mean`` cuts value at the mean of all
        purchases (total money / number of purchases) instead of the mean of customers' means.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `rfm`:

        * ``customer_id`` - as given.
        * ``frequency`` (float) - as given.
        * ``monetary`` (float) - as given.
        * ``frequency_cut`` (float) - high frequency lies above it; the same in all rows.
        * ``monetary_cut`` (float) - high value lies above it; the same in all rows.
        * ``segment`` (str) - ``best`` (both high), ``frequent``, ``spender`` or ``uncertain``.
        * ``strategy`` (str) - what a marketer commonly does with the segment.

    Raises
    ------
    MissingColumnsError
        If `rfm` lacks a column.
    InputError
        If a value is missing or infinite, or `cut` is none of the above.

    Notes
    -----
    The cut moves many customers, so look at it: on the CDNOW log, with rows as purchases,
    ``best`` holds 2,771 customers by pooled mean, 3,241 by mean and 6,669 by median.

    References
    ----------
    .. [1] Marcus, C. (1998). A practical yet meaningful approach to customer segmentation.
       *Journal of Consumer Marketing*, 15(5), 494-504.

    Examples
    --------
    >>> import pandas as pd
    >>> rfm = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "frequency": [9, 8, 1, 2],
    ...         "monetary": [60.0, 10.0, 90.0, 20.0],
    ...     }
    ... )
    >>> matrix = frequency_value_matrix(rfm)
    >>> matrix[["customer_id", "frequency_cut", "monetary_cut", "segment"]]
       customer_id  frequency_cut  monetary_cut    segment
    0            1            5.0          45.0       best
    1            2            5.0          45.0   frequent
    2            3            5.0          45.0    spender
    3            4            5.0          45.0  uncertain
    """
    ids, (frequency, monetary) = _read(rfm, "rfm", ("frequency", "monetary"))
    cuts: tuple[float, float]
    if isinstance(cut, str):
        check_choice(cut, "cut", MatrixCut)
        if cut == "pooled_mean":
            purchases = float(frequency.sum())
            if purchases <= 0:
                raise InputError("`rfm` has no purchases to pool: column 'frequency' adds up to 0.")
            pooled = snap_cut(float(frequency @ monetary) / purchases, monetary)
            cuts = (_cut(frequency, "mean", "cut"), pooled)
        else:
            cuts = (_cut(frequency, cut, "cut"), _cut(monetary, cut, "cut"))
    elif isinstance(cut, (tuple, list)) and len(cut) == 2:
        cuts = (check_number(cut[0], "cut[0]"), check_number(cut[1], "cut[1]"))
    else:
        raise InputError(
            "`cut` must be 'mean', 'median', 'pooled_mean' or a pair (frequency, monetary); "
            f"got {cut!r}."
        )
    return _matrix(ids, ("frequency", "monetary"), (frequency, monetary), cuts, MARCUS)


def value_matrix(
    customers: Any,
    *,
    current: str,
    potential: str,
    current_cut: float | Cut = "mean",
    potential_cut: float | Cut = "mean",
) -> pd.DataFrame:
    """Place each customer by what it earns now and what it could earn.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with the two value columns.
    current : str
        Column with present value, such as ``profit`` of :func:`customer_profit`.
    potential : str
        Column with value that could be won, such as ``lifetime_value`` of
        :func:`crmkit.clv.lifetime_value`, or ``potential`` of :func:`share_of_wallet` or
        :func:`peer_potential`.
    current_cut, potential_cut : float or {"mean", "median"}, default "mean"
        High value lies above this amount. The result shows the amount that was used.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``current`` (float) - present value.
        * ``potential`` (float) - value that could be won.
        * ``current_cut`` (float) - high present value lies above it; the same in all rows.
        * ``potential_cut`` (float) - high potential lies above it; the same in all rows.
        * ``segment`` (str) - ``star`` (both high), ``mainstay`` (only present value high),
          ``growth`` (only potential high) or ``marginal``.
        * ``strategy`` (str) - what a marketer commonly does with the segment.

    Raises
    ------
    MissingColumnsError
        If `customers` lacks a column.
    InputError
        If a value is missing or infinite, or a cut is neither a number nor one of the words.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [1, 2, 3], "profit": [90.0, 40.0, -5.0], "wallet": [10.0, 200.0, 0.0]}
    ... )
    >>> matrix = value_matrix(customers, current="profit", potential="wallet", current_cut=50)
    >>> matrix[["customer_id", "current_cut", "potential_cut", "segment"]]
       customer_id  current_cut  potential_cut   segment
    0            1         50.0           70.0  mainstay
    1            2         50.0           70.0    growth
    2            3         50.0           70.0  marginal
    """
    columns = columns_named(current=current, potential=potential)
    ids, values = _read(customers, "customers", columns)
    cuts = (
        _cut(values[0], current_cut, "current_cut"),
        _cut(values[1], potential_cut, "potential_cut"),
    )
    return _matrix(ids, ("current", "potential"), values, cuts, VALUE)


def _read(
    table: Any, name: str, columns: Sequence[str]
) -> tuple[pd.Series[Any], tuple[Floats, Floats]]:
    """Return ids and the two columns as floats."""
    frame = read_customers(table, needs=columns, optional=(), name=name)
    problems = Problems(name)
    first, second = (number_array(frame[column], problems, column) for column in columns)
    problems.raise_if_any()
    return frame["customer_id"], (first, second)


def _cut(values: Floats, cut: float | str, name: str) -> float:
    """Return the amount above which a value is high."""
    if not isinstance(cut, str):
        return float(check_number(cut, name))
    check_choice(cut, name, Cut)
    return snap_cut(float(np.mean(values) if cut == "mean" else np.median(values)), values)


def _matrix(
    ids: pd.Series[Any],
    names: tuple[str, str],
    values: tuple[Floats, Floats],
    cuts: tuple[float, float],
    quadrants: list[tuple[str, str]],
) -> pd.DataFrame:
    """Return the table of customers with cuts, quadrant and strategy."""
    quadrant = 2 * (values[0] <= cuts[0]) + (values[1] <= cuts[1])
    segments, strategies = (np.array(words, dtype=object) for words in zip(*quadrants, strict=True))
    return pd.DataFrame(
        {
            "customer_id": ids,
            names[0]: values[0],
            names[1]: values[1],
            f"{names[0]}_cut": cuts[0],
            f"{names[1]}_cut": cuts[1],
            "segment": pd.Series(segments[quadrant]).astype(str),
            "strategy": pd.Series(strategies[quadrant]).astype(str),
        }
    )
