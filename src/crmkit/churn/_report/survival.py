"""What survival curves say: whether groups differ, and what lies ahead of a given tenure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import Problems, check_number, number_array, quoted
from crmkit._frames import (
    ROWWISE,
    group_codes,
    match_groups,
    read_by,
    read_customers,
    split_by,
    to_pandas,
)
from crmkit.churn._math import survival as numerics
from crmkit.churn._table.survival import check_curves, read_tenures
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["conditional_survival", "logrank_test"]

_CURVE = ("time", "p_survival", "std_error")


def logrank_test(
    customers: Any,
    *,
    by: str | Iterable[str],
    duration: str = "tenure_days",
    event: str = "churned",
) -> pd.DataFrame:
    """Test whether groups of customers stay equally long.

    Parameters
    ----------
    customers : DataFrame
        As for :func:`survival_table`.
    by : str or list of str
        Columns that make the groups; customers without a value are a group of their own.
    duration, event : str
        Columns with the time observed and whether the customer left at its end.

    Returns
    -------
    pandas.DataFrame
        One row per group, after the columns of `by`; the test, over all groups, is the same in
        each:

        * ``<by>`` - the columns of `by`.
        * ``customers`` (int) - customers in the group.
        * ``events`` (int) - customers who left.
        * ``expected_events`` (float) - how many would have left, had the group left like all.
        * ``statistic`` (float) - the log-rank statistic.
        * ``degrees_of_freedom`` (int) - number of groups less one.
        * ``p_value`` (float) - chance of a statistic as large if all groups stayed equally long.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If there is one group only, nobody left, or a value cannot be used.

    Notes
    -----
    The test sees best a group that leaves faster by a constant factor. Curves that cross can
    differ much and test equal: draw them with :func:`plot_survival`.

    References
    ----------
    .. [1] Mantel, N. (1966). Evaluation of survival data and two new rank order statistics
       arising in its consideration. *Cancer Chemother. Rep.* 50, 163-170.
    .. [2] Peto, R. and Peto, J. (1972). Asymptotically efficient rank invariant test procedures.
       *J. R. Stat. Soc. A* 135, 185-207.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(8),
    ...         "plan": ["month"] * 4 + ["year"] * 4,
    ...         "tenure_days": [30, 60, 60, 90, 360, 400, 500, 500],
    ...         "churned": [1, 1, 1, 0, 1, 1, 0, 0],
    ...     }
    ... )
    >>> logrank_test(customers, by="plan")[
    ...     ["plan", "events", "expected_events", "statistic", "p_value"]
    ... ].round(3)
        plan  events  expected_events  statistic  p_value
    0  month       3            1.357      4.101    0.043
    1   year       2            3.643      4.101    0.043
    """
    taken = ("customers", "events", "expected_events", "statistic", "degrees_of_freedom", "p_value")
    columns = read_by(by, reserved=taken, rowwise=ROWWISE, needed=True)
    time, left, frame = read_tenures(customers, duration, event, columns)
    group, groups = group_codes(frame, columns)
    if len(groups) < 2:
        raise InputError(f"`by`: {columns} makes one group only, so there is nothing to compare.")
    if not left.any():
        raise InputError(f"`customers`: nobody left (column {event!r}), so curves cannot differ.")
    test = numerics.logrank(time, left, group, len(groups))
    return groups.assign(
        customers=np.bincount(group, minlength=len(groups)),
        events=test.observed.astype(np.int64),
        expected_events=test.expected,
        statistic=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=test.p_value,
    )


def conditional_survival(
    customers: Any,
    survival: Any,
    *,
    horizon_days: float,
    duration: str = "tenure_days",
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Return each customer's chance to stay another while, given how long they have stayed.

    Parameters
    ----------
    customers : DataFrame
        One row per customer who is still here: ``customer_id``, the tenure so far, and the
        columns by which `survival` was split, if it was.
    survival : DataFrame
        Result of :func:`survival_table`.
    horizon_days : float
        Time to look ahead, in the unit of the tenure.
    duration : str, default "tenure_days"
        Column with the tenure so far.
    confidence_level : float, default 0.95
        Level of the interval.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``p_survival`` (float) - chance to stay longer than tenure + `horizon_days`, given
          the tenure. NaN where the curve does not reach that far.
        * ``std_error`` (float) - its standard error.
        * ``conf_low`` (float) - lower limit, on the log-log scale.
        * ``conf_high`` (float) - upper limit.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a tenure cannot be used, or `survival` has no curve for a customer's group.

    Notes
    -----
    Where few are left at the tenure, chance makes the interval too short: of 20 members seen for
    a mean lifetime, intervals of 95 % hold 86 %, and nobody seen to leave makes one without width.

    References
    ----------
    .. [1] Kalbfleisch, J. D. and Prentice, R. L. (2002). *The Statistical Analysis of Failure
       Time Data*, 2nd ed. Wiley. Section 1.4: S(t + h) / S(t), Greenwood's terms between the two.

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
    >>> from crmkit import churn
    >>> here = customers[~customers["churned"]].assign(tenure_days=[30, 60])
    >>> churn.conditional_survival(here, churn.survival_table(customers), horizon_days=30)[
    ...     ["customer_id", "p_survival"]
    ... ].round(3)
       customer_id  p_survival
    0            3       0.667
    1            4       1.000
    """
    horizon_days = check_number(horizon_days, "horizon_days", rule="days_ahead")
    confidence_level = check_number(confidence_level, "confidence_level")
    curves = to_pandas(survival, "survival", needs=_CURVE)
    if curves.empty:
        raise InputError("`survival` has no rows.")
    columns = split_by(survival, "time")
    problems = Problems("survival")
    time, survived, error = (number_array(curves[name], problems, name, low=0) for name in _CURVE)
    problems.raise_if_any()
    variance = np.divide(error, survived, out=np.zeros(time.size), where=survived > 0) ** 2
    frame = read_customers(
        customers, needs=[*columns_named(duration=duration), *columns], optional=()
    )
    problems = Problems("customers")
    tenure = number_array(frame[duration], problems, duration, low=0)
    problems.raise_if_any()

    ours, known = group_codes(curves, columns)
    check_curves(ours, time, columns, "survival", "time")
    theirs, groups = group_codes(frame, columns)
    curve_of = match_groups(groups, known)
    lost = np.flatnonzero(curve_of[theirs] < 0)
    if lost.size:
        raise InputError(
            f"`survival` has no curve for the group of {lost.size:,} of {len(frame):,} customers "
            f"(first: {quoted(frame['customer_id'].iloc[lost[:3]].tolist())}), split by {columns}."
        )
    chance, spread = np.full(len(frame), np.nan), np.zeros(len(frame))
    for code, curve in enumerate(curve_of):
        rows = np.flatnonzero(ours == curve)
        rows = rows[np.argsort(time[rows])]
        these = theirs == code
        chance[these], spread[these] = numerics.conditional_survival(
            time[rows], survived[rows], variance[rows], tenure=tenure[these], horizon=horizon_days
        )
    low, high = numerics.loglog_interval(chance, spread, confidence_level)
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "p_survival": chance,
            "std_error": chance * np.sqrt(spread),
            "conf_low": low,
            "conf_high": high,
        }
    )
