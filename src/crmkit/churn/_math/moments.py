"""How much more a group changed than comparable others did at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Differences", "count_bins", "pooled_effect", "stratified_differences"]


@dataclass(frozen=True, slots=True)
class Differences:
    """Treated customers against their stratum's controls on one date; shapes (n_matched,).

    ``row`` are the treated that found a control, ``control`` the mean change of their controls.
    ``noise`` is the sum over strata of (treated)^2 x variance of the controls' mean: what the
    controls' own spread adds to the variance of the summed effects.
    """

    row: Ints
    control: Floats
    noise: float


def stratified_differences(
    change: Floats, stratum: Ints, treated: Bools, control: Bools
) -> Differences:
    """Compare the change of treated customers with that of controls in the same stratum.

    All arrays have shape (n,). A stratum needs at least two controls to count.
    """
    cells = int(stratum.max()) + 1 if stratum.size else 1
    m = np.bincount(stratum[control], minlength=cells).astype(np.float64)
    total = np.bincount(stratum[control], weights=change[control], minlength=cells)
    mean = total / np.maximum(m, 1)
    gap = (change - mean[stratum])[control] ** 2
    square = np.bincount(stratum[control], weights=gap, minlength=cells)
    variance = square / np.maximum(m - 1, 1)
    row = np.flatnonzero(treated & (m[stratum] >= 2))
    n = np.bincount(stratum[row], minlength=cells)
    noise = float(np.sum(n**2 * variance / np.maximum(m, 1)))
    return Differences(row=row, control=mean[stratum[row]], noise=noise)


def pooled_effect(effects: Floats, noise: float) -> tuple[float, float]:
    """Return mean effect and its standard error from effects (n,) and the controls' noise.

    With fewer than two effects the spread between customers is unknown and the error NaN.
    """
    n = effects.size
    if n == 0:
        return float("nan"), float("nan")
    mean = float(effects.mean())
    if n < 2:
        return mean, float("nan")
    return mean, float(np.sqrt(effects.var(ddof=1) / n + noise / n**2))


def count_bins(values: Ints, n_bins: int) -> Ints:
    """Return ``rank_bins`` of whole numbers from 0 up, (n,), by counting instead of sorting."""
    below = np.cumsum(np.bincount(values)) - np.bincount(values)
    return np.asarray((below * n_bins // max(values.size, 1))[values], dtype=np.int64)
