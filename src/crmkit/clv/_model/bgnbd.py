"""The beta-geometric purchase models."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from crmkit.clv._math.bg_future import BetaGeometricFuture
from crmkit.clv._math.bg_likelihood import counts_density, p_alive, times_density
from crmkit.clv._math.bg_simulate import simulate
from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.rows import alike_rows, distinct_rows
from crmkit.clv._model.day_model import DayModel
from crmkit.clv._model.future import check_length
from crmkit.clv._model.priors import Quantity, beta_quantities, gamma_quantities
from crmkit.clv._model.purchases import ALIKE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats
    from crmkit.clv._model.future import Future
    from crmkit.clv._model.rows import Rows

__all__ = ["BGNBD", "BetaGeometric"]


NO_DROPOUT = "nobody drops out"


class BetaGeometric(DayModel):
    """What BG/NBD and its kin share."""

    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    _scaled: ClassVar[tuple[str, ...]] = ("alpha",)
    _processes: ClassVar[dict[str, tuple[tuple[str, float, str], ...]]] = {
        "purchase": (("alpha", -1.0, "purchase"),),
        "dropout": (("a", 1.0, "dropout_a"), ("b", 1.0, "dropout_b")),
    }
    _leaving: ClassVar[tuple[str, ...]] = ("a", "b")
    _quantities: ClassVar[tuple[Quantity, ...]] = (
        *gamma_quantities("gap_days", "gap_spread", "r", "alpha", days=(1.0, 3650.0)),
        *beta_quantities("p_dropout", "dropout_spread", "a", "b"),
    )
    _limits: ClassVar[tuple[tuple[frozenset[str], str], ...]] = (
        (frozenset({"r+", "alpha+"}), ALIKE),
        (
            frozenset({"a+", "b+"}),
            "everybody has the same dropout probability (a and b grow without bound)",
        ),
        (
            frozenset({"a-", "b-"}),
            "each customer drops out at the first chance or never (a and b go to 0)",
        ),
        (frozenset({"a-", "b+"}), NO_DROPOUT),
        (frozenset({"a-"}), NO_DROPOUT),
        (frozenset({"b+"}), NO_DROPOUT),
        (frozenset({"a+", "b-"}), "everybody drops out at the first chance"),
        (frozenset({"a+"}), "everybody drops out at the first chance"),
        (frozenset({"b-"}), "everybody drops out at the first chance"),
        (frozenset({"r-"}), "hardly anybody buys again (r goes to 0)"),
    )
    # Stages of a gap, and whether one can drop out right after the first purchase.
    _stages = 1
    _first_chance = 0

    def _parts(self, rows: Rows) -> list[Part]:
        x, t_x, T = (rows.columns[name] for name in ("frequency", "recency", "T"))
        n, m = self._stages * x, x + self._first_chance
        counts = compressed_part(counts_density, (n, m), rows.weight, rows.designs, uses=(0, 2, 3))
        times = Part(
            partial(times_density, k=self._stages), (n, m, t_x, T), rows.weight, rows.designs
        )
        return [counts, times]

    def _starts(self, rows: Rows) -> list[list[float]]:
        mean = float(rows.weight @ rows.columns["frequency"] / rows.weight.sum())
        rate = max(mean, 1e-3) * self._stages
        starts = [(0.5, 0.5 / rate, 1.0, 3.0)]
        for r, slow, mean, both in product((0.3, 2.0), (0.4, 2.0), (0.1, 0.5, 0.85), (0.1, 3.0)):
            starts.append((r, slow * r / rate, mean * both, (1.0 - mean) * both))
        return [np.log(start).tolist() for start in starts]

    def _future(self, theta: list[Any], columns: dict[str, Floats]) -> Future:
        return BetaGeometricFuture(**self._posterior(theta, columns))

    def _posterior(self, theta: list[Any], columns: dict[str, Floats]) -> dict[str, Any]:
        """Return what is known of customers at T, by name.

        What follows from being alive depends on counts and lengths alone, so that customers who
        agree in them are of one kind.
        """
        x, t_x, T = (columns[name] for name in ("frequency", "recency", "T"))
        alive = p_alive(theta, self._stages * x, x + self._first_chance, t_x, T, k=self._stages)
        first, kind = alike_rows([x, T, *(value for value in theta if np.ndim(value))])
        r, alpha, a, b = (value[first] if np.ndim(value) else value for value in theta)
        x, T = x[first], T[first]
        return {
            "p_alive": alive,
            "shape": r + self._stages * x,
            "rate": alpha + T,
            "a": a + np.zeros_like(x),
            "b": b + x + self._first_chance,
            "kind": kind,
            "group": distinct_rows([x, *(value for value in (a, b) if np.ndim(value))])[1],
        }

    def _simulated(
        self, theta: list[Any], T: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        check_length(T, "T", do="It is measured in days: simulate shorter histories.")
        return simulate(theta, T, rng, k=self._stages, first_chance=self._first_chance)


class BGNBD(BetaGeometric):
    """BG/NBD: purchases at a gamma-distributed rate, beta-geometric dropout after each repeat.

    While alive a customer buys at a random rate (gamma with shape ``r`` and rate ``alpha``, in
    days); after every repeat purchase the customer leaves for good with a random probability
    (beta with ``a`` and ``b``).

    Parameters
    ----------
    purchase_covariates, dropout_covariates : list of str
        Columns that act on the purchase rate (multiplied by ``exp(effect * value)``) and on ``a``
        and ``b`` (each multiplied likewise).
    tie : list of lists of str
        Groups of terms that are held equal, such as ``[["dropout_a.x", "dropout_b.x"]]``.
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
    parameters_ : DataFrame
        ``term, estimate, std_error, conf_low, conf_high`` (95 %, on the log scale where positive).
        Where ``boundary_`` names a limit, 0 to 59 % of them hold the truth.
    covariance_ : DataFrame
        Covariance of the estimates.
    log_likelihood_, aic_, bic_ : float
        Of the histories measured in the unit of ``T``.
    converged_ : bool
        Whether the search ended at a maximum.
    gradient_norm_ : float
        Length of the gradient per customer at the end; about 0 at a maximum.
    boundary_ : str or None
        The limiting model, where the likelihood has no maximum inside the parameter space.
    prior_ : DataFrame or None
        The whole prior: ``term``, ``low`` and ``high``.
    posterior_ : dict
        How the posterior was drawn: its ``method``, and ``tail_shape``, the shape k of the tail of
        the weights; above .7 they mislead, and the draws are moved on by Hamiltonian dynamics.

    Notes
    -----
    A prior is stated in ``gap_days`` (``alpha / r``, days between purchases at the mean rate),
    ``gap_spread`` (``1 / sqrt(r)``, how rates differ), ``p_dropout`` (``a / (a + b)``, the mean
    chance to leave after a purchase) and ``dropout_spread`` (``1 / sqrt(1 + a + b)``: 0 where all
    have the same chance, 1 where each leaves at once or never), of customers with average
    covariates; effects by their own names. Weak are 1 to 3,650 days, .2 to 5, .01 to .9 and .1 to
    .95. With it estimates are the peak of the posterior of the parameters' logarithms, intervals
    those between equal tails of its draws, and there is no boundary.

    Another unit of time only rescales ``alpha``: parameters in weeks are those in days with
    ``alpha`` divided by 7. At a boundary, where one in five bases of 40 customers ends, standard
    errors are those of the limiting model, which is not the true one.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the
       easy way. Marketing Science 24(2), 275-284, eq. 6 and 10.
    .. [2] Fader, P. S. and Hardie, B. G. S. (2007). Incorporating time-invariant covariates into
       the Pareto/NBD and BG/NBD models.
    .. [3] Vehtari, A., Simpson, D., Gelman, A., Yao, Y. and Gabry, J. (2024). Pareto smoothed
       importance sampling. Journal of Machine Learning Research 25(72).

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
    >>> model = clv.BGNBD().fit(customers)
    >>> model.parameters_["term"].tolist()
    ['r', 'alpha', 'a', 'b']
    >>> model.predict(customers, horizon_days=90).columns.tolist()
    ['customer_id', 'p_alive', 'expected_purchases']
    """
