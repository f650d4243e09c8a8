"""From scores to named segments: the shipped maps, and maps of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, number_array
from crmkit._frames import read_customers, to_pandas
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Ints


__all__ = ["OTHER", "first_rule", "read_scores", "read_segment_map", "rfm_segments", "segment_maps"]

SCORES = ("recency_score", "frequency_score", "monetary_score")
RANGES = tuple(f"{score}_{end}" for score in SCORES for end in ("from", "to"))
OTHER = "other"

_ANY = (1, 9)
# segment, recency, frequency, money: the first two columns of ranges, money free unless given.
_STANDARD = [
    ("champions", (5, 5), (4, 5), _ANY, "reward; ask for reviews and referrals; no discounts"),
    ("loyal", (3, 4), (4, 5), _ANY, "offer the higher range; keep the service level"),
    ("potential loyalist", (4, 5), (2, 3), _ANY, "invite to the programme; cross-sell"),
    ("new", (5, 5), (1, 1), _ANY, "welcome; help with the first use; win the second order"),
    ("promising", (4, 4), (1, 1), _ANY, "make known; small offer for the second order"),
    ("need attention", (3, 3), (3, 3), _ANY, "limited offer on what they bought before"),
    ("about to sleep", (3, 3), (1, 2), _ANY, "remind; show what is popular"),
    ("at risk", (1, 2), (3, 4), _ANY, "personal message; find out why; renew"),
    ("cannot lose", (1, 2), (5, 5), _ANY, "call; win back before a competitor does"),
    ("hibernating", (1, 2), (1, 2), _ANY, "cheap channels only; reactivate or let rest"),
]
_OCTANTS = [
    ("best", (4, 5), (4, 5), (4, 5), "best service first; protect from competitors"),
    ("loyal small", (4, 5), (4, 5), (1, 3), "raise the value of an order: bundles, higher range"),
    ("new big", (4, 5), (1, 3), (4, 5), "win the next order soon; personal contact"),
    ("new small", (4, 5), (1, 3), (1, 3), "welcome; help with the first use"),
    ("lapsing best", (1, 3), (4, 5), (4, 5), "call; win back first of all"),
    ("lapsing small", (1, 3), (4, 5), (1, 3), "remind by a cheap channel"),
    ("lost big", (1, 3), (1, 3), (4, 5), "one strong offer, then let rest"),
    ("lost small", (1, 3), (1, 3), (1, 3), "let rest"),
]
_COMPACT = [
    ("champions", (3, 3), (3, 3), _ANY, "reward; no discounts"),
    ("growing", (3, 3), (1, 2), _ANY, "win the next order"),
    ("regular", (2, 2), (2, 3), _ANY, "keep the service level; cross-sell"),
    ("cooling", (2, 2), (1, 1), _ANY, "remind"),
    ("at risk", (1, 1), (2, 3), _ANY, "win back"),
    ("lost", (1, 1), (1, 1), _ANY, "let rest"),
]
_MAPS = {"standard": (5, _STANDARD), "octants": (5, _OCTANTS), "compact": (3, _COMPACT)}


def segment_maps() -> pd.DataFrame:
    """Show the shipped maps from scores to segments, each complete and without overlap.

    Returns
    -------
    pandas.DataFrame
        One row per rule:

        * ``segment_map`` (str) - ``standard`` (ten segments by recency and frequency),
          ``octants`` (eight by all three scores, high or low), ``compact`` (six, for three bins).
        * ``n_bins`` (int) - number of scores the map is made for.
        * ``segment`` (str) - name of the segment.
        * ``recency_score_from`` (int) - lowest recency score, inclusive.
        * ``recency_score_to`` (int) - highest recency score, inclusive.
        * ``frequency_score_from`` (int) - lowest frequency score, inclusive.
        * ``frequency_score_to`` (int) - highest frequency score, inclusive.
        * ``monetary_score_from`` (int) - lowest monetary score, inclusive.
        * ``monetary_score_to`` (int) - highest monetary score, inclusive.
        * ``strategy`` (str) - what a marketer commonly does with the segment.

    Notes
    -----
    The ``standard`` map is the grid of recency and frequency scores found in most RFM
    tutorials. A map of one's own has the columns from ``segment`` to ``monetary_score_to``; a
    table of this function, filtered to one map and edited, is a good start.

    Examples
    --------
    >>> maps = segment_maps()
    >>> list(maps.loc[maps["segment_map"] == "compact", "segment"])
    ['champions', 'growing', 'regular', 'cooling', 'at risk', 'lost']
    """
    rows = [
        (name, n_bins, segment, *recency, *frequency, *np.minimum(money, n_bins), strategy)
        for name, (n_bins, rules) in _MAPS.items()
        for segment, recency, frequency, money, strategy in rules
    ]
    columns = ["segment_map", "n_bins", "segment", *RANGES, "strategy"]
    return pd.DataFrame(rows, columns=columns)


def rfm_segments(scores: Any, *, segment_map: Any = "standard") -> pd.DataFrame:
    """Give every customer the segment of the first rule that fits its scores.

    Parameters
    ----------
    scores : DataFrame
        The table of :func:`rfm_scores`.
    segment_map : {"standard", "octants", "compact"} or DataFrame, default "standard"
        A map of :func:`segment_maps`, made for its number of bins, or a table of one's own: one
        row per rule with ``segment`` and, for each score that matters, columns
        ``<score>_from`` and ``<score>_to``, both inclusive. A score without these columns is
        free. :func:`segment_map_audit` tells what such a map does.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `scores`:

        * ``customer_id`` - as given.
        * ``recency_score`` (int) - as given.
        * ``frequency_score`` (int) - as given.
        * ``monetary_score`` (int) - as given.
        * ``segment`` (str) - name of the segment; ``other`` where no rule fits.

    Raises
    ------
    MissingColumnsError
        If `scores` or the map lacks a column.
    InputError
        If a score is no whole number from 1 to 9, or lies beyond the shipped map.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2],
    ...         "recency_score": [5, 1],
    ...         "frequency_score": [5, 4],
    ...         "monetary_score": [3, 3],
    ...     }
    ... )
    >>> rfm_segments(scores)[["customer_id", "segment"]]
       customer_id    segment
    0            1  champions
    1            2    at risk
    """
    ids, values = read_scores(scores)
    names, ranges = read_segment_map(segment_map)
    if isinstance(segment_map, str) and values.max() > _MAPS[segment_map][0]:
        raise InputError(
            f"`segment_map` {segment_map!r} is made for {_MAPS[segment_map][0]} bins, and `scores` "
            f"reach {values.max()}. Score with that n_bins, or pass a map of your own."
        )
    table = pd.DataFrame({"customer_id": ids})
    for position, score in enumerate(SCORES):
        table[score] = values[:, position]
    table["segment"] = np.array([*names, OTHER], dtype=object)[first_rule(values, ranges)]
    table["segment"] = table["segment"].astype(str)
    return table


def read_scores(scores: Any) -> tuple[pd.Series[Any], Ints]:
    """Return the ids and the three scores, shape (n, 3)."""
    frame = read_customers(scores, needs=SCORES, optional=(), name="scores")
    problems = Problems("scores")
    columns = [number_array(frame[score], problems, score) for score in SCORES]
    for score, values in zip(SCORES, columns, strict=True):
        wrong = ~np.isin(values, np.arange(1, 10)) & np.isfinite(values)
        problems.rows(
            wrong,
            f"column {score!r} is no whole number from 1 to 9",
            do="Use the table of rfm_scores.",
            values=values.tolist() if wrong.any() else None,
        )
    problems.raise_if_any()
    return frame["customer_id"], np.column_stack(columns).astype(np.int64)


def read_segment_map(segment_map: Any) -> tuple[list[str], Ints]:
    """Return the rules' names and ranges, shape (rules, 3, 2): scores x (from, to)."""
    if isinstance(segment_map, str):
        check_choice(segment_map, "segment_map", tuple(_MAPS))
        maps = segment_maps()
        frame = maps[maps["segment_map"] == segment_map].reset_index(drop=True)
    else:
        frame = to_pandas(segment_map, "segment_map", needs=["segment"], optional=RANGES)
        frame = frame.set_axis(pd.RangeIndex(len(frame)), axis=0)
    problems = Problems("segment_map")
    if frame.empty:
        problems.add("it has no rules.")
    problems.rows(frame["segment"].isna().to_numpy(), "column 'segment' is missing", do="Name it.")
    ranges = np.empty((len(frame), 3, 2), dtype=np.float64)
    for position, score in enumerate(SCORES):
        ends = [f"{score}_from", f"{score}_to"]
        given = [end for end in ends if end in frame.columns]
        if len(given) == 1:
            problems.add(f"it has {given[0]!r} without the other end of the range.")
        ranges[:, position] = _ANY
        if len(given) == 2:
            for end, column in enumerate(ends):
                ranges[:, position, end] = number_array(frame[column], problems, column)
            backwards = ranges[:, position, 0] > ranges[:, position, 1]
            problems.rows(backwards, f"the range of {score!r} runs backwards", do="Swap its ends.")
    if not any(column in frame.columns for column in RANGES):
        problems.add(f"it has none of the columns {list(RANGES)}.")
    problems.raise_if_any()
    return frame["segment"].astype(str).tolist(), ranges.astype(np.int64)


def first_rule(values: Ints, ranges: Ints) -> Ints:
    """Return the position of the first rule that fits each row of `values`, shape (n,).

    The number of rules where none does. `values` has shape (n, 3), `ranges` (rules, 3, 2).
    """
    # There are at most 9 x 9 x 9 cells, so the rules are tried on cells, not on customers.
    cells = np.stack(np.meshgrid(*[np.arange(1, 10)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    fits = np.all((cells[:, None] >= ranges[..., 0]) & (cells[:, None] <= ranges[..., 1]), axis=2)
    rule = np.where(fits.any(axis=1), fits.argmax(axis=1), len(ranges))
    code = (values - 1) @ np.array([81, 9, 1])
    return rule[code]
