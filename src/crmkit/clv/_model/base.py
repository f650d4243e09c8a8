"""What all models of purchases and spend share: reading, fitting, and intervals by derivatives.

How a prediction gets its interval: every model keeps ``coefficients_`` (log-parameters, then the
effects of covariates) with ``coefficient_covariance_``. A prediction is a function of them;
``_with_gradient`` returns it with its derivatives, one row per customer. The variance of any sum
of predictions is then ``g' V g`` with g the sum of their rows.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from types import EllipsisType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from crmkit._arguments import optional_columns
from crmkit._checks import Problems, check_choice, check_number, number_array, random_generator
from crmkit._frames import read_customers
from crmkit.clv._lifetimes import LifetimesExchange
from crmkit.clv._math.batch import Posterior
from crmkit.clv._math.likelihood import fit, positions
from crmkit.clv._math.rows import Rows, alike_rows, distinct_rows
from crmkit.clv._model.intervals import (
    Interval,
    check_draws,
    delta_interval,
    posterior_interval,
    with_gradient,
)
from crmkit.clv._model.maximum import MaximumLikelihood, Scaling
from crmkit.clv._model.priors import prior_of, read_prior
from crmkit.clv._model.rows import (
    covariate_values,
    designs_of,
    learned_levels,
    parameters_at,
    same_said_twice,
    standardised,
    tie_matrix,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats
    from crmkit.clv._math.law import Law
    from crmkit.clv._model.intervals import Prediction

__all__ = ["LikelihoodModel"]

# Of more distinct rows every 16th is fitted first.
_MANY, _SOME = 20_000, slice(None, None, 16)


class LikelihoodModel(LifetimesExchange, MaximumLikelihood):
    """Base of the models that are fitted by maximum likelihood on distinct customers."""

    _columns: ClassVar[tuple[str, ...]]

    prior: Any
    n_draws: int
    random_state: int | None
    prior_: pd.DataFrame | None
    posterior_: dict[str, float | str]
    coefficient_draws_: Floats

    @abstractmethod
    def _read(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        """Return the model's columns as arrays and note what is wrong with them."""

    @abstractmethod
    def _unit(self, rows: Rows) -> float:
        """Return the unit in which the likelihood is computed, so that numbers are near one."""

    @abstractmethod
    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        """Return the rows with times (or money) measured in `unit`."""

    @abstractmethod
    def _unit_power(self, rows: Rows) -> float:
        """Return how often the unit enters the density: ln L falls by this times ln(unit)."""

    def _rows(
        self,
        customers: Any,
        weights: str | None = None,
        *,
        distinct: bool = True,
        learn: bool = False,
    ) -> tuple[pd.DataFrame, Rows]:
        """Read a customer table; reduce it to distinct rows, or only where that costs nothing.

        To `learn` is to take note of the values of text.
        """
        extra = self._covariate_columns()
        needs = [*self._columns, *extra, *optional_columns(weights=weights)]
        frame = read_customers(customers, needs=needs, named=weights is None)
        levels = learned_levels(frame, extra) if learn else self._levels()
        problems = Problems("customers")
        columns = self._read(frame, problems)
        values = covariate_values(frame, extra, levels, problems)
        weight = (
            number_array(frame[weights], problems, weights, low=0.0)
            if weights is not None
            else None
        )
        problems.raise_if_any()
        if learn:
            self.levels_ = levels
        find = distinct_rows if distinct else alike_rows
        first, inverse = find([*columns.values(), *values.values()])
        kept = {name: column[first] for name, column in columns.items()}
        values = {name: column[first] for name, column in values.items()}
        designs = designs_of(self._covariates(), values)
        if isinstance(inverse, EllipsisType):
            weight = np.ones(len(frame)) if weight is None else weight
        else:
            weight = np.bincount(inverse, weights=weight).astype(np.float64)
        return frame, Rows(kept, designs, weight, inverse)

    def fit(self, customers: Any, *, weights: str | None = None) -> Self:
        """Fit the model by maximum likelihood.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with ``customer_id``, the model's columns and the covariates.
        weights : str, optional
            Column with the weight of each row, for tables that stand for more customers, such as
            those of :func:`history_counts`; they need no ``customer_id``.

        Returns
        -------
        Self
            The fitted model.

        Raises
        ------
        MissingColumnsError
            If a column is missing.
        InputError
            If values are impossible, such as a last purchase after the end of observation.
        """
        _, rows = self._rows(customers, weights, learn=True)
        self._fit_rows(self._usable(rows))
        return self

    def _covariate_values(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        """Return the covariates of a table as numbers by name."""
        return covariate_values(frame, self._covariate_columns(), self._levels(), problems)

    def _usable(self, rows: Rows) -> Rows:
        """Return the rows the likelihood is defined on."""
        return rows

    def _fit_rows(
        self, rows: Rows, *, at: Sequence[float] | None = None, drawn: bool = True
    ) -> None:
        """Fit to distinct rows and keep what was learned; or take the parameters `at` as found.

        Draws from the posterior are kept unless `drawn` is false.
        """
        l2 = check_number(self.l2, "l2")
        n_draws = check_number(self.n_draws, "n_draws", rule="draws_kept")
        rng = random_generator(self.random_state)
        law, terms, n_customers = self._law, self._terms(), float(rows.weight.sum())
        unit, spread = self._unit(rows), self._spread(rows, terms)
        rows, back = standardised(rows, spread, len(law.names), center=self._may_center())
        scaled = self._in_unit(rows, unit)
        shift = np.zeros(len(terms))
        for names, sign in ((law.scaled, 1.0), (law.paced, -1.0)):
            shift[[law.names.index(name) for name in names]] = sign * np.log(unit)
        scaling = Scaling(back, shift)
        penalty = np.where(np.arange(len(terms)) < len(law.names), 0.0, l2) / spread**2
        tie = tie_matrix(terms, self.tie, spread)
        n_twice, twice = same_said_twice(rows, len(law.names), tie)
        if n_twice and not l2 and self.prior is None:
            same = [terms[len(law.names) + at] for at in twice]
            raise InputError(
                f"`customers`: the covariates of {same} say the same: one is made of the others, "
                "so that their effects cannot be told apart. Leave one out, or give l2 or a prior."
            )
        parts, prior = law.parts(scaled), None
        self.prior_ = None
        if self.prior is not None and at is None:
            effects = terms[len(law.names) :], spread[len(law.names) :]
            self.prior_ = read_prior(self.prior, law.quantities, *effects, unit)
            about = self.prior_, law.quantities, law.names
            prior = prior_of(*about, shift=shift, spread=spread, offsets=law.offsets())
        widths = [0 if design is None else design.shape[1] for design in rows.designs]
        how: dict[str, Any] = {
            "names": law.names,
            "widths": widths,
            "effects": terms[len(law.names) :],
            "view": back * spread[:, None],
            "tie": tie,
            "penalty": penalty,
            "prior": prior,
        }
        if at is None:
            found = fit(parts, [*_peak_of_some(law, scaled, how), *law.starts(scaled)], **how)
        else:
            found = fit(parts, [(np.log(at) - shift[: len(at)]).tolist()], max_evaluations=1, **how)
        in_days = self._unit_power(rows) * float(np.log(unit))
        self.coefficient_draws_, self.posterior_ = np.empty((0, len(terms))), {}
        found = replace(found, n_free=found.n_free - n_twice)
        self._keep(found, scaling, n_customers=n_customers, in_days=in_days)
        if prior is not None and n_draws and drawn:
            posterior = Posterior(parts, positions(widths), tie, penalty, prior)
            told = posterior.drawn(found, n_draws, rng)
            self.coefficient_draws_ = scaling.to_days(told.draws @ tie.T)
            method = "hamiltonian" if told.moved else "importance"
            self.posterior_ = {"method": method, "tail_shape": told.tail_shape}
            self.parameters_ = self.parameter_table()

    def _seed(self) -> int | None:
        """Return the seed of what is drawn after fitting."""
        return self.random_state

    def _spread(self, rows: Rows, terms: list[str]) -> Floats:
        """Return one per log-parameter and the standard deviation of each covariate."""
        spread = [1.0] * len(self._names)
        for design in rows.designs:
            if design is None:
                continue
            mean = np.average(design, axis=0, weights=rows.weight)
            spread += np.sqrt(
                np.average((design - mean) ** 2, axis=0, weights=rows.weight)
            ).tolist()
        constant = [term for term, s in zip(terms, spread, strict=True) if not s > 0.0]
        if constant:
            raise InputError(
                f"`customers`: the covariates of {constant} are the same for everybody. "
                "Leave them out: such an effect cannot be told from the parameter itself."
            )
        return np.array(spread)

    def _with_gradient(
        self,
        rows: Rows,
        function: Prediction,
        *,
        gradient: bool = True,
    ) -> tuple[Floats, Floats]:
        """Return a prediction of shape (n,) and its derivatives in the coefficients, (n, p)."""
        self._check_fitted()
        center = np.asarray(self.coefficients_, dtype=np.float64)
        if not gradient:
            value = function(parameters_at(center, rows.designs), rows.columns)[rows.inverse]
            return value, np.empty((value.size, 0))
        value, slopes = with_gradient(rows, function, center)
        return value[rows.inverse], slopes[rows.inverse]

    def _interval(
        self, rows: Rows, function: Prediction, interval: Interval, confidence_level: float
    ) -> dict[str, Floats]:
        """Return std_error, conf_low and conf_high of a prediction for every customer."""
        check_choice(interval, "interval", Interval)
        if interval == "delta":
            center = np.asarray(self.coefficients_, dtype=np.float64)
            value, slopes = with_gradient(rows, function, center)
            found = delta_interval(value, slopes, self.coefficient_covariance_, confidence_level)
        else:
            draws = check_draws(self, "The model")
            found = posterior_interval(rows, function, draws, confidence_level)
        return {name: column[rows.inverse] for name, column in found.items()}


def _peak_of_some(law: Law, rows: Rows, how: dict[str, Any]) -> list[Floats]:
    """Return where the likelihood of some of many rows peaks, if it does: all peak nearby."""
    if rows.weight.size < _MANY:
        return []
    some = rows.where(_SOME)
    found = fit(law.parts(some), law.starts(some), **how)
    return [found.coefficients] if found.converged and not found.flat else []
