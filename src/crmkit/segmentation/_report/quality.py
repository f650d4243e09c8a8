"""Which segments are worth having: each criterion measured, beside its rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_mapping, optional_columns
from crmkit._arrays import mean_interval, wilson_interval
from crmkit._checks import (
    Problems,
    check_number,
    check_optional,
    number_array,
    quoted,
    require_columns,
)
from crmkit._frames import read_customers, to_pandas, with_account
from crmkit._learn import FeatureEncoder, area_under_curve
from crmkit.errors import InputError
from crmkit.segmentation._math import homogeneity, likeness, population_stability
from crmkit.segmentation._report.profile import read_segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["segment_quality"]

# The limit of each criterion; "drift" is an upper limit, the others are lower ones.
LIMITS = {
    "size": 30.0,
    "share_of_customers": 0.02,
    "share_of_value": 0.02,
    "homogeneous": 0.14,
    "distinct": 0.75,
    "profitable": 0.0,
    "reachable": 0.5,
    "pays_for_action": 0.0,
    "stable": 0.75,
    "drift": 0.25,
}
RULES = {
    "size": "at least {:g} customers",
    "share_of_customers": "at least {:g} of customers",
    "share_of_value": "at least {:g} of value",
    "homogeneous": "grouping takes away at least {:g} of the variance",
    "distinct": "area under curve against the rest at least {:g}",
    "profitable": "lower limit of mean value above {:g}",
    "reachable": "at least {:g} of its customers",
    "pays_for_action": "gain minus cost of a separate action above {:g}",
    "stable": "bootstrap Jaccard at least {:g}",
    "drift": "all parts of the stability index together at most {:g}",
}


def segment_quality(
    customers: Any,
    segments: Any,
    *,
    columns: Sequence[str] | None = None,
    value: str | None = None,
    reachable: str | None = None,
    gain_per_contact: float | None = None,
    action_cost: float = 0.0,
    stability: Any = None,
    previous: Any = None,
    limits: Mapping[str, float] | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Measure whether each segment is large, homogeneous, distinct, profitable, reachable, stable.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with the columns that segments should differ in.
    segments : DataFrame
        ``customer_id`` and ``segment``. Customers without a segment are left out.
    columns : list of str, optional
        What segments should differ in. The default is all usable columns but `value` and
        `reachable`.
    value : str, optional
        Column of money, such as ``profit``; without it nothing is said of money.
    reachable : str, optional
        Column that is true or 1 where a consented channel reaches the customer.
    gain_per_contact : float, optional
        What contacting one customer is expected to bring after the cost of the contact.
    action_cost : float, default 0.0
        What it costs to treat one segment apart: the design of its own campaign or offer.
    stability : DataFrame, optional
        ``segment`` and ``jaccard``, as :attr:`BehaviourSegments.stability_`.
    previous : DataFrame, optional
        ``customer_id`` and ``segment`` of an earlier date, to measure drift.
    limits : dict of str to float, optional
        Limits to use instead of the default ones, by criterion.
    confidence_level : float, default 0.95
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per segment and criterion that could be measured:

        * ``segment`` (str) - name of the segment.
        * ``criterion`` (str) - see the notes.
        * ``measured`` (float) - its value.
        * ``conf_low`` (float) - lower limit, for means of money and shares; else missing.
        * ``conf_high`` (float) - upper limit, likewise.
        * ``limit`` (float) - what it is held against.
        * ``rule`` (str) - the same in words.
        * ``passed`` (bool) - whether the segment keeps the rule.

        ``attrs["account"]`` counts ``customers_without_segments``.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value cannot be used.

    Notes
    -----
    ``size``, ``share_of_customers``, ``share_of_value``: counts and shares. ``homogeneous``: share
    of the variance of all columns together, standardised, that vanishes within the segment;
    weighted by size it averages to eta squared, for which 0.14 is called large [1]_.
    ``distinct``: chance that a customer of the segment looks more like it than another does, both
    described by normal distributions (quadratic discriminant); 0.5 is no better than a guess.
    ``profitable``: mean value with Student's interval. ``reachable``: share with Wilson's
    interval. ``pays_for_action``: reachable customers x `gain_per_contact` - `action_cost`.
    ``stable``: mean Jaccard overlap with the clusters of bootstrap samples; below 0.6 a cluster
    hardly exists [2]_. ``drift``: the segment's part of the population stability index against
    `previous`, with half a customer added to every count; above 0.25 in all, the base has moved.

    ``distinct`` is judged on the customers who made the description: of segments of 30 drawn at
    random, described by ten numbers, all pass, and 8 % pass as ``homogeneous``. Student's limits
    need many customers where a few bring most: of these 30, intervals of 95 % hold 78 %.

    References
    ----------
    .. [1] Cohen, J. (1988). *Statistical Power Analysis for the Behavioral Sciences*, 2nd ed.
    .. [2] Hennig, C. (2007). Cluster-wise assessment of cluster stability. *Computational
       Statistics & Data Analysis*, 52(1), 258-271.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(6),
    ...         "visits": [1.0, 2.0, 3.0, 11.0, 12.0, 13.0],
    ...         "profit": [-3.0, -2.0, -4.0, 9.0, 8.0, 9.0],
    ...     }
    ... )
    >>> segments = pd.DataFrame({"customer_id": range(6), "segment": ["a"] * 3 + ["b"] * 3})
    >>> quality = segment_quality(customers, segments, value="profit", limits={"size": 3})
    >>> quality.pivot(index="criterion", columns="segment", values="passed")
    segment                 a     b
    criterion
    distinct             True  True
    homogeneous          True  True
    profitable          False  True
    share_of_customers   True  True
    share_of_value      False  True
    size                 True  True
    """
    confidence_level = check_number(confidence_level, "confidence_level")
    limit = _limits(limits)
    frame, names, codes, account = read_segments(customers, segments)
    needed = optional_columns(value=value, reachable=reachable)
    require_columns(frame.columns, needed, "customers")
    n = np.bincount(codes, minlength=len(names)).astype(np.float64)
    found: dict[str, Any] = {"size": n, "share_of_customers": n / n.sum()}
    problems = Problems("customers")
    if value is not None:
        worth = number_array(frame[value], problems, value)
        problems.raise_if_any()
        found |= _money(worth, codes, n, confidence_level)
    matrix = _matrix(frame, columns, needed)
    found["homogeneous"] = homogeneity(matrix, codes)
    if len(names) > 1:
        found["distinct"] = np.array(
            [area_under_curve(likeness(matrix, codes == k), codes == k) for k in range(len(names))]
        )
    reached: Floats = n
    if reachable is not None:
        flag = number_array(frame[reachable], problems, reachable, low=0)
        problems.raise_if_any()
        flag = (flag > 0).astype(np.float64)
        reached = np.bincount(codes, weights=flag, minlength=len(names)).astype(np.float64)
        low, high = wilson_interval(reached, n, confidence_level)
        found["reachable"] = (reached / n, low, high)
    gain = check_optional(gain_per_contact, "gain_per_contact")
    if gain is not None:
        fixed = check_number(action_cost, "action_cost")
        found["pays_for_action"] = reached * gain - fixed
    if stability is not None:
        found["stable"] = _stability(stability, names)
    if previous is not None:
        found["drift"] = _drift(previous, names, n)
    return with_account(_table(found, names, limit), account)


def _limits(limits: Mapping[str, float] | None) -> dict[str, float]:
    """Return the limit of every criterion."""
    given = {} if limits is None else check_mapping(limits, "limits", "criteria to numbers")
    unknown = [key for key in given if key not in LIMITS]
    if unknown:
        raise InputError(f"`limits` names {quoted(unknown)}; the criteria are {list(LIMITS)}.")
    return LIMITS | {key: check_number(v, f"limits[{key!r}]") for key, v in given.items()}


def _matrix(frame: pd.DataFrame, columns: Sequence[str] | None, exclude: list[str]) -> Floats:
    """Return the columns that segments should differ in, standardised."""
    encoder = FeatureEncoder(columns=columns, exclude=[*exclude, "segment"])
    matrix = encoder.fit(frame).transform(frame)
    spread = matrix.std(axis=0)
    return np.asarray(matrix / np.where(spread > 0, spread, 1.0))


def _money(worth: Floats, codes: Ints, n: Floats, confidence_level: float) -> dict[str, Any]:
    """Return the criteria that speak of money."""
    overall = float(worth.mean())
    centred = worth - overall
    total = np.bincount(codes, weights=centred, minlength=n.size)
    square = np.bincount(codes, weights=centred**2, minlength=n.size)
    mean, _, low, high = mean_interval(total, square, n, confidence_level)
    found: dict[str, Any] = {}
    if worth.sum() > 0:
        found["share_of_value"] = (total + n * overall) / worth.sum()
    found["profitable"] = (overall + mean, overall + low, overall + high)
    return found


def _stability(stability: Any, names: list[str]) -> Floats:
    """Return the Jaccard overlap of each segment."""
    table = to_pandas(stability, "stability", needs=["segment", "jaccard"], optional=())
    problems = Problems("stability")
    values = number_array(table["jaccard"], problems, "jaccard")
    given = dict(zip(table["segment"].astype(str), values, strict=True))
    lacking = [name for name in names if name not in given]
    if lacking:
        problems.add(f"it lacks the segment(s) {lacking}.")
    problems.raise_if_any()
    return np.array([given[name] for name in names])


def _drift(previous: Any, names: list[str], n: Floats) -> Floats:
    """Return each segment's part of the population stability index.

    What earlier customers were in segments that no longer exist counts as one class more.
    """
    table = read_customers(previous, needs=["segment"], optional=(), name="previous")
    earlier = table["segment"].astype(str).value_counts()
    before = np.array([earlier.get(name, 0) for name in names], dtype=np.float64)
    vanished = float(earlier.sum()) - before.sum()
    if vanished:
        before, n = np.append(before, vanished), np.append(n, 0.0)
    return population_stability(before, n)


def _table(found: dict[str, Any], names: list[str], limit: dict[str, float]) -> pd.DataFrame:
    """Return one row per segment and criterion, judged."""
    k = len(names)
    nothing = np.full(k, np.nan)
    parts = []
    for order, criterion in enumerate(name for name in LIMITS if name in found):
        entry = found[criterion]
        measured, low, high = entry if isinstance(entry, tuple) else (entry, nothing, nothing)
        bound = limit[criterion]
        if criterion == "drift":
            passed = np.full(k, measured.sum() <= bound)
        elif criterion == "profitable":
            passed = low > bound
        elif criterion == "pays_for_action":
            passed = measured > bound
        else:
            passed = measured >= bound
        part = {
            "segment": names,
            "criterion": criterion,
            "measured": measured[:k],
            "conf_low": low,
            "conf_high": high,
            "limit": bound,
            "rule": RULES[criterion].format(bound),
            "passed": passed,
            "order": order,
            "code": np.arange(k),
        }
        parts.append(pd.DataFrame(part))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["code", "order"], kind="stable", ignore_index=True)
    return table.drop(columns=["code", "order"])
