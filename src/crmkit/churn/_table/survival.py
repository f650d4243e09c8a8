"""How long customers stay: Kaplan-Meier curves from tenures, some of them not yet over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import ROWWISE, group_codes, note_by, read_by, read_customers
from crmkit.churn._math.survival import SurvivalCurve, curve_interval, kaplan_meier
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["check_curves", "curve_table", "read_tenures", "split", "survival_table"]

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
        * ``at_risk`` (int) - customers still observed just before.
        * ``events`` (int) - of these, those who left at that time.
        * ``censored`` (int) - of these, those last seen at that time.
        * ``p_survival`` (float) - chance to stay longer than `time`.
        * ``std_error`` (float) - its standard error (Greenwood).
        * ``conf_low`` (float) - lower limit, on the log-log scale.
        * ``conf_high`` (float) - upper limit; where nobody is left, the last one known.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a duration is negative or missing, or an event neither 0 nor 1.

    See Also
    --------
    logrank_test : Whether groups differ.
    conditional_survival : What it means for customers of a given tenure.

    Notes
    -----
    A customer last seen at some time counts as at risk up to and including it. The estimate
    supposes that those last seen at a time are no more and no less likely to leave than others
    who were still there.

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
    time, left, frame = read_tenures(customers, duration, event, columns)
    group, groups = group_codes(frame, columns)
    curves = [kaplan_meier(time[rows], left[rows]) for rows in split(group, len(groups))]
    return curve_table(curves, groups, _COLUMNS, confidence_level)


def read_tenures(
    customers: Any, duration: str, event: str, columns: list[str]
) -> tuple[Floats, Bools, pd.DataFrame]:
    """Return time observed, whether it ended by leaving, and the table with `columns`."""
    needs = [*columns_named(duration=duration, event=event), *columns]
    frame = read_customers(customers, needs=needs, optional=(), unique=False)
    problems = Problems("customers")
    time = number_array(frame[duration], problems, duration, low=0)
    left = number_array(frame[event], problems, event)
    neither = np.isfinite(left) & (left != 0) & (left != 1)
    problems.rows(
        neither,
        f"column {event!r} is neither 0 (still here) nor 1 (left)",
        do="Recode it first.",
        values=left.tolist() if neither.any() else None,
    )
    problems.raise_if_any()
    return time, left == 1, frame


def split(group: Ints, n_groups: int) -> Iterator[Any]:
    """Yield what selects the rows of each group, in turn."""
    if n_groups == 1:
        yield slice(None)
        return
    order = np.argsort(group, kind="stable")
    yield from np.split(order, np.searchsorted(group[order], np.arange(1, n_groups)))


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
