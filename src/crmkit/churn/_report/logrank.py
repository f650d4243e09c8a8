"""Whether groups of customers stay equally long."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns
from crmkit._arrays import Adjustment, adjust_p_values
from crmkit._checks import check_choice, check_flag
from crmkit._frames import ROWWISE, group_codes, read_by
from crmkit.churn._math.logrank import Emphasis, LogRank, logrank
from crmkit.churn._table.tenures import read_tenures
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["logrank_test"]

_COLUMNS = (
    "customers",
    "events",
    "expected_events",
    "statistic",
    "degrees_of_freedom",
    "p_value",
    "p_adjusted",
)


def logrank_test(
    customers: Any,
    *,
    by: str | Iterable[str],
    duration: str = "tenure_days",
    event: str = "churned",
    entry: str | None = None,
    weights: str | None = None,
    strata: str | Iterable[str] | None = None,
    emphasis: Emphasis = "even",
    pairs: bool = False,
    adjust: Adjustment = "holm",
) -> pd.DataFrame:
    """Test whether groups of customers stay equally long.

    Parameters
    ----------
    customers : DataFrame
        As for :func:`survival_table`.
    by : str or list of str
        Columns that make the groups; customers without a value are a group of their own.
    duration, event, entry, weights
        As in :func:`survival_table`, but `weights` in whole numbers.
    strata : str or list of str, optional
        Columns within whose levels groups are compared, so that these cannot make a difference.
    emphasis : str, default "even"
        Which differences count most: "even" (the log-rank test, best where a group leaves faster
        by a constant factor), early ones by the number at risk ("gehan") or its root
        ("tarone_ware"), by the curve of all ("peto"), or by that of Fleming and Harrington
        ("early", "middle", "late").
    pairs : bool, default False
        Compare each pair of groups instead, as if there were no others.
    adjust : {"holm", "bonferroni", "bh", "by"}
        How p-values of pairs are adjusted for their number.

    Returns
    -------
    pandas.DataFrame
        One row per group, after the columns of `by`; the test, over all groups, is the same in
        each. With `pairs` two rows per pair, that of its other group second:

        * ``<by>`` - the columns of `by`.
        * ``pair`` (int) - number of the pair, from 1; only with `pairs`.
        * ``customers`` (int) - customers in the group.
        * ``events`` (int) - customers who left.
        * ``expected_events`` (float) - how many would have left, had the group left like all.
        * ``statistic`` (float) - the statistic, chi-squared if groups stay equally long.
        * ``degrees_of_freedom`` (int) - groups less one, or less where groups never met.
        * ``p_value`` (float) - chance of a statistic as large if all groups stayed equally long.
        * ``p_adjusted`` (float) - the same, adjusted for the number of pairs; only with `pairs`.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If there is one group only, nobody left, or a value cannot be used.

    Notes
    -----
    The even test sees best a group that leaves faster by a constant factor. Curves that cross can
    differ much and test equal: draw them with :func:`plot_survival`. Choose `emphasis` before
    looking at them.

    References
    ----------
    .. [1] Mantel, N. (1966). Evaluation of survival data and two new rank order statistics
       arising in its consideration. *Cancer Chemother. Rep.* 50, 163-170.
    .. [2] Peto, R. and Peto, J. (1972). Asymptotically efficient rank invariant test procedures.
       *J. R. Stat. Soc. A* 135, 185-207.
    .. [3] Klein, J. P. and Moeschberger, M. L. (2003). *Survival Analysis*, 2nd ed. Springer.
       Chapter 7: weights, strata and delayed entry.

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
    columns = read_by(by, reserved=("pair", *_COLUMNS), rowwise=ROWWISE, needed=True)
    layers = [] if strata is None else check_columns(strata, "strata")
    check_choice(emphasis, "emphasis", Emphasis)
    check_choice(adjust, "adjust", Adjustment)
    check_flag(pairs, "pairs")
    tenures, frame = read_tenures(
        customers,
        duration,
        event,
        entry=entry,
        weights=weights,
        columns=list(dict.fromkeys([*columns, *layers])),
    )
    group, groups = group_codes(frame, columns)
    if len(groups) < 2:
        raise InputError(f"`by`: {columns} makes one group only, so there is nothing to compare.")
    if not tenures.left.any():
        raise InputError(f"`customers`: nobody left (column {event!r}), so curves cannot differ.")
    if not tenures.counts:
        raise InputError(
            f"`weights`: column {weights!r} has weights that are no whole numbers, but a test "
            "needs to know how many customers a row stands for. Leave `weights` out, or compare "
            "the intervals of survival_table, which takes such weights."
        )
    stratum = group_codes(frame, layers)[0] if layers else None
    size = np.bincount(group, tenures.weight, minlength=len(groups)).astype(np.int64)

    def compared(codes: list[int], rows: Any) -> pd.DataFrame:
        test = logrank(
            tenures.at(rows),
            np.searchsorted(codes, group[rows]),
            len(codes),
            stratum=None if stratum is None else stratum[rows],
            emphasis=emphasis,
        )
        return _as_table(groups.iloc[codes].reset_index(drop=True), size[codes], test)

    if not pairs:
        return compared(list(range(len(groups))), slice(None))
    parts = []
    for number, pair in enumerate(combinations(range(len(groups)), 2), start=1):
        part = compared(list(pair), np.flatnonzero(np.isin(group, pair)))
        part.insert(len(columns), "pair", number)
        parts.append(part)
    adjusted = adjust_p_values([part["p_value"].iloc[0] for part in parts], adjust)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(p_adjusted=np.repeat(adjusted, 2))


def _as_table(groups: pd.DataFrame, size: Any, test: LogRank) -> pd.DataFrame:
    """Return a test as one row per group."""
    return groups.assign(
        customers=size,
        events=test.observed.astype(np.int64),
        expected_events=test.expected,
        statistic=test.statistic,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=test.p_value,
    )
