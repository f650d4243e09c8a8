"""From which silence on a customer is at risk, or has lapsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, listed, number_array
from crmkit._frames import group_codes, match_groups, note_by, split_by, to_pandas
from crmkit.churn._math.rhythm import gap_quantile
from crmkit.churn._table.gaps import gap_curves
from crmkit.churn._table.survival import check_curves
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = [
    "NOT_GROUPS",
    "lifecycle_thresholds",
    "read_thresholds",
    "thresholds_of_groups",
    "thresholds_of_lengths",
]

_THRESHOLDS = ("at_risk_days", "lapsed_days")
NOT_GROUPS = ("gaps", "p_closing", *_THRESHOLDS)


def lifecycle_thresholds(gaps: Any, *, at_risk: float = 0.75, lapsed: float = 0.9) -> pd.DataFrame:
    """Derive from which silence a customer is at risk, and from which lapsed.

    Parameters
    ----------
    gaps : DataFrame
        Result of :func:`gap_table`, of whole groups. Columns that were added to it split nothing;
        in a table from a file, which knows no `by`, those before ``gap_days`` do.
    at_risk : float, default 0.75
        A customer silent for longer than this share of the gaps that close is at risk.
    lapsed : float, default 0.9
        And beyond this one lapsed.

    Returns
    -------
    pandas.DataFrame
        One row per group of `gaps`, a table that :func:`lifecycle_table` accepts:

        * ``<by>`` - the columns by which `gaps` was split, if it was.
        * ``gaps`` (int) - number of gaps, open ones included.
        * ``p_closing`` (float) - chance that a gap closes within the longest time observed.
        * ``at_risk_days`` (float) - silence after which a customer is at risk, in days.
        * ``lapsed_days`` (float) - silence after which a customer is lapsed, in days.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a value cannot be used.

    Notes
    -----
    The shares are of the gaps that close: who never returns has no gap to measure. On logs in
    which many buy once, the plain quantile of the Kaplan-Meier curve is never reached. Where no
    gap closed at all, both thresholds are the longest silence seen.

    Examples
    --------
    >>> import pandas as pd
    >>> gaps = pd.DataFrame(
    ...     {"gap_days": [0.0, 10.0, 20.0], "at_risk": [5, 4, 2], "p_open": [1.0, 0.5, 0.25]}
    ... )
    >>> lifecycle_thresholds(gaps, at_risk=0.5, lapsed=0.9)
       gaps  p_closing  at_risk_days  lapsed_days
    0     5       0.75          10.0         20.0
    """
    at_risk = check_number(at_risk, "at_risk")
    lapsed = check_number(lapsed, "lapsed", low=at_risk)
    frame = to_pandas(gaps, "gaps", needs=("gap_days", "at_risk", "p_open"))
    if frame.empty:
        raise InputError("`gaps` has no rows.")
    columns = split_by(gaps, "gap_days")
    problems = Problems("gaps")
    numbers = ("gap_days", "at_risk", "p_open")
    time, number, chance = (number_array(frame[name], problems, name, low=0) for name in numbers)
    problems.raise_if_any()
    group, groups = group_codes(frame, columns)
    check_curves(group, time, columns, "gaps", "gap_days", whole=True)
    rows = []
    for code in range(len(groups)):
        these = np.flatnonzero(group == code)
        these = these[np.argsort(time[these])]
        curve = time[these], chance[these]
        rows.append(
            {
                "gaps": int(number[these].max()),
                "p_closing": 1 - float(chance[these].min()),
                "at_risk_days": gap_quantile(*curve, at_risk),
                "lapsed_days": gap_quantile(*curve, lapsed),
            }
        )
    return note_by(pd.concat([groups, pd.DataFrame(rows)], axis=1), columns)


def thresholds_of_lengths(lengths: pd.DataFrame, *, by: Any) -> pd.DataFrame:
    """Return the thresholds that the counted gaps of all customers give."""
    return lifecycle_thresholds(gap_curves(lengths, by=by, confidence_level=0.95))


def read_thresholds(thresholds: Any) -> pd.DataFrame:
    """Check a table of thresholds."""
    table = to_pandas(thresholds, "thresholds", needs=_THRESHOLDS)
    if table.empty:
        raise InputError("`thresholds` has no rows.")
    problems = Problems("thresholds")
    at_risk, lapsed = (number_array(table[c], problems, c, low=0) for c in _THRESHOLDS)
    problems.rows(
        lapsed < at_risk,
        "column 'lapsed_days' is below 'at_risk_days'",
        do="A customer must be at risk before having lapsed.",
    )
    problems.raise_if_any()
    return table


def thresholds_of_groups(table: pd.DataFrame, groups: pd.DataFrame, columns: list[str]) -> Floats:
    """Return both thresholds of each group, shape (2, number of groups)."""
    if len(group_codes(table, columns)[1]) < len(table):
        named = f"several rows for one group of {columns}" if columns else "several rows"
        raise InputError(f"`thresholds` has {named}. Keep one, or name the groups in columns.")
    row = match_groups(groups[columns], table[columns])
    missing = np.flatnonzero(row < 0)
    if missing.size:
        first = groups.iloc[missing[:3]].to_dict("records")
        raise InputError(f"`thresholds` lacks {missing.size:,} group(s) (first: {listed(first)}).")
    values = table[list(_THRESHOLDS)].to_numpy(dtype=np.float64)
    return values[row].T
