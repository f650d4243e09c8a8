"""From scores to named segments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._frames import with_account
from crmkit.segmentation._table.maps import (
    OTHER,
    SCORES,
    first_rule,
    read_scores,
    read_segment_map,
)

__all__ = ["NO_PURCHASE", "rfm_segments"]

NO_PURCHASE = "no purchase"


def rfm_segments(
    scores: Any, *, segment_map: Any = "standard", n_bins: int | None = None
) -> pd.DataFrame:
    """Give every customer the segment of the first rule that fits its scores.

    Parameters
    ----------
    scores : DataFrame
        The table of :func:`rfm_scores`.
    segment_map : {"standard", "octants", "compact"} or DataFrame, default "standard"
        A map of :func:`segment_maps`, made for its number of bins, or a table of one's own: one
        row per rule with ``segment`` and, for each score that matters, columns
        ``<score>_from`` and ``<score>_to``, both inclusive. A score without these columns is
        free. ``n_bins`` says for how many scores it is made (default: up to the highest it
        names), ``strategy`` what to do. :func:`segment_map_audit` tells what such a map does.
    n_bins : int, optional
        Number of scores, 2 to 9, where `scores` lacks ``rfm_scale``. Without both the highest
        score of the map must occur.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `scores`:

        * ``customer_id`` - as given.
        * ``recency_score`` (int) - as given.
        * ``frequency_score`` (int) - as given.
        * ``monetary_score`` (int) - as given.
        * ``segment`` (str) - name of the segment; ``other`` where no rule fits, ``no purchase``
          where nothing was bought.
        * ``strategy`` (str) - what to do with the segment; only if the map says it.

    Raises
    ------
    MissingColumnsError
        If `scores` or the map lacks a column.
    InputError
        If a score is no whole number from 1 to 9, or the map is made for scores of another scale,
        which would give the best customers the name of middling ones.

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
    read = read_scores(scores, n_bins)
    rules = read_segment_map(segment_map)
    account: dict[str, Any] = {}
    rules.scale_of(read, account)
    rule = first_rule(read.values, rules.ranges)
    rule[~read.bought] = len(rules.names) + 1
    table = pd.DataFrame({"customer_id": read.ids})
    for position, score in enumerate(SCORES):
        table[score] = read.values[:, position]
    words = {"segment": [*rules.names, OTHER, NO_PURCHASE]}
    if rules.strategies is not None:
        words["strategy"] = [*rules.strategies, "", ""]
    for column, names in words.items():
        table[column] = pd.Series(np.array(names, dtype=object)[rule]).astype(str)
    return with_account(table, account)
