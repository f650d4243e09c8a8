"""How long customers stay: Kaplan-Meier curves from tenures, some of them not yet over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit._frames import ROWWISE, group_codes, note_by, read_by
from crmkit.churn._math.survival import SurvivalCurve, curve_interval, kaplan_meier
from crmkit.churn._table.tenures import read_tenures, split
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Floats, Ints


__all__ = ["check_curves", "curve_table", "survival_table"]

_COLUMNS = (
    "time",
    "at_risk",
    "events",
    "censored",
    "p_survival",
    "std_error",
    "conf_low",
    "conf_high",
)


def survival_table(
    customers: Any,
    *,
    duration: str = "tenure_days",
    event: str = "churned",
    entry: str | None = None,
    weights: str | None = None,
    by: str | Iterable[str] | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate how many customers stay how long, counting those still here for what they show.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, or per contract: ``customer_id`` and the columns named by
        `duration`, `event` and `by`.
    duration : str, default "tenure_days"
        Column with the time observed, 0 or more, in any unit.
    event : str, default "churned"
        Column that says whether the customer left at that time (1 or True) or was still there
        when last seen (0 or False).
    entry : str, optional
        Column with the tenure at which a customer came under observation, below that of
        `duration`; 0 for those who were watched from their beginning. Without it, a log that
        begins in mid-life shows only those who had stayed until then, and customers seem to stay
        longer than they do.
    weights : str, optional
        Column with the weight of each row, above 0. Whole numbers count customers who are alike;
        others weight a sample, and errors are then those of as many rows, not customers.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own.
    confidence_level : float, default 0.95
        Level of the interval.

    Returns
    -------
    pandas.DataFrame
        One row per distinct time, beginning with 0, after the columns of `by`:

        * ``<by>`` - the columns of `by`, if given.
        * ``time`` (float) - time since the beginning, in the unit of `duration`.
        * ``at_risk`` (int) - customers observed just before; like the two next the sum of their
          weights, if given.
        * ``events`` (int) - of these, those who left at that time.
        * ``censored`` (int) - of these, those last seen at that time.
        * ``p_survival`` (float) - chance to stay longer than `time`.
        * ``std_error`` (float) - its standard error (Greenwood, or the jackknife for weights
          that count no customers).
        * ``conf_low`` (float) - lower limit, on the log-log scale; before anybody left, that of
          a share of which all were seen to stay.
        * ``conf_high`` (float) - upper limit; where nobody is left, the last one known.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a duration is negative or missing, an event neither 0 nor 1, an entry not below its
        duration, or a weight not above 0.

    See Also
    --------
    logrank_test : Whether groups differ.
    conditional_survival : What it means for customers of a given tenure.
    survival_summary : Median and mean.

    Notes
    -----
    A customer last seen at some time counts as at risk up to and including it. The estimate
    supposes that those last seen at a time are no more and no less likely to leave than others
    who were still there. With `entry` those at risk early may be few, and the curve, which
    multiplies from the beginning on, then uncertain throughout; it falls to 0 for good where the
    first ones seen all left.

    References
    ----------
    .. [1] Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete
       observations. *J. Am. Stat. Assoc.* 53, 457-481.
    .. [2] Kalbfleisch, J. D. and Prentice, R. L. (2002). *The Statistical Analysis of Failure
       Time Data*, 2nd ed. Wiley. Section 1.4 (log-log interval).

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "tenure_days": [30, 60, 60, 90],
    ...         "churned": [True, True, False, False],
    ...     }
    ... )
    >>> survival_table(customers)[["time", "at_risk", "events", "censored", "p_survival"]]
       time  at_risk  events  censored  p_survival
    0   0.0        4       0         0        1.00
    1  30.0        4       1         0        0.75
    2  60.0        3       1         1        0.50
    3  90.0        1       0         1        0.50
    """
    columns = read_by(by, reserved=_COLUMNS, rowwise=ROWWISE)
    tenures, frame = read_tenures(
        customers, duration, event, entry=entry, weights=weights, columns=columns
    )
    group, groups = group_codes(frame, columns)
    curves = [kaplan_meier(tenures.at(rows)) for rows in split(group, len(groups))]
    return curve_table(curves, groups, _COLUMNS, confidence_level)


def curve_table(
    curves: list[SurvivalCurve],
    groups: pd.DataFrame,
    names: tuple[str, ...],
    confidence_level: float,
) -> pd.DataFrame:
    """Return curves, one per group, as one table with these eight column names."""
    confidence_level = check_number(confidence_level, "confidence_level")
    parts = []
    for curve in curves:
        low, high = curve_interval(curve, confidence_level)
        gone = curve.survival == 0
        spread = np.sqrt(np.where(gone, 0.0, curve.greenwood))
        parts.append(
            (
                curve.time,
                curve.at_risk,
                curve.events,
                curve.censored,
                curve.survival,
                curve.survival * spread,
                low,
                high,
            )
        )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    rows = np.repeat(np.arange(len(curves)), [curve.time.size for curve in curves])
    front = groups.iloc[rows].reset_index(drop=True)
    table = pd.concat([front, pd.DataFrame(dict(zip(names, columns, strict=True)))], axis=1)
    return note_by(table, list(groups.columns))


def check_curves(
    group: Ints, time: Floats, columns: list[str], name: str, column: str, *, whole: bool = False
) -> None:
    """Raise unless each group's rows make one curve: distinct times; of a `whole` one, 0 too."""
    order = np.lexsort((time, group))
    group, time = group[order], time[order]
    same = group[1:] == group[:-1]
    twice = (same & (time[1:] == time[:-1])).any()
    if twice or (whole and time[np.r_[True, ~same]].any()):
        what = f"repeats a value of {column!r} within a group" if twice else "lacks rows of a group"
        how = f"split by {columns}" if columns else "taken as one curve"
        raise InputError(
            f"`{name}`, {how}, {what}. Give the table as it was made, with the columns that name "
            "its groups first."
        )
