"""Segment maps: the shipped ones, maps of one's own, and whether a map is made for some scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, check_optional, number_array
from crmkit._frames import read_customers, to_pandas
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Bools, Ints


__all__ = [
    "OTHER",
    "SCORES",
    "Scores",
    "SegmentMap",
    "first_rule",
    "read_scores",
    "read_segment_map",
    "segment_maps",
]

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
    tutorials. A map of one's own has the columns from ``segment`` to ``monetary_score_to`` and,
    to say for which scores it is made, ``n_bins``; a table of this function, filtered to one map
    and edited, is a good start.

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


@dataclass(frozen=True, slots=True)
class SegmentMap:
    """Rules in their order: names, strategies and ranges, shape (rules, 3, 2): scores x (from, to).

    ``n_bins`` is the number of scores that the map says it is made for, or 0.
    """

    names: list[str]
    strategies: list[str] | None
    ranges: Ints
    n_bins: int

    @property
    def top(self) -> int:
        """Return the highest score that the map names; a range that ends with 9 is open."""
        return self.n_bins or int(self.ranges[self.ranges < _ANY[1]].max(initial=1))

    def scale_of(self, scores: Scores, account: dict[str, Any]) -> list[int]:
        """Return the highest of each score, which must be that of the map where it reads the score.

        Scores that do not say their scale are taken to be on that of the map if its highest score
        occurs among them; `account` tells it.
        """
        low, high = self.ranges[..., 0].max(axis=0), self.ranges[..., 1].max(axis=0)
        # A score that every rule lets pass from first to last is not read.
        read = ~np.all((self.ranges[..., 0] <= 1) & (self.ranges[..., 1] >= self.top), axis=0)
        made = f"`segment_map` is made for {self.top} bins"
        if scores.scale is None:
            most = int(scores.values.max(initial=0))
            if most < self.top:
                raise InputError(
                    f"{made}, and `scores`, which reach {most}, do not say theirs. Pass the table "
                    "of rfm_scores with its column 'rfm_scale', or n_bins=."
                )
            if most > self.top and (self.n_bins or not (high[read] == _ANY[1]).any()):
                raise InputError(
                    f"{made}, and `scores` reach {most}. Score with that n_bins, or pass a map "
                    "of your own."
                )
            account["assumed_n_bins"] = most
            return [most] * 3
        scale = np.array(scores.scale)
        beyond = (low > scale) | ((high > scale) & (high < _ANY[1]))
        wrong = read & (scale != self.n_bins if self.n_bins else beyond)
        if wrong.any():
            at = int(wrong.argmax())
            fitting = [name for name, (n_bins, _) in _MAPS.items() if (scale == n_bins).all()]
            do = f"use the map {fitting[0]!r}" if fitting else "pass a map of your own"
            raise InputError(
                f"{made}, and {SCORES[at]!r} of `scores` goes from 1 to {scale[at]}. Score with "
                f"n_bins={self.top}, or {do}."
            )
        if not self.n_bins and read.any() and not (high >= scale)[read].any():
            raise InputError(
                f"`segment_map` names scores up to {self.top}, and `scores` go up to "
                f"{scale[read].max()}. Say in a column 'n_bins' of the map for how many it is made."
            )
        return scores.scale


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of customers, shape (n, 3), 0 for who bought nothing, and the highest of each.

    ``scale`` is None if the table does not say it.
    """

    ids: pd.Series[Any]
    values: Ints
    bought: Bools
    scale: list[int] | None


def read_scores(scores: Any, n_bins: int | None = None) -> Scores:
    """Read the table of `rfm_scores`; `n_bins` is the scale of a table that does not say it."""
    n_bins = check_optional(n_bins, "n_bins", rule="n_scores")
    frame = read_customers(scores, needs=SCORES, optional=("rfm_scale",), name="scores")
    problems = Problems("scores")
    columns = [number_array(frame[score], problems, score) for score in SCORES]
    bought = np.any(np.column_stack(columns) != 0, axis=1)
    scale = None if n_bins is None else [n_bins] * 3
    if "rfm_scale" in frame.columns:
        found = np.unique(number_array(frame["rfm_scale"], problems, "rfm_scale"))
        figures = f"{found[0]:.0f}"
        digits = [int(figure) for figure in figures] if figures.isdigit() else []
        if found.size > 1 or found[0] % 1 or len(digits) != 3 or min(digits) < 2:
            problems.add(
                f"column 'rfm_scale' must be one number of three figures, the highest of each "
                f"score, in all rows; it is {found[:3].tolist()}. Score all customers on one scale."
            )
        elif n_bins is not None and digits != scale:
            problems.add(f"column 'rfm_scale' is {found[0]:.0f}, not of n_bins={n_bins}.")
        scale = digits
    for at, (score, values) in enumerate(zip(SCORES, columns, strict=True)):
        most = 9 if scale is None or len(scale) != 3 else scale[at]
        wrong = bought & ~np.isin(values, np.arange(1, most + 1)) & np.isfinite(values)
        problems.rows(
            wrong,
            f"column {score!r} is no whole number from 1 to {most}",
            do="Use the table of rfm_scores.",
            values=values.tolist() if wrong.any() else None,
        )
    problems.raise_if_any()
    return Scores(frame["customer_id"], np.column_stack(columns).astype(np.int64), bought, scale)


def read_segment_map(segment_map: Any) -> SegmentMap:
    """Return a shipped map by its name, or a map of one's own, checked."""
    if isinstance(segment_map, str):
        check_choice(segment_map, "segment_map", tuple(_MAPS))
        maps = segment_maps()
        frame = maps[maps["segment_map"] == segment_map].reset_index(drop=True)
    else:
        optional = (*RANGES, "n_bins", "strategy")
        frame = to_pandas(segment_map, "segment_map", needs=["segment"], optional=optional)
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
    n_bins = np.zeros(1)
    if "n_bins" in frame.columns:
        n_bins = np.unique(number_array(frame["n_bins"], problems, "n_bins"))
        if n_bins.size > 1 or not np.isin(n_bins, range(2, 10)).all():
            problems.add("column 'n_bins' must be one whole number from 2 to 9 in all rows.")
    problems.raise_if_any()
    strategies = None
    if "strategy" in frame.columns:
        strategies = frame["strategy"].fillna("").astype(str).tolist()
    names = frame["segment"].astype(str).tolist()
    return SegmentMap(names, strategies, ranges.astype(np.int64), int(n_bins[0]))


def first_rule(values: Ints, ranges: Ints) -> Ints:
    """Return the position of the first rule that fits each row of `values`, shape (n,).

    The number of rules where none does. `values` has shape (n, 3), `ranges` (rules, 3, 2); a score
    of 0 is read as 1.
    """
    # There are at most 9 x 9 x 9 cells, so the rules are tried on cells, not on customers.
    cells = np.stack(np.meshgrid(*[np.arange(1, 10)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    fits = np.all((cells[:, None] >= ranges[..., 0]) & (cells[:, None] <= ranges[..., 1]), axis=2)
    rule = np.where(fits.any(axis=1), fits.argmax(axis=1), len(ranges))
    code = (np.maximum(values, 1) - 1) @ np.array([81, 9, 1])
    return rule[code]
