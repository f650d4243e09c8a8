"""What a segment map really does: rules nobody reaches, cells without or with several rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_flag, check_number
from crmkit.segmentation._table.segments import (
    OTHER,
    SCORES,
    first_rule,
    read_scores,
    read_segment_map,
    segment_maps,
)

if TYPE_CHECKING:
    from crmkit._typing import Bools, Ints


__all__ = ["segment_map_audit"]


def segment_map_audit(
    segment_map: Any = "standard",
    scores: Any = None,
    *,
    n_bins: int | None = None,
    detail: bool = False,
) -> pd.DataFrame:
    """Tell for each rule of a segment map how much of its range it really gets.

    Parameters
    ----------
    segment_map : str or DataFrame, default "standard"
        A map as for :func:`rfm_segments`.
    scores : DataFrame, optional
        The table of :func:`rfm_scores`, to count customers.
    n_bins : int, optional
        Number of scores, 2 to 9. The default is that of a shipped map, else 5.
    detail : bool, default False
        List every cell of the three scores instead, with the rules that fit it.

    Returns
    -------
    pandas.DataFrame
        One row per rule, in the order of the map, and a last row ``other`` for what no rule fits;
        with `detail` one row per cell:

        * ``rule`` (int) - position from 1; 0 for ``other``. Only without `detail`.
        * ``recency_score`` (int) - 1 to `n_bins`; only with `detail`.
        * ``frequency_score`` (int) - 1 to `n_bins`; only with `detail`.
        * ``monetary_score`` (int) - 1 to `n_bins`; only with `detail`.
        * ``segment`` (str) - name of the rule's segment; of a cell, the one its customers get.
        * ``rules`` (int) - number of rules that fit: 0 is a gap, 2 and more an overlap. Only with
          `detail`.
        * ``segments`` (str) - names of these rules' segments, first match first. Only with
          `detail`.
        * ``cells`` (int) - cells of the three scores within the rule's ranges. This and the next
          three only without `detail`.
        * ``cells_won`` (int) - those that no earlier rule takes; only so.
        * ``cells_lost`` (int) - those that earlier rules take; only so.
        * ``reachable`` (bool) - whether any customer can get there; for ``other``, whether the
          map leaves cells open. Only so.
        * ``customers`` (int) - customers who get there; only with `scores`.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If the map or the scores cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> rules = pd.DataFrame(
    ...     {
    ...         "segment": ["active", "best", "lost"],
    ...         "recency_score_from": [4, 5, 1],
    ...         "recency_score_to": [5, 5, 2],
    ...     }
    ... )
    >>> audit = segment_map_audit(rules)
    >>> audit[["segment", "cells", "cells_won", "reachable"]]
      segment  cells  cells_won  reachable
    0  active     50         50       True
    1    best     25          0      False
    2    lost     50         50       True
    3   other     25         25       True

    >>> cells = segment_map_audit(rules, detail=True)
    >>> sorted(set(cells["rules"]))  # gaps, and overlaps of "active" and "best"
    [0, 1, 2]
    """
    names, ranges, cells = _grid(segment_map, n_bins)
    if check_flag(detail, "detail"):
        return _by_cell(names, ranges, cells, scores)
    inside = _inside(cells, ranges)
    winner = first_rule(cells, ranges)
    covered = np.append(inside.sum(axis=0), np.count_nonzero(winner == len(names)))
    won = np.bincount(winner, minlength=len(names) + 1)
    table = pd.DataFrame(
        {
            "rule": [*range(1, len(names) + 1), 0],
            "segment": [*names, OTHER],
            "cells": covered,
            "cells_won": won,
            "cells_lost": covered - won,
            "reachable": won > 0,
        }
    )
    if scores is not None:
        _, values = read_scores(scores)
        table["customers"] = np.bincount(first_rule(values, ranges), minlength=len(names) + 1)
    return table


def _by_cell(names: list[str], ranges: Ints, cells: Ints, scores: Any) -> pd.DataFrame:
    """List every cell with the rules that fit it."""
    inside = _inside(cells, ranges)
    labels = np.array([*names, OTHER], dtype=object)
    table = pd.DataFrame(dict(zip(SCORES, cells.T, strict=True)))
    table["segment"] = labels[first_rule(cells, ranges)].tolist()
    table["rules"] = inside.sum(axis=1)
    table["segments"] = ["; ".join(labels[:-1][row]) for row in inside]
    if scores is not None:
        _, values = read_scores(scores)
        weights = np.array([81, 9, 1])
        count = np.bincount((values - 1) @ weights, minlength=729)
        table["customers"] = count[(cells - 1) @ weights]
    return table


def _grid(segment_map: Any, n_bins: int | None) -> tuple[list[str], Ints, Ints]:
    """Return the rules' names and ranges, and all cells, shape (n_bins ** 3, 3)."""
    names, ranges = read_segment_map(segment_map)
    if n_bins is None:
        maps = segment_maps().set_index("segment_map")["n_bins"]
        n_bins = int(maps[[segment_map]].iloc[0]) if isinstance(segment_map, str) else 5
    n_bins = check_number(n_bins, "n_bins", rule="n_scores")
    axis = np.arange(1, n_bins + 1)
    cells = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    return names, ranges, cells


def _inside(cells: Ints, ranges: Ints) -> Bools:
    """Tell which rules, shape (cells, rules), have a cell in their ranges."""
    low, high = ranges[..., 0], ranges[..., 1]
    return np.asarray(np.all((cells[:, None] >= low) & (cells[:, None] <= high), axis=2))
