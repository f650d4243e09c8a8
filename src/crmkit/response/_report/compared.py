"""One treatment against the control group: the difference, its error, interval and test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from crmkit._arguments import check_columns, check_numbers
from crmkit._checks import Problems, check_number, number_array, quoted, require_columns
from crmkit._frames import sorted_codes
from crmkit.errors import InputError
from crmkit.response._math.adjusted import adjusted_difference, linear_ratio
from crmkit.response._math.looks import any_time_level, any_time_p_value, bounds, looked_p_value
from crmkit.response._math.money import studentised_difference
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

    from crmkit._typing import Bools, Floats, Ints

__all__ = ["LiftInterval", "Method", "Outcomes", "check_looks", "compared", "read_outcomes"]

LiftInterval = Literal["auto", "newcombe", "welch", "bootstrap"]

# Below these an interval has been found to promise more than it holds.
_AMOUNTS = 10
_CLUSTERS = 5


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of customers, (n,), and what goes with it where it was asked for.

    ``before`` (n, k) was known before the campaign, ``cluster`` (n,) are codes, ``below`` (n,) are
    the denominators of a ratio.
    """

    outcome: Floats
    before: Floats | None = None
    cluster: Ints | None = None
    below: Floats | None = None

    def of(self, rows: Bools) -> Outcomes:
        """Return some of the rows."""
        return Outcomes(
            self.outcome[rows],
            None if self.before is None else self.before[rows],
            None if self.cluster is None else self.cluster[rows],
            None if self.below is None else self.below[rows],
        )

    @property
    def n_units(self) -> int:
        """The number of customers, or of clusters of them."""
        return self.outcome.size if self.cluster is None else np.unique(self.cluster).size

    @property
    def too_few(self) -> bool:
        """Whether a mean, a slope per column and something to tell the error by are too much."""
        least = 2 if self.before is None else self.before.shape[1] + 3
        few = self.cluster is not None and self.n_units < _CLUSTERS
        return self.outcome.size < least or few or (self.below is not None and not self.below.any())


@dataclass(frozen=True, slots=True)
class Method:
    """How outcomes are compared: ``looks`` are shares of the plan, one number at any time."""

    interval: LiftInterval
    binary: bool
    level: float
    looks: list[float] | float | None
    n_draws: int
    rng: np.random.Generator

    @property
    def level_now(self) -> float:
        """The level of an interval that holds together with those of all other looks."""
        if self.looks is None:
            return self.level
        if isinstance(self.looks, list):
            return 1 - 2 * float(special.ndtr(-bounds(self.looks, 1 - self.level)[-1]))
        return any_time_level(self.looks, 1 - self.level)

    def p_value(self, p: float) -> float:
        """Return the p-value of all looks together from that of this one."""
        if self.looks is None or np.isnan(p):
            return p
        z = -float(special.ndtri(max(p, 1e-300) / 2))
        if isinstance(self.looks, list):
            return looked_p_value(z, self.looks)
        return any_time_p_value(z, self.looks, 1 - self.level)


def check_looks(looks: float | Sequence[float] | None) -> list[float] | float | None:
    """Return the shares of the planned customers at all looks so far, or the one at any time."""
    if looks is None:
        return None
    if not np.iterable(looks):
        return float(check_number(looks, "looks"))
    shares = [float(share) for share in check_numbers(looks, "looks")]
    if any(one >= other for one, other in pairwise(shares)) or shares[-1] > 1:
        raise InputError(
            f"`looks` must be shares of the planned customers that rise up to 1, such as "
            f"[0.2, 0.4] at the second look of five; got {quoted(looks)}."
        )
    return shares


def read_outcomes(
    people: pd.DataFrame, outcome: Floats, covariates: str | Sequence[str] | None,
    cluster: str | None, denominator: str | None, method: LiftInterval,
) -> Outcomes:  # fmt: skip
    """Return outcomes with what was asked for beside them."""
    found = Outcomes(outcome)
    given = {"covariates": covariates, "cluster": cluster, "denominator": denominator}
    asked = [name for name, value in given.items() if value is not None]
    if asked and method not in ("auto", "welch"):
        raise InputError(
            f"`method` {method!r} knows no `{asked[0]}`: leave it at 'auto', or that out."
        )
    problems = Problems("customers")
    if covariates is not None:
        columns = check_columns(covariates, "covariates")
        require_columns(people.columns, columns, "customers")
        values = [number_array(people[column], problems, column) for column in columns]
        found = replace(found, before=np.column_stack(values))
    if cluster is not None:
        codes = sorted_codes(people[cluster])[0]
        problems.rows(
            codes < 0,
            f"column {cluster!r} is missing",
            do="Give everybody who stands alone a cluster of their own.",
        )
        found = replace(found, cluster=codes)
    if denominator is not None:
        below = number_array(people[denominator], problems, denominator, low=0)
        found = replace(found, below=below)
    problems.raise_if_any()
    return found


def compared(sample: Outcomes, base: Outcomes, how: Method) -> dict[str, Any]:
    """Return one row of the comparison of treated and control outcomes."""
    row: dict[str, Any] = {
        "customers_treated": sample.outcome.size,
        "customers_control": base.outcome.size,
    }
    empty = {name: float("nan") for name in ("std_error", "conf_low", "conf_high", "p_value")}
    if sample.too_few or base.too_few:
        means = {"mean_treated": _mean(sample), "mean_control": _mean(base)}
        return {**row, **means, "uplift": float("nan"), **empty}
    if sample.below is not None and base.below is not None:
        sample = replace(sample, outcome=linear_ratio(sample.outcome, sample.below))
        base = replace(base, outcome=linear_ratio(base.outcome, base.below))
    uplift, error, low, high, p = _difference(sample, base, how)
    # Of so many equally likely ways to deal out the arms one is the most extreme on either side.
    p = how.p_value(max(p, least_p_value(sample.n_units, base.n_units)))
    found = {"std_error": error, "conf_low": low, "conf_high": high, "p_value": p}
    row |= {"mean_treated": float(sample.outcome.mean())}
    return {**row, "mean_control": float(base.outcome.mean()), "uplift": uplift, **found}


def _mean(sample: Outcomes) -> float:
    """Return the mean of outcomes, or their ratio, missing where there are none."""
    below = sample.outcome.size if sample.below is None else sample.below.sum()
    return float(sample.outcome.sum() / below) if below else float("nan")


def _difference(
    sample: Outcomes, base: Outcomes, how: Method
) -> tuple[float, float, float, float, float]:
    """Return difference, error, limits and the p-value of this look."""
    one, other = sample.outcome, base.outcome
    level, plain = how.level_now, sample.below is None
    if sample.before is not None or sample.cluster is not None:
        none = (np.zeros((one.size, 0)), np.zeros((other.size, 0)))
        before, clusters = none, None
        if sample.before is not None and base.before is not None:
            before = (sample.before, base.before)
        if sample.cluster is not None and base.cluster is not None:
            clusters = (sample.cluster, base.cluster)
        return adjusted_difference(one, other, before, clusters, level)
    if how.binary and plain and how.interval in ("auto", "newcombe"):
        counts = (one.sum(), one.size, other.sum(), other.size)
        uplift, error = (float(x) for x in rate_difference(*counts))
        p = group_against_rest(
            [counts[0]], [one.size], counts[0] + counts[2], one.size + other.size
        )
        low, high = (float(x) for x in newcombe_interval(*counts, level))
        return uplift, error, low, high, float(p[0])
    if how.interval == "bootstrap" or (how.interval == "auto" and plain):
        found = studentised_difference(one, other, level, n_draws=how.n_draws, rng=how.rng)
        if np.count_nonzero(one) + np.count_nonzero(other) >= _AMOUNTS or how.binary:
            return found
        unknown = float("nan")
        return found[0], unknown, unknown, unknown, found[4]
    treated, control = ((part.mean(), part.var(ddof=1), part.size) for part in (one, other))
    welch = [float(x) for x in welch_interval(treated, control, level)]
    return welch[0], welch[1], welch[2], welch[3], welch[4]
