"""Whether the lift of a rule is the same at all times, and its limits at each.

In each window n orders, a with the antecedent, c with the consequent, x with both; m = a c / n is
what independence expects. All arrays of shape (rules, windows).

References
----------
.. [1] Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals
   for the risk ratio in cohort studies. *Biometrics* 34(3), 469-474. The delta method.
.. [2] Garwood, F. (1936). Fiducial limits for the Poisson distribution. *Biometrika* 28(3/4),
   437-442.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import normal_quantile

if TYPE_CHECKING:
    from crmkit._typing import Floats

FEW = 64  # orders with both sides, below which the test is exact
FEW_IN_WINDOW = 10  # below which the limits are


def _relative_variance(x: Floats, a: Floats, c: Floats, n: Floats, lift: Floats) -> Floats:
    """Return the variance of log lift where x orders are expected to hold both sides [1]_."""
    value: Floats = 1 / x - 1 / a - 1 / c + 1 / n + 2 * (lift - 1) / n
    return np.maximum(value, 0)


def lift_limits(
    x: Floats, a: Floats, c: Floats, n: Floats, confidence_level: float
) -> tuple[Floats, Floats]:
    """Return the limits of lift; NaN where a side is in no order.

    By the delta method [1]_, and of few orders by those of Poisson's mean [2]_, which err on the
    safe side.
    """
    z, tail = normal_quantile(confidence_level), (1 - confidence_level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = a * c / n
        lift = x / mean
        reach = np.exp(z * np.sqrt(_relative_variance(x, a, c, n, lift)))
        few = x < FEW_IN_WINDOW
        low = np.where(few, special.gammaincinv(np.maximum(x, 1), tail) / mean, lift / reach)
        high = np.where(few, special.gammaincinv(x + 1, 1 - tail) / mean, lift * reach)
    low = np.where(x == 0, 0.0, low)
    sold = mean > 0
    return np.where(sold, low, np.nan), np.where(sold, high, np.nan)


def chance_if_stable(x: Floats, a: Floats, c: Floats, n: Floats) -> Floats:
    """Return the p-value of one lift in all windows per rule, shape (rules,); 1 if there is none.

    Of few orders by the exact binomial test of each window against the others, twice the smaller
    tail, times the number of windows (two windows are one test). It takes the orders as
    Poisson's, of which those of sides with known counts vary less: it errs on the safe side.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where((a > 0) & (c > 0), a * c / n, 0.0)
        sold, total = mean > 0, x.sum(axis=1)
        pooled = total / mean.sum(axis=1)
        expected = pooled[:, None] * mean
        relative = _relative_variance(expected, a, c, n, pooled[:, None])
        # the formula may give nothing where more are expected than hold a side
        variance = expected**2 * np.maximum(relative, 0.1 / expected)
        weight = np.where(sold & (variance > 0), mean**2 / variance, 0.0)
        centre = (weight * np.where(sold, x / mean, 0.0)).sum(axis=1) / weight.sum(axis=1)
        off = np.where(sold, x / mean - centre[:, None], 0.0)
        chi = (weight * off**2).sum(axis=1)
        share = mean / mean.sum(axis=1, keepdims=True)
    n_windows = sold.sum(axis=1)
    some = np.where(np.isfinite(chi), special.chdtrc(np.maximum(n_windows - 1, 1), chi), 1.0)
    share = np.where(sold, share, 0.5)
    all_of = np.broadcast_to(total[:, None], x.shape)
    at_most = special.bdtr(x, all_of.astype(np.int64), share)
    at_least = np.where(
        x > 0, special.bdtrc(np.maximum(x - 1, 0), all_of.astype(np.int64), share), 1.0
    )
    tails = np.where(sold, np.minimum(at_most, at_least), 1.0)
    exact = np.minimum(
        2 * tails.min(axis=1, initial=1.0) * np.where(n_windows > 2, n_windows, 1), 1
    )
    tested = (n_windows > 1) & (total > 0)
    return np.where(tested, np.where(total < FEW, exact, some), 1.0)
