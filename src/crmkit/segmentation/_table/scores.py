"""From values to scores: cut points that can be kept, and the scores they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._frames import read_customers, to_pandas
from crmkit.errors import InputError
from crmkit.segmentation._math import bins_from_cuts, nested_bins, quantile_cuts, tie_safe_cuts

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["rfm_cut_points", "rfm_scores"]

Money = Literal["mean", "total"]
ScoreMethod = Literal["independent", "nested", "r_rfm"]
CutMethod = Literal["independent", "r_rfm"]

MONEY: dict[Money, str] = {"mean": "monetary", "total": "total_amount"}
CUTS = {"independent": tie_safe_cuts, "r_rfm": quantile_cuts}
# A customer who bought long ago scores low: the only value whose score falls as it rises.
FALLING = "recency_days"


def rfm_cut_points(
    rfm: Any, *, n_bins: int = 5, method: CutMethod = "independent", monetary: Money = "mean"
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
        Which money is scored: per purchase or in total.

    Returns
    -------
    pandas.DataFrame
        One row per variable and score, lowest values first:

        * ``variable`` (str) - ``recency_days``, ``frequency``, and ``monetary`` or
          ``total_amount``.
        * ``score`` (int) - 1 to `n_bins`; for recency the fewest days score highest.
        * ``lower`` (float) - smallest value with this score, inclusive.
        * ``upper`` (float) - limit below which values have this score, exclusive.
        * ``customers`` (int) - customers of `rfm` with this score; 0 shows an empty score.

    Raises
    ------
    MissingColumnsError
        If `rfm` lacks a column.
    InputError
        If a value is missing, or `n_bins` or `method` is not one of those allowed.

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
    _, values = _read_values(rfm, money)
    return pd.concat(
        [
            _limits(variable, column, CUTS[method](column, n_bins))
            for variable, column in values.items()
        ],
        ignore_index=True,
    )


def rfm_scores(
    rfm: Any,
    *,
    n_bins: int = 5,
    method: ScoreMethod = "independent",
    monetary: Money = "mean",
    cut_points: Any = None,
) -> pd.DataFrame:
    """Score recency, frequency and money from 1 (worst) to `n_bins` (best).

    Parameters
    ----------
    rfm : DataFrame
        The table of :func:`rfm_table`, or any table with its columns.
    n_bins : int, default 5
        Number of scores, 2 to 9. Ignored with `cut_points`.
    method : {"independent", "nested", "r_rfm"}, default "independent"
        ``independent``: 1 + floor(`n_bins` x share of customers with strictly less), and for
        recency `n_bins` - floor(`n_bins` x share with strictly fewer days). Customers with equal
        values always have equal scores, whatever the order of rows, the ids or the unit of
        money. ``nested``: frequency is scored within each recency score and money within each
        pair of both [1]_, which fills all cells evenly, but a 4 in one cell is not the 4 of
        another. ``r_rfm``: as R's package ``rfm`` [2]_ does it, for comparison with it.
    monetary : {"mean", "total"}, default "mean"
        Which money is scored: per purchase or in total. Ignored with `cut_points`.
    cut_points : DataFrame, optional
        Limits to use instead, from :func:`rfm_cut_points` or made by hand: one row per variable
        and score, with columns ``variable``, ``score`` and ``lower`` (inclusive). A value
        beyond the outer limits has the outer score.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `rfm`:

        * ``customer_id`` - as given.
        * ``recency_score`` (int) - `n_bins` for the most recent.
        * ``frequency_score`` (int) - `n_bins` for the most frequent.
        * ``monetary_score`` (int) - `n_bins` for the most money.
        * ``rfm_score`` (int) - the three digits in that order, such as 543.

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
    >>> rfm_scores(rfm, n_bins=4)
       customer_id  recency_score  frequency_score  monetary_score  rfm_score
    0            1              4                4               2        442
    1            2              3                1               3        313
    2            3              2                1               1        211
    3            4              1                1               4        114
    """
    check_choice(method, "method", ScoreMethod)
    n_bins = check_number(n_bins, "n_bins", rule="n_scores")
    money = MONEY[check_choice(monetary, "monetary", Money)]
    if cut_points is not None:
        limits = _read_cut_points(cut_points)
        money = next(name for name in MONEY.values() if name in limits)
        ids, values = _read_values(rfm, money)
        scores = [_score(values[variable], *limits[variable]) for variable in values]
    elif method == "nested":
        ids, values = _read_values(rfm, money)
        scores = _nested_scores(list(values.values()), n_bins)
    else:
        ids, values = _read_values(rfm, money)
        scores = [
            _score(column, CUTS[method](column, n_bins), _scale(variable, n_bins))
            for variable, column in values.items()
        ]
    recency, frequency, worth = scores
    return pd.DataFrame(
        {
            "customer_id": ids,
            "recency_score": recency,
            "frequency_score": frequency,
            "monetary_score": worth,
            "rfm_score": 100 * recency + 10 * frequency + worth,
        }
    )


def _read_values(rfm: Any, money: str) -> tuple[pd.Series[Any], dict[str, Floats]]:
    """Return the ids and the three values by column name, recency first."""
    columns = [FALLING, "frequency", money]
    frame = read_customers(rfm, needs=columns, optional=(), name="rfm")
    problems = Problems("rfm")
    values = {column: number_array(frame[column], problems, column) for column in columns}
    problems.raise_if_any()
    return frame["customer_id"], values


def _scale(variable: str, n_bins: int) -> Ints:
    """Return the score of each bin, lowest values first."""
    scale = np.arange(1, n_bins + 1)
    return scale[::-1] if variable == FALLING else scale


def _score(values: Floats, cuts: Floats, scale: Ints) -> Ints:
    """Return the score of each value."""
    return scale[bins_from_cuts(values, cuts)]


def _nested_scores(values: list[Floats], n_bins: int) -> list[Ints]:
    """Return the three scores, each ranked within the cells of those before it."""
    cell = np.zeros(values[0].size, dtype=np.int64)
    scores = []
    for variable, column in zip((FALLING, "frequency", "money"), values, strict=True):
        bins = nested_bins(column, cell, n_bins)
        cell = cell * n_bins + bins
        scores.append(_scale(variable, n_bins)[bins])
    return scores


def _limits(variable: str, values: Floats, cuts: Floats) -> pd.DataFrame:
    """Return the rows of the cut-point table for one variable."""
    n_bins = cuts.size + 1
    return pd.DataFrame(
        {
            "variable": variable,
            "score": _scale(variable, n_bins),
            "lower": np.concatenate(([-np.inf], cuts)),
            "upper": np.concatenate((cuts, [np.inf])),
            "customers": np.bincount(bins_from_cuts(values, cuts), minlength=n_bins),
        }
    )


def _read_cut_points(table: Any) -> dict[str, tuple[Floats, Ints]]:
    """Return cuts and scale per variable from a cut-point table, whatever its row order."""
    frame = to_pandas(table, "cut_points", needs=["variable", "score", "lower"], optional=())
    problems = Problems("cut_points")
    wanted = {FALLING, "frequency"}
    found = set(frame["variable"])
    money = found & set(MONEY.values())
    if not wanted <= found or len(money) != 1 or found - wanted - money:
        problems.add(
            f"column 'variable' must name {FALLING!r}, 'frequency' and one of "
            f"{list(MONEY.values())}; it names {sorted(map(str, found))}."
        )
    score = number_array(frame["score"], problems, "score", low=1)
    # The outermost limits are infinite by right.
    number_array(frame["lower"].replace([-np.inf, np.inf], 0.0), problems, "lower")
    problems.raise_if_any()
    lower = frame["lower"].to_numpy(dtype=np.float64)
    limits = {}
    for variable in (FALLING, "frequency", *money):
        rows = (frame["variable"] == variable).to_numpy(dtype=bool)
        direction = -1 if variable == FALLING else 1
        order = np.argsort(direction * score[rows], kind="stable")
        scale, low = score[rows][order], lower[rows][order]
        n_bins = scale.size
        if n_bins > 9 or not np.array_equal(np.sort(scale), np.arange(1, n_bins + 1)):
            problems.add(f"the scores of {variable!r} must be 1, 2, ... to at most 9, each once.")
        elif np.any(low[1:] < low[:-1]):
            side = "rise as scores fall" if direction < 0 else "rise with the scores"
            problems.add(f"the limits of {variable!r} must {side}.")
        limits[variable] = (low[1:], scale.astype(np.int64))
    problems.raise_if_any()
    return limits
