"""From values to scores: cut points that can be kept, and the scores they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._frames import read_customers
from crmkit.errors import InputError
from crmkit.segmentation._math import bins_from_cuts, nested_bins, quantile_cuts, tie_safe_cuts
from crmkit.segmentation._table.limits import (
    FALLING,
    MONEY,
    Money,
    own_limits,
    read_cut_points,
    scale_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["rfm_cut_points", "rfm_scores"]

ScoreMethod = Literal["independent", "nested", "r_rfm"]
CutMethod = Literal["independent", "r_rfm"]

CUTS = {"independent": tie_safe_cuts, "r_rfm": quantile_cuts}


def rfm_cut_points(
    rfm: Any,
    *,
    n_bins: int = 5,
    method: CutMethod = "independent",
    monetary: Money = "mean",
    cut_points: Mapping[str, Sequence[float]] | None = None,
) -> pd.DataFrame:
    """Give the limits between scores, to keep and to score later customers on the same scale.

    Parameters
    ----------
    rfm : DataFrame
        The table of :func:`rfm_table`, or any table with its columns.
    n_bins : int, default 5
        Number of scores, 2 to 9.
    method : {"independent", "r_rfm"}, default "independent"
        How limits are found, as in :func:`rfm_scores`. Nested scores have no common limits.
    monetary : {"mean", "total"}, default "mean"
        Which money is scored: column ``monetary``, per purchase, or ``total_amount``.
    cut_points : dict of str to list, optional
        Limits of your own for some of the variables, as in :func:`rfm_scores`.

    Returns
    -------
    pandas.DataFrame
        One row per variable and score, lowest values first:

        * ``variable`` (str) - ``recency_days``, ``frequency``, and ``monetary`` or
          ``total_amount``.
        * ``score`` (int) - from 1; for recency the fewest days score highest.
        * ``lower`` (float) - smallest value with this score, inclusive.
        * ``upper`` (float) - limit below which values have this score, exclusive.
        * ``customers`` (int) - customers of `rfm` with this score; 0 shows an empty score.

    Raises
    ------
    MissingColumnsError
        If `rfm` lacks a column.
    InputError
        If a value is missing, or an argument is not one of those allowed.

    Examples
    --------
    >>> import pandas as pd
    >>> rfm = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "recency_days": [5, 30, 90, 200],
    ...         "frequency": [9, 1, 1, 1],
    ...         "monetary": [20.0, 50.0, 10.0, 80.0],
    ...     }
    ... )
    >>> rfm_cut_points(rfm, n_bins=2)
           variable  score  lower  upper  customers
    0  recency_days      2   -inf   90.0          2
    1  recency_days      1   90.0    inf          2
    2     frequency      1   -inf    9.0          3
    3     frequency      2    9.0    inf          1
    4      monetary      1   -inf   50.0          2
    5      monetary      2   50.0    inf          2
    """
    if isinstance(method, str) and str(method) == "nested":
        raise InputError(
            "`method` 'nested' ranks within groups and has no common cut points. "
            "Use 'independent' or 'r_rfm'."
        )
    check_choice(method, "method", CutMethod)
    n_bins = check_number(n_bins, "n_bins", rule="n_scores")
    money = MONEY[check_choice(monetary, "monetary", Money)]
    _, bought, values = _read_values(rfm, money)
    own = own_limits(cut_points, money)
    parts = []
    for variable, column in values.items():
        cuts, scale = own.get(variable) or _computed(variable, column[bought], method, n_bins)
        parts.append(
            pd.DataFrame(
                {
                    "variable": variable,
                    "score": scale,
                    "lower": np.concatenate(([-np.inf], cuts)),
                    "upper": np.concatenate((cuts, [np.inf])),
                    "customers": np.bincount(
                        bins_from_cuts(column[bought], cuts), minlength=scale.size
                    ),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def rfm_scores(
    rfm: Any,
    *,
    n_bins: int = 5,
    method: ScoreMethod = "independent",
    monetary: Money = "mean",
    cut_points: Mapping[str, Sequence[float]] | Any = None,
) -> pd.DataFrame:
    """Score recency, frequency and money from 1 (worst) to `n_bins` (best).

    Parameters
    ----------
    rfm : DataFrame
        The table of :func:`rfm_table`, or any table with its columns.
    n_bins : int, default 5
        Number of scores, 2 to 9. Ignored where `cut_points` says it.
    method : {"independent", "nested", "r_rfm"}, default "independent"
        ``independent``: 1 + floor(`n_bins` x share of customers with strictly less), and for
        recency `n_bins` - floor(`n_bins` x share with strictly fewer days). Customers with equal
        values always have equal scores, whatever the order of rows, the ids or the unit of
        money. ``nested``: frequency is scored within each recency score and money within each
        pair of both [1]_, which fills all cells evenly, but a 4 in one cell is not the 4 of
        another. ``r_rfm``: as R's package ``rfm`` [2]_ does it, for comparison with it.
    monetary : {"mean", "total"}, default "mean"
        Which money is scored: column ``monetary``, per purchase, or ``total_amount``. Ignored
        with a table of `cut_points`.
    cut_points : DataFrame or dict of str to list, optional
        Limits to use instead. A table from :func:`rfm_cut_points` or made by hand has one row per
        variable and score, with columns ``variable``, ``score`` and ``lower`` (inclusive), for all
        three. A dict gives limits of your own for some variables: ``{"frequency": [2, 5]}``
        scores 1 below 2, 2 from 2 and 3 from 5 on. A value beyond the outer limits has the outer
        score.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `rfm`:

        * ``customer_id`` - as given.
        * ``recency_score`` (int) - `n_bins` for the most recent.
        * ``frequency_score`` (int) - `n_bins` for the most frequent.
        * ``monetary_score`` (int) - `n_bins` for the most money.
        * ``rfm_score`` (int) - the three digits in that order, such as 543.
        * ``rfm_scale`` (int) - the highest possible scores in that order, such as 555; the same in
          all rows. By it :func:`rfm_segments` knows which map fits.

        Who bought nothing (no ``recency_days``) has scores of 0 and no part in the limits.

    Raises
    ------
    MissingColumnsError
        If `rfm` or `cut_points` lacks a column.
    InputError
        If a value is missing, or an argument is not one of those allowed.

    Notes
    -----
    A value shared by many customers cannot be split fairly, so some scores may stay empty:
    where half of all customers bought once, nobody has frequency score 2. The table of
    :func:`rfm_cut_points` shows it.

    References
    ----------
    .. [1] IBM. *SPSS Statistics, Direct Marketing: RFM analysis*, nested binning.
    .. [2] Hebbali, A. *rfm: Recency, Frequency and Monetary Value Analysis*, version 0.3.0.

    Examples
    --------
    >>> import pandas as pd
    >>> rfm = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "recency_days": [5, 30, 90, 200],
    ...         "frequency": [9, 1, 1, 1],
    ...         "monetary": [20.0, 50.0, 10.0, 80.0],
    ...     }
    ... )
    >>> rfm_scores(rfm, n_bins=4)[["customer_id", "rfm_score", "rfm_scale"]]
       customer_id  rfm_score  rfm_scale
    0            1        442        444
    1            2        313        444
    2            3        211        444
    3            4        114        444
    """
    check_choice(method, "method", ScoreMethod)
    n_bins = check_number(n_bins, "n_bins", rule="n_scores")
    money = MONEY[check_choice(monetary, "monetary", Money)]
    limits: dict[str, tuple[Floats, Ints]] = {}
    if cut_points is not None and not isinstance(cut_points, Mapping):
        limits = read_cut_points(cut_points)
        money = next(name for name in MONEY.values() if name in limits)
    elif cut_points is not None:
        limits = own_limits(cut_points, money)
    ids, bought, values = _read_values(rfm, money)
    known = [column[bought] for column in values.values()]
    if method == "nested" and limits:
        raise InputError(
            "`method` 'nested' ranks within groups and has no common cut points. "
            "Leave `cut_points` out, or use 'independent' or 'r_rfm'."
        )
    if method == "nested":
        found, scale = _nested_scores(known, n_bins), [n_bins] * 3
    else:
        found, scale = [], []
        for variable, column in zip(values, known, strict=True):
            cuts, score = limits.get(variable) or _computed(variable, column, method, n_bins)
            found.append(score[bins_from_cuts(column, cuts)])
            scale.append(score.size)
    scores = np.zeros((len(ids), 3), dtype=np.int64)
    scores[bought] = np.column_stack(found)
    digits = np.array([100, 10, 1])
    table = pd.DataFrame({"customer_id": ids})
    for at, name in enumerate(("recency_score", "frequency_score", "monetary_score")):
        table[name] = scores[:, at]
    return table.assign(rfm_score=scores @ digits, rfm_scale=int(np.array(scale) @ digits))


def _read_values(rfm: Any, money: str) -> tuple[pd.Series[Any], Bools, dict[str, Floats]]:
    """Return the ids, who bought something, and the three values by column, recency first."""
    columns = [FALLING, "frequency", money]
    frame = read_customers(rfm, needs=columns, optional=(), name="rfm")
    problems = Problems("rfm")
    frequency = number_array(frame["frequency"], problems, "frequency")
    # Who bought nothing has no day; what else is missing is missing.
    bought = ~(frame[FALLING].isna().to_numpy(dtype=bool) & (frequency == 0))
    if not bought.any():
        problems.add("nobody in it has bought anything.")
    values = {c: number_array(frame[c].where(bought, 0), problems, c) for c in columns}
    problems.raise_if_any()
    return frame["customer_id"], bought, values


def _computed(variable: str, values: Floats, method: str, n_bins: int) -> tuple[Floats, Ints]:
    """Return the cuts that a method finds, and the score of each bin between them."""
    return CUTS[method](values, n_bins), scale_of(variable, n_bins)


def _nested_scores(values: list[Floats], n_bins: int) -> list[Ints]:
    """Return the three scores, each ranked within the cells of those before it."""
    cell = np.zeros(values[0].size, dtype=np.int64)
    scores = []
    for variable, column in zip((FALLING, "frequency", "money"), values, strict=True):
        bins = nested_bins(column, cell, n_bins)
        cell = cell * n_bins + bins
        scores.append(scale_of(variable, n_bins)[bins])
    return scores
