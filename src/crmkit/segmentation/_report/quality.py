"""Which segments are worth having: each criterion measured, beside its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_mapping, optional_columns
from crmkit._checks import (
    Problems,
    check_number,
    check_optional,
    number_array,
    quoted,
    require_columns,
)
from crmkit._frames import with_account
from crmkit.errors import InputError
from crmkit.segmentation._report.criteria import (
    drift,
    existence,
    money,
    reach,
    sizes,
    stable,
    tells_later,
)
from crmkit.segmentation._report.profile import read_segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.segmentation._report.criteria import Measured


__all__ = ["segment_quality"]

WHOLE = "(all)"
# What each criterion is held against, and how the rule is said. Of "drift" the upper limit counts,
# of all others the lower one.
RULES = {
    "size": (30.0, "at least {:g} customers"),
    "share_of_customers": (0.02, "at least {:g} of customers"),
    "share_of_value": (0.02, "at least {:g} of value"),
    "homogeneous": (0.14, "at least {:g} of the variance vanishes within; by chance 0"),
    "distinct": (0.75, "told from the rest with chance at least {:g}; by chance 0.5"),
    "profitable": (0.0, "mean value above {:g}"),
    "reachable": (0.5, "at least {:g} of its customers"),
    "pays_for_action": (0.0, "gain minus cost of a separate action above {:g}"),
    "stable": (0.75, "bootstrap Jaccard at least {:g}"),
    "drift": (0.25, "stability index at most {:g}"),
    "eta_squared": (0.14, "at least {:g} of the variance lies between segments; by chance 0"),
    "agreement": (0.5, "adjusted Rand with what the columns tell at least {:g}; by chance 0"),
    "later_value": (0.0, "tells more than {:g} of the ranks of later value"),
}
_ABOVE = ("profitable", "pays_for_action", "later_value")


def segment_quality(
    customers: Any,
    segments: Any,
    *,
    columns: Sequence[str] | None = None,
    value: str | None = None,
    later_value: str | None = None,
    reachable: str | None = None,
    gain_per_contact: float | None = None,
    action_cost: float = 0.0,
    stability: Any = None,
    previous: Any = None,
    limits: Mapping[str, float] | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Measure whether each segment is large, homogeneous, distinct, profitable, reachable, stable.

    A rule is passed when the whole interval keeps it, never by the estimate alone, and segments
    drawn at random pass neither as homogeneous nor as distinct.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with the columns that segments should differ in.
    segments : DataFrame
        ``customer_id`` and ``segment``. Customers without a segment are left out.
    columns : list of str, optional
        What segments should differ in. The default is all usable columns but `value`,
        `later_value` and `reachable`; the result names them.
    value : str, optional
        Column of money, such as ``profit``; without it nothing is said of money.
    later_value : str, optional
        Column of money that came after the segments were made, to see whether they foretell it.
    reachable : str, optional
        Column that says whether a consented channel reaches the customer: True or 1, or yes.
        Missing consent is no consent.
    gain_per_contact : float, optional
        What contacting one customer is expected to bring after the cost of the contact.
    action_cost : float, default 0.0
        What it costs to treat one segment apart: the design of its own campaign or offer.
    stability : DataFrame, optional
        ``segment``, ``jaccard`` and, if present, its ``conf_low`` and ``conf_high``, as
        :attr:`BehaviourSegments.stability_`.
    previous : DataFrame, optional
        ``customer_id`` and ``segment`` of an earlier date, to measure drift.
    limits : dict of str to float, optional
        Limits to use instead of the default ones, by criterion.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per segment and criterion that could be measured, then those of all segments
        together:

        * ``segment`` (str) - name of the segment; ``(all)`` for the partition as a whole.
        * ``criterion`` (str) - see the notes.
        * ``measured`` (float) - its value; missing for a segment of one customer where others
          must judge it.
        * ``conf_low`` (float) - lower limit of ``measured``.
        * ``conf_high`` (float) - upper limit.
        * ``limit`` (float) - what it is held against.
        * ``rule`` (str) - the same in words, with what chance alone shows.
        * ``columns`` (str) - the columns of `customers` it was measured by, if any.
        * ``passed`` (bool) - whether the interval keeps the rule.

        ``attrs["account"]`` counts ``customers_without_segments``.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value cannot be used.

    Notes
    -----
    What needs a description of the segments is judged on customers who had no part in it: means,
    covariances and weights of columns come from four fifths, the judgement from the last fifth, in
    turn. Columns are standardised, far values drawn in.

    ``size``, ``share_of_customers``: as another base of as many customers would show (Wilson's
    limits). ``share_of_value``: Fieller's limits. ``homogeneous``: share of the variance that
    vanishes within the segment, over columns weighted by how much the segments explain of each
    (limits of a mean of squares, on the logarithm); averaged over customers it is ``eta_squared``
    of the partition, for which 0.14 is called large [1]_. ``distinct``: chance that a customer of
    the segment looks more like it than another does, all described by normal distributions
    (quadratic discriminant); Wilson's limits for as many pairs as the segment or the rest has
    customers, which is wide enough whatever the distribution [3]_. ``profitable``: mean value,
    Student's limits. ``reachable``: Wilson's limits. ``pays_for_action``: reachable customers x
    `gain_per_contact` - `action_cost`. ``stable``: mean Jaccard overlap with the clusters of
    bootstrap samples; below 0.6 a cluster hardly exists [2]_. ``drift``: population stability
    index against `previous` of the segment and the rest, or of all segments, with limits by the
    noncentral chi-square; above 0.25 the base has moved.

    Of all segments: ``agreement``, the adjusted Rand index of the segments with those that the
    columns tell for unseen customers, over resampled customers [4]_; ``later_value``, the share of
    the variance of ranks of `later_value` that segments explain.

    Student's limits need many customers where a few bring most: of segments of 30, intervals of
    95 % hold 78 %. Limits of ``distinct`` are too wide rather than too narrow.

    References
    ----------
    .. [1] Cohen, J. (1988). *Statistical Power Analysis for the Behavioral Sciences*, 2nd ed.
    .. [2] Hennig, C. (2007). Cluster-wise assessment of cluster stability. *Computational
       Statistics & Data Analysis*, 52(1), 258-271.
    .. [3] Birnbaum, Z. W. and Klose, O. M. (1957). Bounds for the variance of the Mann-Whitney
       statistic. *Annals of Mathematical Statistics*, 28(4), 933-945.
    .. [4] Hubert, L. and Arabie, P. (1985). Comparing partitions. *Journal of Classification*, 2,
       193-218.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(40),
    ...         "visits": [float(i % 20 + 50 * (i >= 20)) for i in range(40)],
    ...         "profit": [-3.0, -2.0, -4.0, -5.0] * 5 + [9.0, 8.0, 9.0, 7.0] * 5,
    ...     }
    ... )
    >>> segments = pd.DataFrame({"customer_id": range(40), "segment": ["a"] * 20 + ["b"] * 20})
    >>> quality = segment_quality(customers, segments, value="profit", limits={"size": 10})
    >>> quality[quality["segment"] != "(all)"].pivot(
    ...     index="criterion", columns="segment", values="passed"
    ... )
    segment                 a     b
    criterion
    distinct             True  True
    homogeneous          True  True
    profitable          False  True
    share_of_customers   True  True
    share_of_value      False  True
    size                 True  True
    """
    level = check_number(confidence_level, "confidence_level")
    limit = _limits(limits)
    frame, names, codes, account = read_segments(customers, segments)
    needed = optional_columns(value=value, later_value=later_value, reachable=reachable)
    require_columns(frame.columns, needed, "customers")
    each = sizes(codes, level)
    told: dict[str, str] = {}
    if value is not None:
        each |= money(_amounts(frame, value), codes, level)
        told |= dict.fromkeys(("share_of_value", "profitable"), value)
    alike, whole, used = existence(frame, codes, columns, needed, level)
    each |= alike
    told |= dict.fromkeys((*alike, *whole), ", ".join(used))
    if later_value is not None:
        whole |= tells_later(_amounts(frame, later_value), codes, level)
        told["later_value"] = later_value
    reached, counted = reach(frame, reachable, codes, level)
    each |= reached
    told |= dict.fromkeys(("reachable", "pays_for_action"), reachable or "")
    gain = check_optional(gain_per_contact, "gain_per_contact")
    if gain is not None:
        fixed = check_number(action_cost, "action_cost")
        estimate, *ends = (gain * count - fixed for count in counted["reached"])
        each["pays_for_action"] = (estimate, np.minimum(*ends), np.maximum(*ends))
    if stability is not None:
        each |= stable(stability, names)
    if previous is not None:
        moved, moved_in_all = drift(previous, names, each["size"][0], level)
        each, whole = each | moved, whole | moved_in_all
    table = pd.concat([_table(each, names, limit), _table(whole, [WHOLE], limit)])
    table.insert(7, "columns", table["criterion"].map(told).fillna("").astype(str))
    return with_account(table.reset_index(drop=True), account)


def _limits(limits: Mapping[str, float] | None) -> dict[str, float]:
    """Return the limit of every criterion."""
    given = {} if limits is None else check_mapping(limits, "limits", "criteria to numbers")
    unknown = [key for key in given if key not in RULES]
    if unknown:
        raise InputError(f"`limits` names {quoted(unknown)}; the criteria are {list(RULES)}.")
    own = {key: check_number(number, f"limits[{quoted(key)}]") for key, number in given.items()}
    return {criterion: limit for criterion, (limit, _) in RULES.items()} | own


def _amounts(frame: pd.DataFrame, column: str) -> Any:
    """Return a column of money."""
    problems = Problems("customers")
    amounts = number_array(frame[column], problems, column)
    problems.raise_if_any()
    return amounts


def _table(found: Measured, names: list[str], limit: dict[str, float]) -> pd.DataFrame:
    """Return one row per segment and criterion, judged."""
    parts = []
    for order, (criterion, (_, rule)) in enumerate(RULES.items()):
        if criterion not in found:
            continue
        measured, low, high = (np.atleast_1d(figure) for figure in found[criterion])
        bound = limit[criterion]
        if criterion == "drift":
            passed = high <= bound
        else:
            passed = low > bound if criterion in _ABOVE else low >= bound
        part = {
            "segment": names,
            "criterion": criterion,
            "measured": measured,
            "conf_low": low,
            "conf_high": high,
            "limit": bound,
            "rule": rule.format(bound),
            "passed": passed,
            "order": order,
            "code": np.arange(len(names)),
        }
        parts.append(pd.DataFrame(part))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["code", "order"], kind="stable", ignore_index=True)
    return table.drop(columns=["code", "order"])
