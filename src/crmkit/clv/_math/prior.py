"""Priors that are stated in quantities people know: days between purchases, chances, spreads.

Each quantity is taken on a scale on which it is normal, and is there a sum of log-parameters, or
the log of a sum of two parameters. From log-parameters to all quantities of a model the Jacobian
is constant, so that the density of the quantities is the density of the log-parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit._typing import Floats

__all__ = [
    "Prior",
    "Quantity",
    "Scale",
    "beta_quantities",
    "from_scale",
    "gamma_quantities",
    "to_scale",
]

# A positive number, a chance, and two spreads between 0 (all alike) and infinity or 1: the
# coefficient of variation of Gamma(r), 1 / sqrt(r), and the standard deviation of Beta(a, b) as a
# share of the largest possible, 1 / sqrt(1 + a + b). A plain number is any.
Scale = Literal["positive", "chance", "variation", "division", "plain"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a prior is about: its scale, how log-parameters make it, and its weak default.

    ``sums`` are the weights of log-parameters by name, ``pair`` two parameters whose sum it is;
    `low` and `high` hold 95 % of the default, with `of_unit` in multiples of the mean amount.
    """

    name: str
    scale: Scale
    low: float
    high: float
    sums: Mapping[str, float]
    pair: tuple[str, str] | None = None
    of_unit: bool = False


def gamma_quantities(
    typical: str, spread: str, shape: str, rate: str, *, days: tuple[float, float]
) -> tuple[Quantity, Quantity]:
    """Return the quantities of rates that are Gamma(shape, rate): days per event, and variation."""
    return (
        Quantity(typical, "positive", *days, {rate: 1.0, shape: -1.0}),
        Quantity(spread, "variation", 0.2, 5.0, {shape: 1.0}),
    )


def beta_quantities(
    typical: str, spread: str, a: str, b: str, *, chance: tuple[float, float] = (0.01, 0.9)
) -> tuple[Quantity, Quantity]:
    """Return the quantities of chances that are Beta(a, b): their mean, and how they divide."""
    return (
        Quantity(typical, "chance", *chance, {a: 1.0, b: -1.0}),
        Quantity(spread, "division", 0.1, 0.95, {}, pair=(a, b)),
    )


def to_scale(value: Floats, scale: Scale) -> Floats:
    """Return values on the scale on which they are normal."""
    if scale == "plain":
        return value
    if scale == "chance":
        return np.asarray(special.logit(value))
    if scale == "variation":
        return -2.0 * np.log(value)
    if scale == "division":
        return np.log(value**-2.0 - 1.0)
    return np.log(value)


def from_scale(value: Floats, scale: Scale) -> Floats:
    """Return what `to_scale` was given."""
    if scale == "plain":
        return value
    if scale == "chance":
        return np.asarray(special.expit(value))
    if scale == "variation":
        return np.exp(-0.5 * value)
    if scale == "division":
        return (1.0 + np.exp(value)) ** -0.5
    return np.exp(value)


@dataclass(frozen=True, slots=True)
class Prior:
    """Independent normals of q quantities of p coefficients, on their scales.

    A quantity is ``offset + sums @ coefficients``, plus ``ln(e^c_j + e^c_k)`` for the pair (j, k)
    where there is one.
    """

    sums: Floats
    offset: Floats
    pairs: tuple[tuple[int, int] | None, ...]
    mean: Floats
    deviation: Floats

    def quantities(self, coefficients: Floats) -> Floats:
        """Return the quantities of coefficients (..., p) on their scales, (..., q)."""
        value = self.offset + coefficients @ self.sums.T
        for row, pair in enumerate(self.pairs):
            if pair:
                value[..., row] += np.logaddexp(*(coefficients[..., at] for at in pair))
        result: Floats = value
        return result

    def slopes(self, coefficients: Floats) -> Floats:
        """Return the derivatives of the quantities, (q, p), at one point, or (d, q, p)."""
        result = np.broadcast_to(self.sums, (*coefficients.shape[:-1], *self.sums.shape)).copy()
        for row, pair in enumerate(self.pairs):
            if pair:
                j, k = pair
                share = special.expit(coefficients[..., j] - coefficients[..., k])
                result[..., row, j] += share
                result[..., row, k] += 1.0 - share
        return result

    def value(self, coefficients: Floats) -> Floats:
        """Return the log-density up to a constant; (..., p) -> (...)."""
        off = (self.quantities(coefficients) - self.mean) / self.deviation
        result: Floats = -0.5 * np.square(off).sum(axis=-1)
        return result

    def gradient(self, coefficients: Floats) -> Floats:
        """Return the derivatives of the log-density, (..., p)."""
        pull = (self.mean - self.quantities(coefficients)) / self.deviation**2
        result: Floats = np.einsum("...q,...qp->...p", pull, self.slopes(coefficients))
        return result

    def hessian(self, coefficients: Floats) -> Floats:
        """Return the second derivatives at one point, (p, p)."""
        slopes = self.slopes(coefficients) / self.deviation[:, None]
        result: Floats = -slopes.T @ slopes
        pull = (self.mean - self.quantities(coefficients)) / self.deviation**2
        for row, pair in enumerate(self.pairs):
            if pair:
                j, k = pair
                bend = special.expit(coefficients[j] - coefficients[k])
                bend = pull[row] * bend * (1.0 - bend)
                result[j, j] += bend
                result[k, k] += bend
                result[j, k] -= bend
                result[k, j] -= bend
        return result
