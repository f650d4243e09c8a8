"""What a segment map really does: rules nobody reaches, cells without or with several rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
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


__all__ = ["segment_map_audit", "segment_map_cells"]


def segment_map_audit(
    segment_map: Any = "standard", scores: Any = None, *, n_bins: int | None = None
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

    Returns
    -------
    pandas.DataFrame
        One row per rule, in the order of the map, and a last row ``other`` for what no rule fits:

        * ``rule`` (int) - position from 1; 0 for ``other``.
        * ``segment`` (str) - name of the rule's segment.
        * ``cells`` (int) - cells of the three scores within the rule's ranges.
        * ``cells_won`` (int) - those that no earlier rule takes.
        * ``cells_lost`` (int) - those that earlier rules take.
        * ``reachable`` (bool) - whether any customer can get there; for ``other``, whether the
          map leaves cells open.
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
    """
    names, ranges, cells = _grid(segment_map, n_bins)
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


def segment_map_cells(
    segment_map: Any = "standard", scores: Any = None, *, n_bins: int | None = None
) -> pd.DataFrame:
    """List every cell of the three scores with the rules that fit it.

    Parameters
    ----------
    segment_map, scores, n_bins
        As in :func:`segment_map_audit`.

    Returns
    -------
    pandas.DataFrame
        One row per cell:

        * ``recency_score`` (int) - 1 to `n_bins`.
        * ``frequency_score`` (int) - 1 to `n_bins`.
        * ``monetary_score`` (int) - 1 to `n_bins`.
        * ``rules`` (int) - number of rules that fit: 0 is a gap, 2 and more an overlap.
        * ``segments`` (str) - names of these rules' segments, first match first.
        * ``segment`` (str) - the segment customers get.
        * ``customers`` (int) - customers in the cell; only with `scores`.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If the map or the scores cannot be used.

    Examples
    --------
    >>> cells = segment_map_cells("standard")
    >>> len(cells), set(cells["rules"])
    (125, {1})
    """
    names, ranges, cells = _grid(segment_map, n_bins)
    inside = _inside(cells, ranges)
    labels = np.array([*names, OTHER], dtype=object)
    table = pd.DataFrame(dict(zip(SCORES, cells.T, strict=True)))
    table["rules"] = inside.sum(axis=1)
    table["segments"] = ["; ".join(labels[:-1][row]) for row in inside]
    table["segment"] = labels[first_rule(cells, ranges)].tolist()
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
