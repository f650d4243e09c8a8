"""The Pareto/NBD model."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.pareto_future import ParetoFuture, simulate
from crmkit.clv._math.pareto_likelihood import counts_density, p_alive, times_density
from crmkit.clv._math.rows import alike_rows
from crmkit.clv._model.day_model import DayModel
from crmkit.clv._model.priors import Quantity, gamma_quantities
from crmkit.clv._model.purchases import ALIKE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats
    from crmkit.clv._model.future import Future
    from crmkit.clv._model.rows import Rows

__all__ = ["ParetoNBD", "starting_points"]


class ParetoNBD(DayModel):
    """Pareto/NBD: purchases and dropout at gamma-distributed rates, dropout at any time.

    While alive a customer buys at a random rate (gamma with shape ``r`` and rate ``alpha``, in
    days) and leaves for good at a random rate (gamma with ``s`` and ``beta``, in days).

    Parameters
    ----------
    purchase_covariates, dropout_covariates : list of str
        Columns that act on the purchase rate and on the dropout rate: each is multiplied by
        ``exp(effect * value)``.
    tie : list of lists of str
        Groups of terms that are held equal, such as ``[["purchase.x", "dropout.x"]]``.
    l2 : float
        Ridge penalty ``l2 / 2 * effect ** 2`` on the effects of covariates.
    prior : str or DataFrame, optional
        What is thought likely before the data: ``"weak"``, or a table of ``term``, ``low`` and
        ``high`` (95 % lie between) like ``prior_``; terms it lacks keep their weak default. The
        default is none: maximum likelihood.
    n_draws : int
        Posterior draws to keep where there is a prior, for ``interval="posterior"`` and
        ``"predictive"``.
    random_state : int, optional
        Seed of the draws.

    Attributes
    ----------
    parameters_, covariance_, log_likelihood_, aic_, bic_, converged_, gradient_norm_, boundary_
        As in :class:`crmkit.clv.BGNBD`.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.

    Notes
    -----
    A prior is stated in ``gap_days`` (``alpha / r``), ``gap_spread`` (``1 / sqrt(r)``),
    ``life_days`` (``beta / s``, the days that somebody stays at the mean rate of leaving; weak: 10
    to 20,000) and ``life_spread`` (``1 / sqrt(s)``).

    References
    ----------
    .. [1] Schmittlein, D. C., Morrison, D. G. and Colombo, R. (1987). Counting your customers:
       who are they and what will they do next? Management Science 33(1), 1-24.
    .. [2] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). RFM and CLV: using iso-value
       curves for customer base analysis. Journal of Marketing Research 42(4), 415-430.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 2, 5, 1, 0, 3, 9, 1],
    ...     "recency": [0.0, 150.0, 280.0, 20.0, 0.0, 90.0, 290.0, 200.0],
    ...     "T": [300.0, 290.0, 300.0, 310.0, 280.0, 300.0, 295.0, 305.0],
    ... })
    >>> model = clv.ParetoNBD().fit(customers)
    >>> model.parameters_["term"].tolist()
    ['r', 'alpha', 's', 'beta']
    """

    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    _scaled: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    _processes: ClassVar[dict[str, tuple[tuple[str, float, str], ...]]] = {
        "purchase": (("alpha", -1.0, "purchase"),),
        "dropout": (("beta", -1.0, "dropout"),),
    }
    _leaving: ClassVar[tuple[str, ...]] = ("s", "beta")
    _quantities: ClassVar[tuple[Quantity, ...]] = (
        *gamma_quantities("gap_days", "gap_spread", "r", "alpha", days=(1.0, 3650.0)),
        *gamma_quantities("life_days", "life_spread", "s", "beta", days=(10.0, 20000.0)),
    )
    _limits: ClassVar[tuple[tuple[frozenset[str], str], ...]] = (
        (frozenset({"r+", "alpha+"}), ALIKE),
        (
            frozenset({"s+", "beta+"}),
            "everybody leaves at the same rate (s and beta grow without bound)",
        ),
        (
            frozenset({"s-", "beta-"}),
            "each customer leaves at once or never (s and beta go to 0)",
        ),
        *(
            (frozenset(pattern), "nobody drops out")
            for pattern in ({"s-", "beta+"}, {"s-"}, {"beta+"})
        ),
        *(
            (frozenset(pattern), "everybody drops out at once")
            for pattern in ({"s+", "beta-"}, {"s+"}, {"beta-"})
        ),
        (frozenset({"r-"}), "hardly anybody buys again (r goes to 0)"),
    )

    def _runaway(self, flat: set[str], logs: dict[str, float]) -> set[str]:
        # At small s a lifetime beyond t has probability (beta / t)^s, whatever t, as beta vanishes.
        if "beta-" in flat and ("s-" in flat or logs["s"] < -3.0):
            return flat - {"s+"} | {"s-"}
        return super()._runaway(flat, logs)

    def _parts(self, rows: Rows) -> list[Part]:
        x, t_x, T = (rows.columns[name] for name in ("frequency", "recency", "T"))
        counts = compressed_part(counts_density, (x,), rows.weight, rows.designs, uses=(0,))
        return [counts, Part(times_density, (x, t_x, T), rows.weight, rows.designs)]

    def _starts(self, rows: Rows) -> list[list[float]]:
        mean = float(rows.weight @ rows.columns["frequency"] / rows.weight.sum())
        return starting_points(mean)

    def _future(self, theta: list[Any], columns: dict[str, Floats]) -> Future:
        r, alpha, s, beta = theta
        x, t_x, T = (columns[name] for name in ("frequency", "recency", "T"))
        alive = p_alive(theta, x, t_x, T)
        # What follows from being alive depends on counts and lengths alone.
        first, kind = alike_rows([x, T, *(value for value in theta if np.ndim(value))])
        alpha, beta = (value[first] if np.ndim(value) else value for value in (alpha, beta))
        x, T = x[first], T[first]
        return ParetoFuture(
            p_alive=alive,
            shape=r + x,
            rate=alpha + T,
            dropout_shape=s + np.zeros_like(x),
            dropout_rate=beta + T,
            kind=kind,
        )

    def _simulated(
        self, theta: list[Any], T: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        return simulate(theta, T, rng)


def starting_points(mean_frequency: float) -> list[list[float]]:
    """Return log-parameters to start from, the likeliest first, in units of the mean of `T`."""
    rate = max(mean_frequency, 1e-3)
    starts = [(0.5, 0.5 / rate, 0.6, 0.6)]
    for r, slow, s, beta in product((0.3, 2.0), (0.4, 2.0), (0.1, 0.6, 3.0), (0.03, 0.5, 5.0)):
        starts.append((r, slow * r / rate, s, beta))
    return [np.log(start).tolist() for start in starts]
