"""How well a score ranks customers by how long they stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column
from crmkit._arrays import wilson_interval
from crmkit._checks import check_number, require_columns
from crmkit._frames import read_customers, rows_of
from crmkit._learn.concordance import concordance
from crmkit._learn.judged import scores_at
from crmkit.churn._model.staying import read_leavers
from crmkit.errors import InputError

__all__ = ["concordance_table"]


def concordance_table(
    customers: Any,
    scores: Any,
    *,
    score: str = "p_survival",
    duration: str = "tenure_days",
    event: str = "churned",
    entry: str | None = None,
    weights: str | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Tell how often, of two customers, the one with the higher score stays longer.

    Parameters
    ----------
    customers : DataFrame
        One row per customer: ``customer_id``, the time observed and whether the customer left.
    scores : DataFrame
        ``customer_id`` and the score, for at least these customers: what ``predict`` of a model
        of survival returns for customers it has not learned from, or a score of any source.
    score : str, default "p_survival"
        Column of `scores`; the higher, the longer a customer is expected to stay.
    duration, event, entry, weights
        As in :func:`survival_table`.
    confidence_level : float, default 0.95
        Level of the interval.

    Returns
    -------
    pandas.DataFrame
        One row:

        * ``customers`` (int) - rows that were judged.
        * ``events`` (int) - of these, those who left.
        * ``pairs`` (float) - pairs of which it is known who stayed longer.
        * ``concordance`` (float) - share of them in which the higher score stayed longer, equal
          scores counted half: 0.5 is luck, 1 a perfect order.
        * ``std_error`` (float) - its standard error.
        * ``conf_low`` (float) - lower limit (Wilson's of a share with that error).
        * ``conf_high`` (float) - upper limit.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a customer has no score or two, no pair can be compared, or the scores come from a
        model that learned from these very rows.

    Notes
    -----
    Two who left at the same time are no pair; one who left when another was last seen is. Ranks
    say nothing about levels: a model can order well and predict far too high. Of 20 customers, a
    third of whom were seen to leave, intervals of 95 % hold 91 %.

    References
    ----------
    .. [1] Harrell, F. E., Lee, K. L. and Mark, D. B. (1996). Multivariable prognostic models.
       *Stat. Med.* 15, 361-387.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [1, 2, 3], "tenure_days": [30, 60, 90], "churned": [1, 1, 0]}
    ... )
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3], "p_survival": [0.2, 0.9, 0.7]})
    >>> concordance_table(customers, scores)[["pairs", "concordance"]].round(3)
       pairs  concordance
    0    3.0        0.667
    """
    level = check_number(confidence_level, "confidence_level")
    column = check_column(score, "score")
    frame, tenures, _ = read_leavers(
        customers, duration=duration, event=event, entry=entry, weights=weights
    )
    marks = read_customers(scores, name="scores")
    require_columns(marks.columns, [column], "scores")
    rows = rows_of(frame["customer_id"], marks["customer_id"], name="customers", other="scores")
    found, error, pairs = concordance(
        tenures.time,
        scores_at(marks, column, rows),
        left=tenures.left,
        entry=tenures.entry,
        weight=tenures.weight,
        counts=tenures.counts,
    )
    if not pairs:
        raise InputError("`customers`: nobody was seen to stay longer than one who left.")
    inside = 0 < found < 1 and error > 0
    size = found * (1 - found) / error**2 if inside else float(tenures.left.sum())
    low, high = wilson_interval(np.array([found * size]), np.array([size]), level)
    return pd.DataFrame(
        {
            "customers": [len(frame)],
            "events": int(tenures.left.sum()),
            "pairs": pairs,
            "concordance": found,
            "std_error": error,
            "conf_low": low,
            "conf_high": high,
        }
    )
