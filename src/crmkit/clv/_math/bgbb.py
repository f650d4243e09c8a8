"""The beta-geometric/beta-Bernoulli model (Fader, Hardie and Shang 2010).

At each of n opportunities a living customer buys with probability p ~ Beta(alpha, beta); before
each the customer drops out with probability theta ~ Beta(gamma, delta). x purchases, the last at
opportunity t_x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit.clv._math.ahead import Ahead, chance_of_leaving, renewing
from crmkit.clv._math.law import Limits, PeriodLaw, Processes
from crmkit.clv._math.likelihood import Part
from crmkit.clv._math.mixture import mixture, shares_of
from crmkit.clv._math.periods import renewals, survival_ratio
from crmkit.clv._math.prior import Quantity, beta_quantities
from crmkit.clv._math.special import alive_times, log_rising
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.clv._math.rows import Rows

__all__ = ["MOST_PERIODS", "BetaBernoulli", "density", "p_alive"]

# Likelihood and chances are sums over periods one by one.
MOST_PERIODS = 10_000


def _trials(x: Floats, t_x: Floats, n: Floats) -> tuple[Floats, Bools]:
    """Return opportunities lived through, (rows, 1 + longest gap); the first is living on."""
    gap = (n - t_x).astype(np.int64)
    trials = np.minimum(t_x[:, None] + np.arange(-1, int(gap.max())), n[:, None])
    trials[:, 0] = n
    absent = np.arange(trials.shape[1]) > gap[:, None]
    return np.where(absent, x[:, None], trials), absent


def density(theta: Sequence[Any], x: Floats, t_x: Floats, n: Floats) -> Any:
    """Return ln L (eq. 5) as a sum over when the customer dropped out, and its derivatives.

    Living on: ``B(alpha + x, beta + n - x) B(gamma, delta + n)``. Dropping out after the j-th
    opportunity, t_x <= j < n: ``B(alpha + x, beta + j - x) B(gamma + 1, delta + j)``. All over
    ``B(alpha, beta) B(gamma, delta)``.
    """
    alpha, beta, gamma, delta = (np.reshape(value, (-1, 1)) for value in theta)
    trials, absent = _trials(x, t_x, n)
    x = x[:, None]
    bought, missed = log_rising(alpha, x), log_rising(beta, trials - x)
    both = log_rising(alpha + beta, trials)
    lived = log_rising(delta, trials)
    dead = np.ones_like(trials)
    dead[:, 0] = 0.0
    fate = log_rising(gamma + delta, trials + dead)
    log = bought[0] + missed[0] - both[0] + lived[0] - fate[0] + dead * np.log(gamma)
    scores = [
        bought[1] - both[1],
        missed[1] - both[1],
        dead / gamma - fate[1],
        lived[1] - fate[1],
    ]
    curvatures = {
        (0, 0): bought[2] - both[2],
        (0, 1): -both[2],
        (1, 1): missed[2] - both[2],
        (2, 2): -dead / gamma**2 - fate[2],
        (2, 3): -fate[2],
        (3, 3): lived[2] - fate[2],
    }
    return mixture(np.where(absent, -np.inf, log), scores, curvatures)


def p_alive(theta: Sequence[Any], x: Floats, t_x: Floats, n: Floats) -> Floats:
    """P(alive at opportunity n | history), shape (n,): the share of living on in L."""
    alpha, beta, gamma, delta = (np.reshape(value, (-1, 1)) for value in theta)
    trials, absent = _trials(x, t_x, n)
    dead = np.ones_like(trials)
    dead[:, 0] = 0.0
    log = log_rising(beta, trials - x[:, None])[0] - log_rising(alpha + beta, trials)[0]
    log += log_rising(delta, trials)[0] - log_rising(gamma + delta, trials + dead)[0]
    log += dead * np.log(gamma)
    shares: Floats = shares_of(np.where(absent, -np.inf, log))[0]
    return shares[:, 0]


@dataclass(frozen=True, slots=True)
class BetaBernoulliFuture:
    """Posterior of n customers, arrays (n,): alive, Beta(alpha, beta) and Beta(gamma, delta)."""

    p_alive: Floats
    alpha: Floats
    beta: Floats
    gamma: Floats
    delta: Floats
    period_days: float

    def survival(self, days: float) -> Floats:
        """Return P(alive after the opportunities in `days`)."""
        periods = np.floor(days / self.period_days + 1e-9)
        return self.p_alive * survival_ratio(self.gamma, self.delta, periods)

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases at the opportunities in `days`, discounted at `rate` per day.

        ``P(alive) E[p] sum_j E[(1 - theta)^j] e^(-delta j)`` (eq. 13 and 14).
        """
        chances = renewals(self.gamma, self.delta, days / self.period_days, rate * self.period_days)
        return alive_times(self.p_alive, self.alpha / (self.alpha + self.beta) * chances)

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` purchases at the opportunities in `days`), shape (n, m).

        The sum, over how many of them the customer lives to see, of a beta-binomial.
        """
        periods = days / self.period_days
        if periods > MOST_PERIODS:
            raise InputError(
                f"`horizon_days` holds {periods:,.0f} periods of {self.period_days:g} days, more "
                f"than the {MOST_PERIODS:,} over which chances can add up. Look less far ahead."
            )
        chances = int(np.floor(periods + 1e-9))
        alpha, beta = self.alpha[:, None], self.beta[:, None]
        result = np.zeros((self.p_alive.size, counts.size))
        for lived in range(chances + 1):
            kept = survival_ratio(self.gamma, self.delta, lived)
            if lived < chances:
                # Dropped out before the next: E[(1 - theta)^l theta].
                kept = kept * self.gamma / (self.gamma + self.delta + lived)
            missed = np.maximum(lived - counts, 0.0)
            log = special.gammaln(lived + 1.0) - special.gammaln(missed + 1.0)
            log = log - special.gammaln(counts + 1.0) + log_rising(alpha, counts)[0]
            log = log + log_rising(beta, missed)[0] - log_rising(alpha + beta, float(lived))[0]
            result += kept[:, None] * np.exp(np.where(counts <= lived, log, -np.inf))
        found = self.p_alive[:, None] * result
        return found + np.where(counts == 0.0, 1.0 - self.p_alive[:, None], 0.0)

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` purchases at the opportunities in `days`), shape (n, m)."""
        chances = np.floor(days / self.period_days + 1e-9)
        found = self.exactly(days, np.arange(min(chances, MOST_PERIODS) + 1.0))
        tail = np.cumsum(found[:, ::-1], axis=1)[:, ::-1]
        index = np.minimum(counts, chances).astype(np.int64)
        return np.where(counts <= chances, np.where(counts > 0.0, tail[:, index], 1.0), 0.0)

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw the purchases at the opportunities in `days` of the customers `who`."""
        chances = int(np.floor(days / self.period_days + 1e-9))
        there = rng.random(who.size) < self.p_alive[who]
        left = chance_of_leaving(self.gamma[who], self.delta[who], rng)
        lived = np.where(there, left - 1.0, 0.0)
        owner, when = renewing(lived, chances, self.period_days)
        p = rng.beta(self.alpha[who], self.beta[who])
        buys = rng.random(owner.size) < p[owner]
        return Ahead(owner[buys], when[buys], there & (lived >= chances))


@dataclass(frozen=True, kw_only=True)
class BetaBernoulli(PeriodLaw):
    """At each opportunity one may leave, or stay and buy, with chances of the customer's own."""

    longest: float = MOST_PERIODS
    too_long: str = "BG/BB adds up over every one of them: count longer periods."
    names: tuple[str, ...] = ("alpha", "beta", "gamma", "delta")
    leaving: tuple[str, ...] = ("gamma", "delta")
    processes: Processes = (
        ("purchase", (("alpha", 1.0, "purchase_alpha"), ("beta", 1.0, "purchase_beta"))),
        ("dropout", (("gamma", 1.0, "dropout_gamma"), ("delta", 1.0, "dropout_delta"))),
    )
    quantities: tuple[Quantity, ...] = (
        *beta_quantities("p_purchase", "purchase_spread", "alpha", "beta"),
        *beta_quantities("p_dropout", "dropout_spread", "gamma", "delta"),
    )
    limits: Limits = (
        ("alpha+ beta+", "everybody buys with the same probability"),
        ("alpha- beta-", "each customer buys always or never"),
        ("gamma+ delta+", "everybody has the same dropout probability"),
        ("gamma- delta-", "each customer drops out at once or never"),
        ("gamma- delta+ | gamma- | delta+", "nobody drops out"),
        ("gamma+ delta- | gamma+ | delta-", "everybody drops out at once"),
        ("alpha- beta+ | alpha- | beta+", "hardly anybody buys again"),
        ("alpha+ beta- | alpha+ | beta-", "everybody alive buys every time"),
    )

    def parts(self, rows: Rows) -> list[Part]:
        """Return the likelihood of frequency, recency and periods."""
        return [Part(density, tuple(rows.columns.values()), rows.weight, rows.designs)]

    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from."""
        del rows
        starts = [(1.0, 1.0, 0.5, 3.0), (0.5, 2.0, 0.1, 2.0), (5.0, 5.0, 2.0, 20.0)]
        return [np.log(start).tolist() for start in starts]

    def future(self, theta: list[Any], columns: dict[str, Floats]) -> BetaBernoulliFuture:
        """Return what is known after n opportunities: P(alive), and given that the prior's form."""
        alpha, beta, gamma, delta = theta
        x, t_x, n = (columns[name] for name in ("frequency", "recency", "periods"))
        return BetaBernoulliFuture(
            p_alive=p_alive(theta, x, t_x, n),
            alpha=alpha + x,
            beta=beta + n - x,
            gamma=gamma + np.zeros_like(x),
            delta=delta + n,
            period_days=self.period_days,
        )

    def simulate(
        self, theta: list[Any], length: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Draw frequency, recency (n,) and who is alive at the last opportunity."""
        n = length
        alpha, beta, gamma, delta = (np.broadcast_to(value, n.shape) for value in theta)
        p, theta_drawn = rng.beta(alpha, beta), rng.beta(gamma, delta)
        frequency, recency = np.zeros(n.size, dtype=np.int64), np.zeros(n.size)
        alive = np.ones(n.size, dtype=bool)
        for period in range(1, int(n.max()) + 1):
            running = period <= n
            alive &= ~running | (rng.random(n.size) >= theta_drawn)
            buys = running & alive & (rng.random(n.size) < p)
            frequency += buys
            recency[buys] = period
        return {"frequency": frequency, "recency": recency, "periods": n, "alive": alive}
