"""The gamma-gamma model of spend (Fader and Hardie 2013).

A customer's purchases are Gamma(p, nu) with nu ~ Gamma(q, v); z is the mean of x of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.prior import Quantity
from crmkit.clv._math.returns import RETURNS, SpendLaw
from crmkit.clv._math.special import log_beta, log_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.law import Limits, Processes
    from crmkit.clv._math.rows import Rows

__all__ = ["GammaSpend", "counts_density", "expected_spend", "spend_density"]


@dataclass(frozen=True, kw_only=True)
class GammaSpend(SpendLaw):
    """Gamma-distributed amounts around a mean of the customer's own."""

    names: tuple[str, ...] = ("p", "q", "v")
    scaled: tuple[str, ...] = ("v",)
    processes: Processes = (("spend", (("v", 1.0, "spend"),)),)
    quantities: tuple[Quantity, ...] = (
        Quantity("amount", "positive", 0.01, 100.0, {"p": 1.0, "q": -1.0, "v": 1.0}, of_unit=True),
        Quantity("order_spread", "variation", 0.1, 3.0, {"p": 1.0}),
        Quantity("amount_spread", "variation", 0.1, 1.2, {"q": 1.0}),
    )
    limits: Limits = (
        ("q+ v+", "all customers have the same mean spend (q and v grow without bound)"),
        ("p+ v-", "a customer spends the same each time (p grows without bound, v goes to 0)"),
        ("p+ q+", "everybody spends the same each time (p and q grow without bound)"),
        *RETURNS,
    )

    def amount_parts(self, rows: Rows) -> list[Part]:
        """Return what depends on counts alone, and the rest."""
        x, z = rows.columns["kept"], rows.columns["amount"]
        about = rows.weight, rows.designs
        counts = compressed_part(counts_density, (x,), *about, uses=(0, 1), value=counts_value)
        return [counts, Part(spend_density, (x, z), *about, value=spend_value)]

    def amount_starts(self) -> list[tuple[float, ...]]:
        """Return parameters to start from."""
        return [(3.0, 3.0, 1.0), (1.0, 20.0, 20.0)]

    def expected(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return the mean of future amounts that stay; infinite where there is none."""
        return expected_spend(theta, columns["kept"], columns["amount"])

    def ahead(
        self, theta: list[Any], columns: dict[str, Floats], owner: Ints, rng: np.random.Generator
    ) -> Floats:
        """Draw the amount of a purchase of each `owner`, (e,), one of n customers."""
        p, q, v = theta[:3]
        x, z = columns["kept"], columns["amount"]
        scale = np.maximum(rng.gamma(p * x + q), 1e-300) / (v + x * z)
        shape = np.broadcast_to(p, x.shape)[owner]
        return np.asarray(rng.gamma(shape) / scale[owner], dtype=np.float64)

    def simulate(
        self, theta: list[Any], kept: tuple[Floats, Floats], rng: np.random.Generator
    ) -> tuple[Floats, Floats, dict[str, NDArray[Any]], Floats]:
        """Draw the first amount, the sum of later ones, and each customer's true mean."""
        p, q, v = theta[:3]
        scale = rng.gamma(np.broadcast_to(q, kept[0].shape), 1.0) / v
        sums = [np.where(n > 0, rng.gamma(np.maximum(p * n, 1e-300)) / scale, 0.0) for n in kept]
        return sums[0], sums[1], {}, p / scale


def counts_density(theta: Sequence[Any], x: Floats) -> Any:
    """Terms that depend on the number of purchases only: ``-ln B(p x, q)`` (eq. 1a)."""
    p, q = theta[:2]
    s = p * x
    by_s, by_q = log_rising(s, q), log_rising(q, s)
    hessian = {
        (0, 0): x**2 * by_s[2],
        (0, 1): x * special.polygamma(1, s + q),
        (1, 1): by_q[2],
    }
    return counts_value(theta, x), {0: x * by_s[1], 1: by_q[1]}, hessian


def counts_value(theta: Sequence[Any], x: Floats) -> Floats:
    """Return those terms alone."""
    return -log_beta(theta[0] * x, theta[1])


def spend_density(theta: Sequence[Any], x: Floats, z: Floats) -> Any:
    """Return the rest, with u = x z: ``q ln v / (u + v) + p x ln u / (u + v) - ln z``."""
    p, q, v = theta[:3]
    u = x * z
    inverse = 1.0 / (u + v)
    low, high = -np.log1p(u / v), -x * np.log1p(v / u)
    share = u / v * inverse
    gradient = {0: high, 1: low, 2: q * share - p * x * inverse}
    hessian = {
        (0, 2): -x * inverse,
        (1, 2): share,
        (2, 2): p * x * inverse**2 - q * share * (1.0 / v + inverse),
    }
    return q * low + p * high - np.log(z), gradient, hessian


def spend_value(theta: Sequence[Any], x: Floats, z: Floats) -> Floats:
    """Return the rest alone."""
    p, q, v = theta[:3]
    u = x * z
    result: Floats = -q * np.log1p(u / v) - p * x * np.log1p(v / u) - np.log(z)
    return result


def expected_spend(theta: Sequence[Any], x: Floats, z: Floats) -> Floats:
    """Posterior mean of a customer's spend per purchase (eq. 5); infinite if p x + q <= 1."""
    p, q, v = theta[:3]
    mass = p * x + q - 1.0
    mean = p * (v + x * z) / np.where(mass > 0.0, mass, 1.0)
    return np.where(mass > 0.0, mean, np.inf)
