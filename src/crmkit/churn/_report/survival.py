"""What survival curves say: of customers of a given tenure, and in sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._arrays import normal_quantile
from crmkit._checks import Problems, check_number, number_array, quoted
from crmkit._frames import (
    group_codes,
    match_groups,
    note_by,
    read_customers,
    split_by,
    to_pandas,
)
from crmkit.churn._math import survival as numerics
from crmkit.churn._table.survival import check_curves
from crmkit.errors import InputError

__all__ = ["conditional_survival", "survival_summary"]

_CURVE = ("time", "at_risk", "events", "censored", "p_survival", "std_error")


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
        * ``conf_low`` (float) - lower limit, which few customers make wide.
        * ``conf_high`` (float) - upper limit.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a tenure cannot be used, or `survival` has no curve for a customer's group.

    Notes
    -----
    The limits are beta product limits (mid-p), exact for a share where everybody was watched to
    the end: two customers who stayed make no certainty. Where most of few are still here they are
    wider than they need be: of 20 members seen for a mean lifetime, those of 95 % hold 99 %.

    References
    ----------
    .. [1] Kalbfleisch, J. D. and Prentice, R. L. (2002). *The Statistical Analysis of Failure
       Time Data*, 2nd ed. Wiley. Section 1.4: S(t + h) / S(t), Greenwood's terms between the two.
    .. [2] Fay, M. P., Brittain, E. H. and Proschan, M. A. (2013). Pointwise confidence intervals
       for a survival distribution with small samples or heavy censoring. *Biostatistics* 14,
       723-736.

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
    curves, known, columns = read_curves(survival)
    frame = read_customers(
        customers, needs=[*columns_named(duration=duration), *columns], optional=()
    )
    problems = Problems("customers")
    tenure = number_array(frame[duration], problems, duration, low=0)
    problems.raise_if_any()

    theirs, groups = group_codes(frame, columns)
    curve_of = match_groups(groups, known)
    lost = np.flatnonzero(curve_of[theirs] < 0)
    if lost.size:
        raise InputError(
            f"`survival` has no curve for the group of {lost.size:,} of {len(frame):,} customers "
            f"(first: {quoted(frame['customer_id'].iloc[lost[:3]].tolist())}), split by {columns}."
        )
    found = np.full((4, len(frame)), np.nan)
    for code, curve in enumerate(curve_of):
        these = theirs == code
        found[:, these] = numerics.conditional_survival(
            curves[curve],
            tenure=tenure[these],
            horizon=horizon_days,
            confidence_level=confidence_level,
        )
    names = ("p_survival", "std_error", "conf_low", "conf_high")
    return pd.DataFrame(
        {"customer_id": frame["customer_id"], **dict(zip(names, found, strict=True))}
    )


def read_curves(survival: Any) -> tuple[list[numerics.SurvivalCurve], pd.DataFrame, list[str]]:
    """Return the curves of a survival table, the groups they are of, and the columns of these."""
    table = to_pandas(survival, "survival", needs=_CURVE)
    if table.empty:
        raise InputError("`survival` has no rows.")
    columns = split_by(survival, "time")
    problems = Problems("survival")
    values = [number_array(table[name], problems, name, low=0) for name in _CURVE]
    problems.raise_if_any()
    group, groups = group_codes(table, columns)
    check_curves(group, values[0], columns, "survival", "time")
    curves = []
    for code in range(len(groups)):
        rows = np.flatnonzero(group == code)
        rows = rows[np.argsort(values[0][rows])]
        time, at_risk, events, censored, stayed, error = (value[rows] for value in values)
        variance = np.divide(error, stayed, out=np.zeros(time.size), where=stayed > 0) ** 2
        curves.append(numerics.SurvivalCurve(time, at_risk, events, censored, stayed, variance))
    return curves, groups, columns


def survival_summary(
    survival: Any, *, horizon_days: float | None = None, confidence_level: float = 0.95
) -> pd.DataFrame:
    """Sum up survival curves: how long half of the customers stay, and the mean of all.

    Parameters
    ----------
    survival : DataFrame
        Result of :func:`survival_table`.
    horizon_days : float, optional
        Time to look ahead, in the unit of the tenure: until when the mean is taken. The default is
        the last time that all curves reach, so that groups are compared over the same time.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per curve, after the columns by which `survival` was split:

        * ``<by>`` - these columns, if given.
        * ``events`` (int) - customers who left, or the sum of their weights.
        * ``median`` (float) - first time by which half have left; missing where it is not reached.
        * ``median_low`` (float) - lower limit, where the curve's lower limit falls to half.
        * ``median_high`` (float) - upper limit, likewise; missing where that is not reached.
        * ``until`` (float) - `horizon_days`.
        * ``restricted_mean`` (float) - mean time stayed until then; missing where the curve does
          not reach that far.
        * ``std_error`` (float) - its standard error.
        * ``conf_low`` (float) - lower limit.
        * ``conf_high`` (float) - upper limit.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a value cannot be used.

    Notes
    -----
    The plain mean depends on the few who stay longest, most of whom are still here; the mean until
    a day does not, and the difference of two groups is days gained or lost.

    References
    ----------
    .. [1] Brookmeyer, R. and Crowley, J. (1982). A confidence interval for the median survival
       time. *Biometrics* 38, 29-41.
    .. [2] Klein, J. P. and Moeschberger, M. L. (2003). *Survival Analysis*, 2nd ed. Springer.
       Section 4.5: the restricted mean and its variance.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "tenure_days": [30, 60, 60, 90],
    ...         "churned": [True, True, False, True],
    ...     }
    ... )
    >>> churn.survival_summary(churn.survival_table(customers), horizon_days=60)[
    ...     ["events", "median", "until", "restricted_mean"]
    ... ]
       events  median  until  restricted_mean
    0       3    60.0   60.0             52.5
    """
    level = check_number(confidence_level, "confidence_level")
    curves, groups, columns = read_curves(survival)
    if horizon_days is None:
        until = min(float(curve.time[-1]) for curve in curves)
    else:
        until = float(check_number(horizon_days, "horizon_days", rule="days_ahead"))
    rows = []
    for curve in curves:
        limits = numerics.loglog_interval(curve.survival, curve.greenwood, level)
        middle = [numerics.time_reached(curve.time, s) for s in (curve.survival, *limits)]
        mean, error = numerics.restricted_mean(curve, until)
        reach = normal_quantile(level) * error
        total = curve.events.sum()
        rows.append(
            {
                "events": int(total) if total == round(total) else float(total),
                **dict(zip(("median", "median_low", "median_high"), middle, strict=True)),
                "until": until,
                "restricted_mean": mean,
                "std_error": error,
                "conf_low": np.maximum(mean - reach, 0.0),
                "conf_high": np.minimum(mean + reach, until),
            }
        )
    table = pd.concat([groups.reset_index(drop=True), pd.DataFrame(rows)], axis=1)
    return note_by(table, columns)
