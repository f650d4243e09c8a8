"""What a purchase brings: how many of a customer's stay, a beta-binomial, and what those are worth.

A purchase of a customer stays with a probability that is Beta(a, b) across customers; k of n
stayed. ``a`` and ``b`` are the last two of the parameters, there where something was returned.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from crmkit.clv._math.law import Law
from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.prior import beta_quantities
from crmkit.clv._math.special import log_rise, log_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.clv._math.rows import Rows

__all__ = [
    "RETURNS",
    "SpendLaw",
    "draw_staying",
    "odds_of_staying",
    "p_stays",
    "simulate_kept",
    "stays_density",
]

RETURNS = (
    ("kept+ returned+", "the same share of everybody's purchases is returned"),
    ("kept- returned-", "each customer returns everything or nothing"),
)


@dataclass(frozen=True, kw_only=True)
class SpendLaw(Law):
    """P(a purchase stays) x the mean of those that stay; rows hold ``bought`` and ``kept``."""

    returns: bool = False

    def with_returns(self) -> Self:
        """Return the law with the parameters of what is returned."""
        back = beta_quantities("p_kept", "kept_spread", "kept", "returned", chance=(0.1, 0.995))
        names = (*self.names, "kept", "returned")
        return replace(self, returns=True, names=names, quantities=(*self.quantities, *back))

    @abstractmethod
    def amount_parts(self, rows: Rows) -> list[Part]:
        """Return the likelihood of the amounts that stay, of rows with at least one."""

    @abstractmethod
    def amount_starts(self) -> list[tuple[float, ...]]:
        """Return parameters of amounts to start from, which come in units of their mean."""

    @abstractmethod
    def expected(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return the mean of future amounts that stay; infinite where there is none."""

    @abstractmethod
    def ahead(
        self, theta: list[Any], columns: dict[str, Floats], owner: Ints, rng: np.random.Generator
    ) -> Floats:
        """Draw the amount of a purchase that stays of each `owner`, (e,), one of the rows."""

    @abstractmethod
    def simulate(
        self, theta: list[Any], kept: tuple[Floats, Floats], rng: np.random.Generator
    ) -> tuple[Floats, Floats, dict[str, NDArray[Any]], Floats]:
        """Draw the first amount, the sum of later ones, own columns and each true mean."""

    def parts(self, rows: Rows) -> list[Part]:
        """Return the likelihood of the amounts that stay and of which stay."""
        if not self.returns:
            return self.amount_parts(rows)
        k, n, at = rows.columns["kept"], rows.columns["bought"], len(self.names) - 2
        about = stays_density, (k, n), rows.weight, rows.designs
        part = compressed_part(*about, uses=(at, at + 1), value=stays_value)
        return [*self.amount_parts(rows.where(k > 0.0)), part]

    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from."""
        back: tuple[float, ...] = ()
        if self.returns:
            k, n = (float(rows.weight @ rows.columns[name]) for name in ("kept", "bought"))
            share = min(max(k / n, 0.01), 0.99)
            back = (4.0 * share, 4.0 * (1.0 - share))
        return [np.log((*start, *back)).tolist() for start in self.amount_starts()]


def stays_density(theta: Sequence[Any], k: Floats, n: Floats) -> Any:
    """Return ``ln B(a + k, b + n - k) - ln B(a, b)``, of the order in which they stayed or not."""
    *others, a, b = theta
    at = len(others)
    kept, back, all_of_them = log_rising(a, k), log_rising(b, n - k), log_rising(a + b, n)
    value = kept[0] + back[0] - all_of_them[0]
    gradient = {at: kept[1] - all_of_them[1], at + 1: back[1] - all_of_them[1]}
    hessian = {
        (at, at): kept[2] - all_of_them[2],
        (at, at + 1): -all_of_them[2],
        (at + 1, at + 1): back[2] - all_of_them[2],
    }
    return value, gradient, hessian


def stays_value(theta: Sequence[Any], k: Floats, n: Floats) -> Floats:
    """Return that alone."""
    a, b = theta[-2:]
    return log_rise(a, k) + log_rise(b, n - k) - log_rise(a + b, n)


def p_stays(theta: Sequence[Any], k: Floats, n: Floats) -> Floats:
    """Posterior mean of the probability that a purchase stays."""
    a, b = theta[-2:]
    result: Floats = (a + k) / (a + b + n)
    return result


def odds_of_staying(theta: Sequence[Any], k: Floats, n: Floats) -> Floats:
    """Return the posterior odds that a purchase stays."""
    result: Floats = (theta[-2] + k) / (theta[-1] + n - k)
    return result


def draw_staying(
    theta: Sequence[Any], k: Floats, n: Floats, owner: Ints, rng: np.random.Generator
) -> Bools:
    """Draw whether a purchase of each `owner`, (e,), stays, of customers who kept k of n."""
    chance = rng.beta(theta[-2] + k, theta[-1] + n - k)
    result: Bools = rng.random(owner.size) < chance[owner]
    return result


def simulate_kept(
    theta: Sequence[Any], n: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draw whether the first of n purchases stays, how many of the others do, and each P(stays)."""
    chance = rng.beta(theta[-2], theta[-1], n.shape)
    first = (rng.random(n.size) < chance) & (n > 0.0)
    later = rng.binomial(np.maximum(n - 1.0, 0.0).astype(np.int64), chance)
    return first.astype(np.float64), later.astype(np.float64), chance
