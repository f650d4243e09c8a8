"""Survival out of hazards: in intervals of time, proportional, or accelerated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import ranges

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints
    from crmkit.churn._math.tenures import Tenures


__all__ = [
    "accelerated_log_survival",
    "interval_edges",
    "interval_log_survival",
    "person_periods",
    "proportional_log_survival",
]


def interval_edges(tenures: Tenures, n_intervals: int) -> Floats:
    """Return the ends of intervals that hold about equally many events, shape (k,), k at most n.

    Every edge is the time of an event, the last one that of the last event.
    """
    share = np.arange(1, n_intervals + 1) / n_intervals
    time, weight = tenures.time[tenures.left], tenures.weight
    weight = None if weight is None else weight[tenures.left]
    return np.unique(np.quantile(time, share, weights=weight, method="inverted_cdf"))


def person_periods(tenures: Tenures, edges: Floats) -> tuple[Ints, Ints, Floats]:
    """Return customer, interval and outcome of each interval that a customer was at risk in.

    Interval j ends with edges[j] and begins after the edge before. A customer who left in an
    interval was at risk in it (Singer and Willett 1993). One last seen inside it was so, if half
    of those who left in it had left by then; without that rule, wide intervals forget those who
    stayed for a part of them and hazards come out too high. One who came inside it was so, if half
    of them were still to leave. Where each interval holds one event time the rule is Kaplan and
    Meier's. `edges` has shape (k,).
    """
    time, event = tenures.time, tenures.left
    left_in = np.searchsorted(edges, time, side="left")
    gone = np.lexsort((time[event], left_in[event]))
    size = np.bincount(left_in[event], minlength=edges.size)
    middle = time[event][gone][np.cumsum(size) - size + (size - 1) // 2]
    end = np.where(event, left_in + 1, np.searchsorted(middle, time, side="right"))
    begin = np.zeros(time.size, dtype=np.int64)
    if tenures.entry is not None:
        late = np.searchsorted(middle, tenures.entry, side="right")
        begin = np.where(tenures.entry > 0, np.minimum(late, np.where(event, left_in, end)), 0)
    customer, interval = ranges(begin, end - begin)
    outcome = np.zeros(customer.size)
    outcome[np.cumsum(end - begin)[event] - 1] = 1.0
    return customer, interval, outcome


def interval_log_survival(hazard: Floats, edges: Floats, time: Floats) -> Floats:
    """Return log S(time) per customer, shape (n,), from hazards per interval, shape (n, k).

    log S is the sum of log(1 - h) over intervals past, and the part of the one that holds `time`
    in proportion. NaN beyond the last edge, where nothing was learned.
    """
    width = np.diff(np.r_[0.0, edges])
    place = np.minimum(np.searchsorted(edges, time, side="left"), edges.size - 1)
    begin = edges[place] - width[place]
    part = np.where(width[place] > 0, (time - begin) / np.maximum(width[place], 1e-300), 1.0)
    log_stay = np.log1p(-np.minimum(hazard, 1 - 1e-12))
    past = np.cumsum(log_stay, axis=1) - log_stay
    row = np.arange(time.size)
    total = past[row, place] + np.clip(part, 0.0, 1.0) * log_stay[row, place]
    return np.where(time > edges[-1], np.nan, total)


def proportional_log_survival(
    time: Floats, base_time: Floats, base_hazard: Floats, risk: Floats
) -> Floats:
    """Return log S(time) = -H0(time) exp(risk) per customer, shape (n,) (Cox 1972, eq. 9).

    H0 steps at `base_time`, ascending, shape (m,). NaN beyond its last time.
    """
    place = np.searchsorted(base_time, time, side="right")
    total = np.r_[0.0, base_hazard][place]
    return np.where(time > base_time[-1], np.nan, -total * np.exp(risk))


def accelerated_log_survival(
    time: Floats, location: Floats, scale: float, distribution: str
) -> Floats:
    """Return log S(time) where log time is `location` plus noise over `scale`, shape (n,).

    With z = scale (log time - location): Weibull -exp(z); log-logistic -log(1 + exp(z));
    log-normal log Phi(-z) (Kalbfleisch and Prentice 2002, sec. 2.2).
    """
    with np.errstate(divide="ignore", over="ignore"):
        z = scale * (np.log(time) - location)
        if distribution == "weibull":
            return np.asarray(-np.exp(z))
    if distribution == "loglogistic":
        return np.asarray(-np.logaddexp(0.0, z))
    return np.asarray(special.log_ndtr(-z))
