"""How many customers a test needs, and what it can see."""

from __future__ import annotations

import math

from scipy import special

__all__ = ["detectable_difference", "needed_size"]


def needed_size(
    *,
    base: float | None,
    spread: float | None,
    uplift: float,
    ratio: float,
    power: float,
    confidence_level: float,
    break_even: float = 0.0,
    inflation: float = 1.0,
) -> float:
    """Return the number of treated customers needed, not rounded.

    Rates (`base` given): Fleiss, Levin and Paik (2003), eq. 4.19, the two-sided normal test with
    pooled variance under no difference; against a `break_even` other than 0 with that of the rates
    themselves, as the interval has it. Amounts (`spread` given): the two-sided normal test. `ratio`
    is controls per treated customer, `inflation` what the variance is multiplied with.
    """
    alpha = float(special.ndtri(0.5 + confidence_level / 2))
    beta = float(special.ndtri(power))
    away = (uplift - break_even) ** 2 / inflation
    if base is None:
        assert spread is not None
        return (alpha + beta) ** 2 * spread**2 * (1 + 1 / ratio) / away
    p0, p1 = base, base + uplift
    pooled = (p1 + ratio * p0) / (1 + ratio)
    real = math.sqrt(p1 * (1 - p1) + p0 * (1 - p0) / ratio)
    null = real if break_even else math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    return (alpha * null + beta * real) ** 2 / away


def detectable_difference(
    *,
    base: float | None,
    spread: float | None,
    n_treated: float,
    ratio: float,
    power: float,
    confidence_level: float,
    break_even: float = 0.0,
    inflation: float = 1.0,
) -> float:
    """Return the smallest rise that `n_treated` treated customers show with this power.

    NaN if not even a rise to a rate of 1 would show.
    """
    options = {
        "ratio": ratio,
        "power": power,
        "confidence_level": confidence_level,
        "break_even": break_even,
        "inflation": inflation,
    }
    if base is None:
        unit = needed_size(base=None, spread=spread, uplift=break_even + 1.0, **options)
        return break_even + math.sqrt(unit / n_treated)
    low, high = break_even, 1 - base
    if high <= low or needed_size(base=base, spread=None, uplift=high, **options) > n_treated:
        return math.nan
    for _ in range(200):
        middle = (low + high) / 2
        if middle <= low or middle >= high:
            break
        if needed_size(base=base, spread=None, uplift=middle, **options) > n_treated:
            low = middle
        else:
            high = middle
    return high
