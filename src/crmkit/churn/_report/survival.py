"""What survival curves say of customers of a given tenure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import Problems, check_number, number_array, quoted
from crmkit._frames import group_codes, match_groups, read_customers, split_by, to_pandas
from crmkit.churn._math import survival as numerics
from crmkit.churn._table.survival import check_curves
from crmkit.errors import InputError

__all__ = ["conditional_survival"]

_CURVE = ("time", "p_survival", "std_error")


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
