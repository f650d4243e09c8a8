"""What a segment map really does: rules nobody reaches, cells without or with several rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_flag, check_optional
from crmkit._frames import with_account
from crmkit.segmentation._table.maps import (
    OTHER,
    SCORES,
    first_rule,
    read_scores,
    read_segment_map,
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
        The table of :func:`rfm_scores`, to count customers who bought; of the map's scale.
    n_bins : int, optional
        Number of scores, 2 to 9. The default is that of `scores`, else of the map, else 5.
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
        If the map or the scores cannot be used, or are of different scales.

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
    rules = read_segment_map(segment_map)
    n_bins = check_optional(n_bins, "n_bins", rule="n_scores")
    account: dict[str, Any] = {}
    scale, counted = [n_bins or rules.n_bins or 5] * 3, None
    if scores is not None:
        read = read_scores(scores, n_bins)
        scale, counted = rules.scale_of(read, account), read.values[read.bought]
        account["customers_without_purchase"] = int((~read.bought).sum())
    axes = [np.arange(1, most + 1) for most in scale]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    names, ranges = rules.names, rules.ranges
    inside = np.all((cells[:, None] >= ranges[..., 0]) & (cells[:, None] <= ranges[..., 1]), axis=2)
    winner = first_rule(cells, ranges)
    if check_flag(detail, "detail"):
        table = _by_cell(names, cells, inside, winner, counted)
        return with_account(table, account)
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
    if counted is not None:
        table["customers"] = np.bincount(first_rule(counted, ranges), minlength=len(names) + 1)
    return with_account(table, account)


def _by_cell(
    names: list[str], cells: Ints, inside: Bools, winner: Ints, counted: Ints | None
) -> pd.DataFrame:
    """List every cell with the rules that fit it."""
    labels = np.array([*names, OTHER], dtype=object)
    table = pd.DataFrame(dict(zip(SCORES, cells.T, strict=True)))
    table["segment"] = labels[winner].tolist()
    table["rules"] = inside.sum(axis=1)
    table["segments"] = ["; ".join(labels[:-1][row]) for row in inside]
    if counted is not None:
        weights = np.array([81, 9, 1])
        count = np.bincount((counted - 1) @ weights, minlength=729)
        table["customers"] = count[(cells - 1) @ weights]
    return table
