"""Two values per customer, cut into quadrants with a strategy each, and those who lose money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named, is_level
from crmkit._checks import Problems, check_choice, check_number, number_array, quoted
from crmkit._frames import read_customers
from crmkit.errors import InputError
from crmkit.segmentation._math import snap_cut

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["PRESETS", "value_matrix"]

Preset = Literal["potential", "marcus"]
Cut = Literal["mean", "median", "pooled_mean"]

# In the order both high, only the first high, only the second high, both low, and a loss.
_LOSS = (
    "loss",
    "change price, service or terms, or let go: loss_makers names the cause; no money for growth "
    "before they earn",
)
PRESETS: dict[Preset, list[tuple[str, str]]] = {
    "potential": [
        ("star", "keep and grow: best service, personal contact, first to hear of new offers"),
        ("mainstay", "keep: reward loyalty; let growth cost less than their potential is worth"),
        ("growth", "invest, at most what their potential is worth: cross-sell, win their share"),
        ("marginal", "serve at low cost; offer what costs next to nothing"),
        _LOSS,
    ],
    "marcus": [
        ("best", "keep: recognise them, give the best service, ask them to recommend"),
        ("frequent", "raise the value of an order: bundles, higher range, free delivery above"),
        ("spender", "raise the number of orders: reminders, reasons to come back"),
        ("uncertain", "find out which are new and which are lost; spend little until known"),
        _LOSS,
    ],
}


def value_matrix(
    customers: Any,
    *,
    preset: Preset = "potential",
    current: str | None = None,
    potential: str | None = None,
    cut: Cut | tuple[float | Cut, float | Cut] = "mean",
) -> pd.DataFrame:
    """Place each customer by two values, above or below a cut, and apart who loses money.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with the two columns.
    preset : {"potential", "marcus"}, default "potential"
        Which matrix: what a customer earns now against what it could earn beyond that, or
        Marcus's number of purchases against value per purchase [1]_, from the columns
        ``frequency`` and ``monetary`` of :func:`rfm_table`.
    current : str, optional
        Column with present value, for ``preset="potential"``. The default is ``profit``, as of
        :func:`customer_profit`.
    potential : str, optional
        Column with value that could be won. The default is ``potential``, as of
        :func:`potential_table`.
    cut : {"mean", "median", "pooled_mean"}, or a pair of these or of numbers, default "mean"
        A value is high above the mean or median of customers, or above an amount of your own. A
        pair cuts each axis its own way. ``pooled_mean``, of Marcus's matrix, cuts the value at
        the mean of all purchases (total money / number of purchases) instead of the mean of
        customers' means.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``current`` (float) - present value; only with ``preset="potential"``.
        * ``potential`` (float) - value that could be won; only with ``preset="potential"``.
        * ``frequency`` (float) - as given; only with ``preset="marcus"``.
        * ``monetary`` (float) - as given; only with ``preset="marcus"``.
        * ``current_cut``, ``potential_cut`` (float) - each is high above it; the same in all
          rows; only with ``preset="potential"``.
        * ``frequency_cut``, ``monetary_cut`` (float) - likewise; only with ``preset="marcus"``.
        * ``segment`` (str) - ``loss``, where present value (or the value per purchase) is below
          0, whatever could be won. Else ``star`` (both high), ``mainstay`` (only present value
          high), ``growth`` (only potential high) or ``marginal``; of Marcus ``best`` (both
          high), ``frequent``, ``spender`` or ``uncertain``.
        * ``strategy`` (str) - what a marketer commonly does with the segment.

    Raises
    ------
    MissingColumnsError
        If `customers` lacks a column.
    InputError
        If a value is missing or infinite, or `cut` is none of the above.

    Notes
    -----
    The cut moves many customers, so look at it: on the CDNOW log, with rows as purchases,
    Marcus's ``best`` holds 2,771 customers by pooled mean, 3,241 by mean and 6,669 by median.

    References
    ----------
    .. [1] Marcus, C. (1998). A practical yet meaningful approach to customer segmentation.
       *Journal of Consumer Marketing*, 15(5), 494-504.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3],
    ...         "profit": [90.0, 40.0, -5.0],
    ...         "potential": [10.0, 200.0, 300.0],
    ...     }
    ... )
    >>> matrix = value_matrix(customers, cut=(50, "mean"))
    >>> matrix[["customer_id", "current_cut", "potential_cut", "segment"]]
       customer_id  current_cut  potential_cut   segment
    0            1         50.0          170.0  mainstay
    1            2         50.0          170.0    growth
    2            3         50.0          170.0      loss

    >>> rfm = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "frequency": [9, 8, 1, 2],
    ...         "monetary": [60.0, 10.0, 90.0, 20.0],
    ...     }
    ... )
    >>> matrix = value_matrix(rfm, preset="marcus")
    >>> matrix[["customer_id", "frequency_cut", "monetary_cut", "segment"]]
       customer_id  frequency_cut  monetary_cut    segment
    0            1            5.0          45.0       best
    1            2            5.0          45.0   frequent
    2            3            5.0          45.0    spender
    3            4            5.0          45.0  uncertain
    """
    check_choice(preset, "preset", Preset)
    if preset == "marcus":
        if current is not None or potential is not None:
            raise InputError(
                "`current` and `potential` name columns for preset='potential'; Marcus's matrix "
                "takes 'frequency' and 'monetary'."
            )
        names = columns = ["frequency", "monetary"]
    else:
        names = ["current", "potential"]
        columns = columns_named(
            current="profit" if current is None else current,
            potential="potential" if potential is None else potential,
        )
    frame = read_customers(customers, needs=columns, optional=())
    problems = Problems("customers")
    first, second = (number_array(frame[column], problems, column) for column in columns)
    problems.raise_if_any()
    cuts = _cuts(cut, preset, first, second)
    quadrant = 2 * (first <= cuts[0]) + (second <= cuts[1])
    quadrant[(second if preset == "marcus" else first) < 0] = 4
    segments, strategies = (
        np.array(words, dtype=object) for words in zip(*PRESETS[preset], strict=True)
    )
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            names[0]: first,
            names[1]: second,
            f"{names[0]}_cut": cuts[0],
            f"{names[1]}_cut": cuts[1],
            "segment": pd.Series(segments[quadrant]).astype(str),
            "strategy": pd.Series(strategies[quadrant]).astype(str),
        }
    )


def _cuts(cut: Any, preset: Preset, first: Floats, second: Floats) -> tuple[float, float]:
    """Return the amounts above which the two values are high."""
    pair = [cut, cut] if isinstance(cut, str) else cut
    if isinstance(cut, str) and cut == "pooled_mean":
        pair = ["mean", cut]
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or is_level(pair[0], ["pooled_mean"]):
        raise InputError(
            "`cut` must be 'mean', 'median', 'pooled_mean' or a pair of such words or numbers, one "
            f"for each axis, the mean of all purchases for money only; got {quoted(cut)}."
        )
    if not is_level(pair[1], ["pooled_mean"]):
        return _cut(first, pair[0], "cut[0]"), _cut(second, pair[1], "cut[1]")
    if preset != "marcus":
        raise InputError("`cut`: 'pooled_mean' is the mean of all purchases of Marcus's matrix.")
    purchases = float(first.sum())
    if purchases <= 0:
        raise InputError("`customers` has no purchases to pool: column 'frequency' adds up to 0.")
    pooled = snap_cut(float(first @ second) / purchases, second)
    return _cut(first, pair[0], "cut[0]"), pooled


def _cut(values: Floats, cut: Any, name: str) -> float:
    """Return the amount above which a value is high."""
    if not isinstance(cut, str):
        return float(check_number(cut, name))
    check_choice(cut, name, Cut)
    return snap_cut(float(np.mean(values) if cut == "mean" else np.median(values)), values)
