"""One treatment against the control group: the difference, its error, interval and test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._arguments import check_columns
from crmkit._checks import Problems, number_array, require_columns
from crmkit.errors import InputError
from crmkit.response._math.adjusted import adjusted_difference
from crmkit.response._math.money import bootstrap_means
from crmkit.response._math.rates import (
    group_against_rest,
    least_p_value,
    newcombe_interval,
    rate_difference,
    welch_interval,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["LiftInterval", "compared", "known_before"]

LiftInterval = Literal["auto", "newcombe", "welch", "bootstrap"]


def known_before(
    people: pd.DataFrame, covariates: str | Sequence[str] | None, method: LiftInterval
) -> Floats | None:
    """Return what was known before the campaign, (n, k)."""
    if covariates is None:
        return None
    columns = check_columns(covariates, "covariates")
    if method not in ("auto", "welch"):
        raise InputError(
            f"`method` {method!r} knows no `covariates`: leave it at 'auto', or them out."
        )
    require_columns(people.columns, columns, "customers")
    problems = Problems("customers")
    values = [number_array(people[column], problems, column) for column in columns]
    problems.raise_if_any()
    return np.column_stack(values)


def compared(
    sample: Floats,
    base: Floats,
    before: tuple[Floats, Floats] | None,
    binary: bool,
    method: LiftInterval,
    level: float,
    n_draws: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return one row of the comparison of treated and control outcomes, (n1,) and (n0,).

    `before` is what was known of both, (n1, k) and (n0, k).
    """
    n1, n0 = sample.size, base.size
    # A slope for each column beside the mean, and something left to tell the error by.
    if min(n1, n0) < (2 if before is None else before[0].shape[1] + 3):
        unknown = ["uplift", "std_error", "conf_low", "conf_high", "p_value"]
        return {
            "customers_treated": n1,
            "customers_control": n0,
            "mean_treated": float(sample.mean()) if n1 else float("nan"),
            "mean_control": float(base.mean()) if n0 else float("nan"),
            **dict.fromkeys(unknown, float("nan")),
        }
    of_sample, of_base = ((a.mean(), a.var(ddof=1), a.size) for a in (sample, base))
    uplift, error, low, high, p = (float(x) for x in welch_interval(of_sample, of_base, level))
    if binary and method in ("auto", "newcombe"):
        counts = (sample.sum(), n1, base.sum(), n0)
        uplift, error, _ = (float(x) for x in rate_difference(*counts))
        p = float(group_against_rest([counts[0]], [n1], counts[0] + counts[2], n1 + n0)[0])
        low, high = (float(x) for x in newcombe_interval(*counts, level))
    if before is not None:
        found = adjusted_difference(sample, before[0], base, before[1], level)
        uplift, error, low, high, p = found
    elif method == "bootstrap" or (method == "auto" and not binary):
        drawn = bootstrap_means(sample, n_draws=n_draws, rng=rng)
        drawn = drawn - bootstrap_means(base, n_draws=n_draws, rng=rng)
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]).tolist()
    # Of so many equally likely ways to deal out the arms one is the most extreme on either side.
    p = max(p, least_p_value(n1, n0))
    return {
        "customers_treated": n1,
        "customers_control": n0,
        "mean_treated": float(sample.mean()),
        "mean_control": float(base.mean()),
        "uplift": uplift,
        "std_error": error,
        "conf_low": low,
        "conf_high": high,
        "p_value": p,
    }
