"""What all models fitted by maximum likelihood keep: estimates, their tables, and limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_number
from crmkit._estimator import Model
from crmkit.clv._model.intervals import quantile_interval
from crmkit.clv._model.rows import checked_ties, column_names
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._learn.terms import LevelTerm
    from crmkit._typing import Floats
    from crmkit.clv._math.law import Law
    from crmkit.clv._math.likelihood import Fit

__all__ = ["MaximumLikelihood", "Scaling"]

_EVEN = 1e-5
# The search gives up at e^60.
_FAR = 55.0
# The logarithms of the largest numbers, with room for a standard error.
_LARGEST_LOG = 600.0


@dataclass(frozen=True, slots=True)
class Scaling:
    """From coefficients as they were searched for, p of them, to those of covariates and days.

    ``back`` (p, p) undoes the standardising of covariates, ``shift`` (p,) the unit of time.
    """

    back: Floats
    shift: Floats

    def to_days(self, coefficients: Floats) -> Floats:
        """Return coefficients of shape (p,), or draws of them (d, p)."""
        return coefficients @ self.back.T + self.shift


class MaximumLikelihood(Model, ABC):
    """Base of the models with positive parameters whose logarithms covariates shift."""

    tie: Sequence[Sequence[str]]
    l2: float

    coefficients_: Floats
    coefficient_covariance_: Floats
    n_customers_: float
    log_likelihood_: float
    n_parameters_: int
    aic_: float
    bic_: float
    gradient_norm_: float
    boundary_: str | None
    converged_: bool
    parameters_: pd.DataFrame
    covariance_: pd.DataFrame
    levels_: dict[str, LevelTerm]

    def to_json_state(self) -> dict[str, Any]:
        """Return what a file holds; without covariates of text, no levels."""
        state = super().to_json_state()
        if not state["fitted"].get("levels_", True):
            del state["fitted"]["levels_"]
        return state

    @classmethod
    def from_json_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a model."""
        if state["fitted"]:
            state["fitted"].setdefault("levels_", {})
        return super().from_json_state(state)

    @property
    @abstractmethod
    def _law(self) -> Law:
        """What the model's paper says; a class attribute, or made from what was learned."""

    @property
    def _names(self) -> tuple[str, ...]:
        """Return the parameters in the order of the paper."""
        return self._law.names

    def _levels(self) -> dict[str, LevelTerm]:
        """Return the values of covariates of text, as far as they were learned."""
        found: dict[str, LevelTerm] = getattr(self, "levels_", {})
        return found

    def _covariate_columns(self) -> list[str]:
        """Return the columns that the covariates are made of, sorted."""
        processes = (process for process, _ in self._law.processes)
        names = (column_names(getattr(self, f"{name}_covariates"), name) for name in processes)
        return sorted({column for own in names for column in own})

    def _covariates(self) -> list[list[tuple[str, float, str]]]:
        """Return, per parameter, its (covariate, sign, term) triples."""
        found: list[list[tuple[str, float, str]]] = [[] for _ in self._names]
        levels = self._levels()
        for process, targets in self._law.processes:
            for column in column_names(getattr(self, f"{process}_covariates"), process):
                covariates = levels[column].names()[1:] if column in levels else [column]
                for name, (parameter, sign, prefix) in product(covariates, targets):
                    found[self._names.index(parameter)].append((name, sign, f"{prefix}.{name}"))
        return found

    def _terms(self) -> list[str]:
        """Return the parameters, then the effects of covariates, by name."""
        return [*self._names, *(t for triples in self._covariates() for _, _, t in triples)]

    def _may_center(self) -> bool:
        """Tell whether moving the covariates' zero, which moves parameters, keeps all ties."""
        ties = checked_ties(self._terms(), self.tie)
        return not any(term in self._names for tied in ties for term in tied)

    def _keep(
        self,
        found: Fit,
        scaling: Scaling,
        *,
        n_customers: float,
        in_days: float = 0.0,
    ) -> None:
        """Keep what was found in other units."""
        self.levels_ = self._levels()
        self.coefficients_ = scaling.to_days(found.coefficients)
        self.coefficient_covariance_ = scaling.back @ found.covariance @ scaling.back.T
        far = np.abs(self.coefficients_[: len(self._names)]) > _LARGEST_LOG
        if far.any():
            raise InputError(
                f"The covariates lie so far from 0 that {self._names[int(far.argmax())]!r}, which "
                "holds where they are 0, is beyond all numbers. Subtract a typical value first."
            )
        self.n_customers_ = n_customers
        self._judge(found.log_likelihood - in_days, found.n_free)
        self.gradient_norm_ = found.gradient_norm
        logs = dict(zip(self._names, found.coefficients, strict=False))
        away = {f"{name}{'+' if at > 0 else '-'}" for name, at in logs.items() if abs(at) > _FAR}
        self.boundary_ = self._law.limit(away.union(found.flat), logs)
        # Towards a limit the likelihood may creep up for ever: the search stops where it is even.
        even = found.gradient_norm < _EVEN
        self.converged_ = found.converged or bool(self.boundary_ is not None and even)
        self.parameters_ = self.parameter_table()
        self.covariance_ = covariance_table(
            self._terms(), len(self._names), self.coefficients_, self.coefficient_covariance_
        )

    def parameter_table(self, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Tell the estimates with intervals of any level; ``parameters_`` holds those of 95 %.

        Parameters
        ----------
        confidence_level : float
            Level of the intervals. At a boundary (``boundary_``) 0 to 49 % of those of 80 % hold,
            with a prior some 95 %, of the models of regular purchases 83 %.

        Returns
        -------
        pandas.DataFrame
            One row per parameter, then one per effect of a covariate:

            * ``term`` (str) - its name.
            * ``estimate`` (float) - the maximum of the likelihood; with a prior the peak of the
              posterior of logarithms.
            * ``std_error`` (float) - of the estimate; with a prior the posterior's deviation.
            * ``conf_low`` (float) - lower limit, on the log scale where the term is positive; with
              a prior between equal tails of the posterior.
            * ``conf_high`` (float) - upper limit.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        """
        self._check_fitted()
        n = len(self._names)
        spread = self.coefficient_covariance_
        table = parameter_table(self._terms(), n, self.coefficients_, spread, confidence_level)
        draws = getattr(self, "coefficient_draws_", np.empty((0, 0)))
        if len(draws) < 2:
            return table
        positive = np.arange(draws.shape[1]) < n
        values = np.where(positive, np.exp(np.where(positive, draws, 0.0)), draws)
        return table.assign(**quantile_interval(values, confidence_level))

    def _check_learned(self) -> None:
        """Raise ValueError unless there is one finite number for each term, and their spread."""
        n = len(self._terms())
        found, spread = self.coefficients_, self.coefficient_covariance_
        if found.shape != (n,) or spread.shape != (n, n):
            raise ValueError(f"its estimates are not those of {n} terms")
        draws = getattr(self, "coefficient_draws_", np.empty((0, n)))
        if draws.ndim != 2 or (draws.size and draws.shape[1] != n):
            raise ValueError(f"its draws are not those of {n} terms")
        logs = np.abs(found[: len(self._names)])
        if not (np.isfinite(found).all() and np.isfinite(draws).all() and self.n_customers_ > 0):
            raise ValueError("its estimates are not finite")
        if (logs > _LARGEST_LOG).any() or np.isnan(spread).any():
            raise ValueError("its estimates are beyond all numbers")

    def _judge(self, log_likelihood: float, n_parameters: int) -> None:
        """Keep the log-likelihood and what follows from it."""
        self.log_likelihood_ = log_likelihood
        self.n_parameters_ = n_parameters
        self.aic_ = 2.0 * n_parameters - 2.0 * log_likelihood
        self.bic_ = float(np.log(self.n_customers_)) * n_parameters - 2.0 * log_likelihood


def parameter_table(
    terms: Sequence[str],
    n_names: int,
    coefficients: Floats,
    covariance: Floats,
    confidence_level: float,
) -> pd.DataFrame:
    """Return term, estimate, std_error and interval; the first `n_names` terms are positive."""
    level = check_number(confidence_level, "confidence_level")
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    width = normal_quantile(level) * error
    positive = np.arange(len(terms)) < n_names
    estimate = np.where(positive, np.exp(np.where(positive, coefficients, 0.0)), coefficients)
    factor = np.exp(np.minimum(width, 600.0))
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": estimate,
            "std_error": np.where(positive, estimate * error, error),
            "conf_low": np.where(positive, estimate / factor, coefficients - width),
            "conf_high": np.where(positive, estimate * factor, coefficients + width),
        }
    )


def covariance_table(
    terms: Sequence[str], n_names: int, coefficients: Floats, covariance: Floats
) -> pd.DataFrame:
    """Return the covariance of the estimates, one row and one column per term."""
    positive = np.arange(len(terms)) < n_names
    slope = np.where(positive, np.exp(np.where(positive, coefficients, 0.0)), 1.0)
    natural = covariance * np.outer(slope, slope)
    return pd.DataFrame({"term": list(terms), **dict(zip(terms, natural.T, strict=True))})
