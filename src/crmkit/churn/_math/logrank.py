"""Log-rank tests: whether groups share one survival curve, in strata, early, late or throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints
    from crmkit.churn._math.tenures import Tenures


__all__ = ["Emphasis", "LogRank", "logrank"]

Emphasis = Literal["even", "gehan", "tarone_ware", "peto", "early", "middle", "late"]

# The log-rank covariance needs one row per event time and one column per group at a time.
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class LogRank:
    """Observed and expected events per group, shape (k,), and the test over all groups."""

    observed: Floats
    expected: Floats
    statistic: float
    degrees_of_freedom: int
    p_value: float


def logrank(
    tenures: Tenures,
    group: Ints,
    n_groups: int,
    *,
    stratum: Ints | None = None,
    emphasis: Emphasis = "even",
) -> LogRank:
    """Test whether groups share one survival curve (Mantel 1966; Peto and Peto 1972).

    At each event time the d events are expected in proportion to the numbers at risk; their
    covariance is hypergeometric. Differences and covariances, times a weight by `emphasis` and its
    square, are summed over times and strata. The statistic is chi-squared with as many degrees of
    freedom as groups that met others, less one for each set of groups that met.
    `group` and `stratum`, codes, have shape (n,).
    """
    parts: list[Any] = [np.zeros(n_groups), np.zeros(n_groups), np.zeros(n_groups)]
    parts.append(np.zeros((n_groups, n_groups)))
    for rows in _strata(stratum):
        some = tenures.at(rows)
        if some.left.any():
            found = _stratum(some, group[rows], n_groups, emphasis)
            parts = [total + one for total, one in zip(parts, found, strict=True)]
    observed, expected, difference, covariance = parts
    size = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    correlation, far = covariance / np.outer(size, size), difference / size
    freedom = int(np.linalg.matrix_rank(correlation, tol=1e-8, hermitian=True))
    solution = np.linalg.pinv(correlation, rcond=1e-8, hermitian=True) @ far
    statistic = max(float(far @ solution), 0.0)
    p_value = float(special.chdtrc(freedom, statistic)) if freedom else 1.0
    return LogRank(observed, expected, statistic, freedom, p_value)


def _strata(stratum: Ints | None) -> list[slice | Ints]:
    """Return what selects the rows of each stratum."""
    if stratum is None:
        return [slice(None)]
    order = np.argsort(stratum, kind="stable")
    ends = np.searchsorted(stratum[order], np.arange(1, int(stratum.max()) + 1))
    return list(np.split(order, ends))


def _stratum(
    tenures: Tenures, group: Ints, n_groups: int, emphasis: Emphasis
) -> tuple[Any, Any, Any, Any]:
    """Return observed and expected events, weighted differences and their covariance."""
    all_times, _, events = tenures.totals()
    time, deaths = all_times[events > 0], events[events > 0].astype(np.float64)
    parts = [tenures.watched(group == code) for code in range(n_groups)]
    left = tenures.left
    one = None if tenures.weight is None else tenures.weight[left]
    observed = np.bincount(group[left], one, minlength=n_groups).astype(np.float64)
    weight: Floats = np.ones(time.size)
    difference: Any = observed
    if emphasis != "even":
        weight = _weights(emphasis, deaths, np.asarray(tenures.at_risk(time), np.float64))
        counted = weight[np.searchsorted(time, tenures.time[left])]
        counted = counted if one is None else counted * one
        difference = np.bincount(group[left], counted, minlength=n_groups)
    expected, covariance = np.zeros(n_groups), np.zeros((n_groups, n_groups))
    step = max(_CELLS_AT_ONCE // n_groups, 1)
    for start in range(0, time.size, step):
        rows = slice(start, start + step)
        at, d, w = time[rows], deaths[rows], weight[rows]
        risk = np.column_stack([part.at_risk(at) if part.time.size else 0 * at for part in parts])
        n = risk.sum(axis=1)
        share = risk / n[:, None]
        expected += d @ share
        difference = difference - (w * d) @ share
        spread = np.where(n > 1, w**2 * d * (n - d) / np.maximum(n - 1, 1), 0.0)
        covariance += np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return observed, expected, difference, covariance


def _weights(emphasis: Emphasis, deaths: Floats, at_risk: Floats) -> Floats:
    """Return the weight of each event time, shape (m,).

    Gehan (1965): n; Tarone and Ware (1977): its root; Peto and Peto (1972): the product of
    1 - d / (n + 1); Fleming and Harrington (1991): S^p (1 - S)^q, S the curve of all just before,
    with p, q = 1, 0 (early), 1, 1 (middle) and 0, 1 (late).
    """
    if emphasis == "gehan":
        return at_risk
    if emphasis == "tarone_ware":
        return np.asarray(np.sqrt(at_risk))
    if emphasis == "peto":
        return np.asarray(np.cumprod(1 - deaths / (at_risk + 1)))
    before = np.r_[1.0, np.cumprod(1 - deaths / at_risk)[:-1]]
    early = before if emphasis != "late" else np.ones(deaths.size)
    return np.asarray(early * (1 - before) if emphasis != "early" else early)
