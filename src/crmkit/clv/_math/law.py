"""What a paper says about customers: a frozen specification, held by the model that learns.

A law names its parameters, says what covariates and priors act on and which models lie at its
limits, gives the likelihood in parts and where to start climbing it. A law of purchases says, too,
what comes next and how histories are drawn. It knows arrays; tables and fitting are the model's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead
    from crmkit.clv._math.likelihood import Part
    from crmkit.clv._math.prior import Quantity
    from crmkit.clv._math.rows import Rows

__all__ = ["Future", "Law", "Limits", "PeriodLaw", "Processes", "PurchaseLaw"]

# Process -> (parameter, sign of the effect on its logarithm, prefix of the term).
Processes = tuple[tuple[str, tuple[tuple[str, float, str], ...]], ...]
# Which limiting model lies where: parameters that ran away, such as "a- b+ | b+" -> its name.
Limits = tuple[tuple[str, str], ...]

# A dropout of e^-12, per chance or in the time observed, is none.
_NEVER = 12.0


class Future(Protocol):
    """What a law says about customers' behaviour after T, arrays of shape (n,)."""

    @property
    def p_alive(self) -> Floats:
        """P(alive at T)."""

    def survival(self, days: float) -> Floats:
        """Return P(alive at T + days)."""

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases in (T, T + days], discounted at `rate` per day."""

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw the purchases in (T, T + days] of the customers `who`, positions of shape (m,)."""

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m)."""

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m)."""


@dataclass(frozen=True, kw_only=True)
class Law(ABC):
    """Positive parameters in the order of the paper, and all that follows from them.

    ``scaled`` are those measured in days or money, ``paced`` those per day, ``leaving`` the two
    whose ratio tells how readily customers leave; the ``quantities`` of priors are as many as
    there are parameters.
    """

    names: tuple[str, ...]
    processes: Processes
    limits: Limits
    quantities: tuple[Quantity, ...]
    scaled: tuple[str, ...] = ()
    paced: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()

    @abstractmethod
    def parts(self, rows: Rows) -> list[Part]:
        """Return the likelihood of distinct rows in parts."""

    @abstractmethod
    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from, the likeliest first."""

    def offsets(self) -> dict[str, float]:
        """Return what is added to the logarithms of a prior's quantities beside parameters."""
        return {}

    def limit(self, flat: set[str], logs: Mapping[str, float]) -> str | None:
        """Return the name of the limiting model, or None inside the parameter space.

        `flat` are the parameters that ran away, such as ``"a+"``, `logs` where all of them are.
        """
        if not flat:
            return None
        left, named = self.runaway(flat, logs), []
        for ways, text in self.limits:
            for pattern in (set(way.split()) for way in ways.split("|")):
                if pattern <= left:
                    left -= pattern
                    named.append(text)
        if left:
            named.append("the data do not determine " + ", ".join(sorted(left)))
        return "; ".join(named)

    def runaway(self, flat: set[str], logs: Mapping[str, float]) -> set[str]:
        """Return which parameters ran away: where two did, one may have left the other behind."""
        for sign in "+-":
            together = {f"{name}{sign}" for name in self.leaving}
            if together and together <= flat:
                first, second = self.leaving
                odds = logs[first] - logs[second]
                if abs(odds) > _NEVER:
                    apart = {f"{first}-", f"{second}+"} if odds < 0 else {f"{first}+", f"{second}-"}
                    return (flat - together) | apart
        return flat


@dataclass(frozen=True, kw_only=True)
class PurchaseLaw(Law):
    """A law of repeat purchases and dropout; of histories that are no longer than it can bear."""

    longest: float = np.inf
    too_long: str = ""

    @abstractmethod
    def future(self, theta: list[Any], columns: dict[str, Floats]) -> Future:
        """Return the posterior of customers with these parameters and histories."""

    @abstractmethod
    def simulate(
        self, theta: list[Any], length: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Draw histories of the given lengths: the model's columns by name."""


@dataclass(frozen=True, kw_only=True)
class PeriodLaw(PurchaseLaw):
    """A law whose clock ticks once per period of so many days."""

    period_days: float = 1.0
