"""For which reasons customers leave, and by when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column
from crmkit._checks import check_number
from crmkit._frames import ROWWISE, group_codes, note_by, read_by
from crmkit.churn._math.incidence import incidence
from crmkit.churn._math.survival import curve_interval, kaplan_meier
from crmkit.churn._table.tenures import read_tenures, split
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["leaving_table"]

_COLUMNS = (
    "reason",
    "time",
    "at_risk",
    "events",
    "p_left",
    "std_error",
    "conf_low",
    "conf_high",
)


def leaving_table(
    customers: Any,
    *,
    reason: str,
    duration: str = "tenure_days",
    event: str = "churned",
    entry: str | None = None,
    weights: str | None = None,
    by: str | Iterable[str] | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate how many customers have left by when, for each of several reasons.

    Who left for one reason cannot leave for another any more. Taking the others for still here,
    as one survival curve per reason would, makes every reason look more frequent than it is.

    Parameters
    ----------
    customers : DataFrame
        As for :func:`survival_table`, and the reason.
    reason : str
        Column with the reason, of those who left; a missing one is a reason of its own.
    duration, event, entry, weights, by, confidence_level
        As in :func:`survival_table`, but `weights` in whole numbers.

    Returns
    -------
    pandas.DataFrame
        One row per reason and distinct time, after the columns of `by`:

        * ``<by>`` - the columns of `by`, if given.
        * ``reason`` (as given) - why the customers left.
        * ``time`` (float) - time since the beginning, in the unit of `duration`.
        * ``at_risk`` (int) - customers still observed just before.
        * ``events`` (int) - of these, those who left at that time for the reason.
        * ``p_left`` (float) - chance to have left for the reason by then (Aalen-Johansen); of
          all reasons together it is one minus ``p_survival``.
        * ``std_error`` (float) - its standard error (delta method).
        * ``conf_low`` (float) - lower limit, on the log-log scale.
        * ``conf_high`` (float) - upper limit; before anybody left for the reason, that of a share
          of which nobody did.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If nobody left, or a value cannot be used.

    See Also
    --------
    survival_table : Without reasons.
    plot_survival : Draws this table too.

    References
    ----------
    .. [1] Aalen, O. O. and Johansen, S. (1978). An empirical transition matrix for
       non-homogeneous Markov chains based on censored observations. *Scand. J. Stat.* 5, 141-150.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "tenure_days": [30, 60, 60, 90],
    ...         "churned": [1, 1, 0, 1],
    ...         "why": ["price", "card expired", None, "price"],
    ...     }
    ... )
    >>> leaving_table(customers, reason="why")[["reason", "time", "events", "p_left"]].query(
    ...     "time > 0"
    ... )
             reason  time  events  p_left
    1  card expired  30.0       0    0.00
    2  card expired  60.0       1    0.25
    3  card expired  90.0       0    0.25
    5         price  30.0       1    0.25
    6         price  60.0       0    0.25
    7         price  90.0       1    0.75
    """
    columns = read_by(by, reserved=_COLUMNS, rowwise=ROWWISE)
    reason = check_column(reason, "reason")
    level = check_number(confidence_level, "confidence_level")
    needs = list(dict.fromkeys([*columns, reason]))
    tenures, frame = read_tenures(
        customers, duration, event, entry=entry, weights=weights, columns=needs
    )
    if not tenures.left.any():
        raise InputError(f"`customers`: nobody left (column {event!r}), so there is no reason.")
    if not tenures.counts:
        raise InputError(
            f"`weights`: column {weights!r} has weights that are no whole numbers, for which "
            "there is no error here. Leave `weights` out."
        )
    group, groups = group_codes(frame, columns)
    gone = frame.loc[tenures.left, [reason]]
    why = np.full(len(frame), -1)
    why[tenures.left], reasons = group_codes(gone, [reason])
    parts = []
    for code, rows in enumerate(split(group, len(groups))):
        some, of = tenures.at(rows), why[rows]
        curve = kaplan_meier(some)
        weight = np.ones(of.size) if some.weight is None else some.weight
        for number in range(len(reasons)):
            here = of == number
            leavers, chance, error = incidence(curve, some.time[here], weight[here])
            stays = np.where(chance > 1 - 1e-12, 0.0, 1 - chance)
            spread = np.divide(error, stays, out=np.zeros(stays.size), where=stays > 0) ** 2
            low, high = curve_interval(replace(curve, survival=stays, greenwood=spread), level)
            front = groups.iloc[np.full(curve.time.size, code)].reset_index(drop=True)
            named = reasons[reason].iloc[np.full(curve.time.size, number)].reset_index(drop=True)
            values = (
                named, curve.time, curve.at_risk, leavers.astype(np.int64), chance, error,
                1 - high, 1 - low,
            )  # fmt: skip
            parts.append(front.assign(**dict(zip(_COLUMNS, values, strict=True))))
    return note_by(pd.concat(parts, ignore_index=True), [*columns, "reason"])
