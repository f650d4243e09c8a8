"""Lognormal spend whose median differs by customer: normal amounts with a normal mean, in logs.

The logarithms of a customer's amounts are N(m, w), and m is N(ln(median), b) across customers. k
amounts have the mean y and the mean square deviation d around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.likelihood import Part
from crmkit.clv._math.prior import Quantity
from crmkit.clv._math.returns import RETURNS, SpendLaw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.law import Limits, Processes
    from crmkit.clv._math.rows import Rows

__all__ = ["LognormalAmounts", "expected_lognormal", "lognormal_density"]


@dataclass(frozen=True, kw_only=True)
class LognormalAmounts(SpendLaw):
    """Lognormal amounts around a median of the customer's own."""

    names: tuple[str, ...] = ("median", "within", "between")
    scaled: tuple[str, ...] = ("median",)
    processes: Processes = (("spend", (("median", 1.0, "spend"),)),)
    quantities: tuple[Quantity, ...] = (
        Quantity("amount", "positive", 0.01, 100.0, {"median": 1.0}, of_unit=True),
        Quantity("order_spread", "positive", 0.05, 3.0, {"within": 0.5}),
        Quantity("amount_spread", "positive", 0.05, 3.0, {"between": 0.5}),
    )
    limits: Limits = (
        ("between-", "all customers have the same mean spend (between goes to 0)"),
        ("within-", "a customer spends the same each time (within goes to 0)"),
        *RETURNS,
    )

    def amount_parts(self, rows: Rows) -> list[Part]:
        """Return the likelihood of the amounts that stay."""
        k, y, s = (rows.columns[name] for name in ("kept", "log_amount_mean", "log_amount_std"))
        return [Part(lognormal_density, (k, y, s**2), rows.weight, rows.designs)]

    def amount_starts(self) -> list[tuple[float, ...]]:
        """Return parameters to start from."""
        return [(1.0, 0.3, 0.3), (1.0, 1.0, 0.1), (1.0, 0.1, 1.0)]

    def expected(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return the mean of future amounts that stay."""
        return expected_lognormal(theta, columns["kept"], columns["log_amount_mean"])

    def ahead(
        self, theta: list[Any], columns: dict[str, Floats], owner: Ints, rng: np.random.Generator
    ) -> Floats:
        """Draw the amount of a purchase of each `owner`, (e,), one of n customers."""
        k, y = columns["kept"], columns["log_amount_mean"]
        median, w, b = (np.broadcast_to(value, k.shape) for value in theta[:3])
        known = k * b / (w + k * b)
        mean = (1.0 - known) * np.log(median) + known * y
        own = rng.normal(mean, np.sqrt(b * (1.0 - known)))
        result: Floats = np.exp(rng.normal(own[owner], np.sqrt(w[owner])))
        return result

    def simulate(
        self, theta: list[Any], kept: tuple[Floats, Floats], rng: np.random.Generator
    ) -> tuple[Floats, Floats, dict[str, NDArray[Any]], Floats]:
        """Draw the first amount, the sum of later ones, the moments of logarithms, true means."""
        first, later = kept
        median, w, b = theta[:3]
        m = rng.normal(np.broadcast_to(np.log(median), first.shape), np.sqrt(b))
        count = (first + later).astype(np.int64)
        who = np.repeat(np.arange(count.size), count)
        log = rng.normal(m[who], np.sqrt(w))
        opens = np.zeros(who.size, dtype=bool)
        opens[(np.cumsum(count) - count)[first > 0.0]] = True
        amount = np.exp(log)

        def total(values: Floats) -> Floats:
            found: Floats = np.bincount(who, values, count.size).astype(np.float64, copy=False)
            return found

        mean = total(log) / np.maximum(count, 1)
        spread = np.sqrt(total((log - mean[who]) ** 2) / np.maximum(count, 1))
        own = {"log_amount_mean": mean, "log_amount_std": spread}
        return total(amount * opens), total(amount * ~opens), own, np.exp(m + w / 2.0)


def lognormal_density(theta: Sequence[Any], k: Floats, y: Floats, d: Floats) -> Any:
    """Return the density of the k amounts: of their deviations from y, and of y itself."""
    median, w, b = theta[:3]
    total, e = w + k * b, y - np.log(median)
    within = -0.5 * ((k - 1.0) * np.log(w) + k * d / w)
    between = -0.5 * (np.log(total) + k * e**2 / total)
    value = within + between - k * (0.5 * np.log(2.0 * np.pi) + y)
    pull = k * e / total
    by_total = 0.5 * (pull**2 / k - 1.0 / total)
    bend = 0.5 / total**2 - pull**2 / (k * total)
    gradient = {0: pull / median, 1: 0.5 * (k * d / w**2 - (k - 1.0) / w) + by_total}
    gradient[2] = k * by_total
    hessian = {
        (0, 0): -(k / total + pull) / median**2,
        (0, 1): -pull / (total * median),
        (0, 2): -k * pull / (total * median),
        (1, 1): 0.5 * (k - 1.0) / w**2 - k * d / w**3 + bend,
        (1, 2): k * bend,
        (2, 2): k**2 * bend,
    }
    return value, gradient, hessian


def expected_lognormal(theta: Sequence[Any], k: Floats, y: Floats) -> Floats:
    """Posterior mean of a customer's amount: ``exp(E[m] + Var[m] / 2 + w / 2)``."""
    median, w, b = theta[:3]
    known = k * b / (w + k * b)
    mean = (1.0 - known) * np.log(median) + known * y
    result: Floats = np.exp(mean + 0.5 * b * (1.0 - known) + 0.5 * w)
    return result
