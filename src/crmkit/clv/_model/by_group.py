"""One model per cohort or group, fitted in one call and used like one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_flag, listed, quoted
from crmkit._estimator import Model
from crmkit._frames import group_codes, match_groups, read_by, read_customers
from crmkit.clv._model.base import LikelihoodModel
from crmkit.clv._model.group_draws import (
    ahead_by_group,
    amounts_by_group,
    at_draws_by_group,
    stacked,
)
from crmkit.clv._model.pooling import fit_each, fit_pooled
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead

__all__ = ["ByGroup"]

_OF_GROUPS = ("customers", "log_likelihood", "converged", "boundary")
_OF_PARAMETERS = ("term", "estimate", "std_error", "conf_low", "conf_high")


class ByGroup(Model):
    """The same model fitted to each group of customers on its own.

    Parameters
    ----------
    model : model, needed
        An unfitted purchase or spend model, such as ``BGNBD()``; each group gets a copy.
    by : str or list of str
        Columns that make the groups; customers without a value are a group of their own. A
        cohort, a channel, a segment.
    pooling : bool
        Let groups, four or more, borrow strength: each is fitted with what the others say of a
        group like it as its prior, the narrower the more alike they are, effects of covariates
        included. A group of six then gets a sane value; one of thousands hardly changes.

    Attributes
    ----------
    groups_ : DataFrame
        One row per group: the columns in `by`, ``customers``, ``log_likelihood``,
        ``converged`` and ``boundary`` (the limiting model, missing inside the parameter space).
    parameters_ : DataFrame
        The columns in `by`, then ``term, estimate, std_error, conf_low, conf_high`` (95 %).
    log_likelihood_, n_parameters_, aic_, bic_ : float
        Of all groups together, to compare with one model for everybody. With `pooling` the last
        two are missing, for a parameter that other groups hold back is less than a free one:
        compare by a hold-out.
    pooling_ : DataFrame or None
        How groups differ, with `pooling`: of each quantity of a `prior` the ``term``, what is
        ``typical``, and ``low`` and ``high``, between which 95 % of groups are thought to lie. As
        `prior` it is what is known of a new group.
    models_ : list of models
        The fitted models, in the order of ``groups_``.

    Notes
    -----
    Without `pooling` small groups often end at a boundary, which ``groups_`` names: of groups of
    30 customers one in six. There intervals of 95 % hold 48 % of parameters and 58 % of
    expectations. With it 92 to 98 % hold, also of a group of six: the quantities of a
    `prior` vary between groups [1]_, how much is drawn from its posterior, and what a group is
    compared with is made by the others alone, so that nothing counts twice.

    References
    ----------
    .. [1] Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its
       generalizations. Journal of the American Statistical Association 70(350), 311-319.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(400, random_state=0)["transactions"]
    >>> customers = clv.purchase_table(log)
    >>> customers["half"] = customers["customer_id"].index % 2
    >>> model = clv.ByGroup(model=clv.BGNBD(), by="half").fit(customers)
    >>> model.groups_[["half", "customers"]]
       half  customers
    0     0        200
    1     1        200
    >>> model.predict(customers, horizon_days=90).columns.tolist()
    ['customer_id', 'p_alive', 'expected_purchases']
    """

    models_: list[LikelihoodModel]
    pooling_: pd.DataFrame | None
    labels_: pd.DataFrame
    groups_: pd.DataFrame
    parameters_: pd.DataFrame
    log_likelihood_: float
    n_parameters_: int
    n_customers_: float
    aic_: float
    bic_: float
    converged_: bool

    def __init__(
        self, *, model: Any = None, by: str | Sequence[str] = "segment", pooling: bool = False
    ) -> None:
        self.model = model
        self.by = by
        self.pooling = pooling

    def fit(self, customers: Any, *, weights: str | None = None) -> Self:
        """Fit one model per group.

        Parameters
        ----------
        customers : DataFrame
            What the model needs, and the columns in `by`.
        weights : str, optional
            Column with the weight of each row.

        Returns
        -------
        Self
            The fitted models.

        Raises
        ------
        MissingColumnsError
            If a column is missing.
        InputError
            If a group gives the model nothing to learn from.
        """
        if not isinstance(self.model, LikelihoodModel):
            raise InputError(f"`model` must be a model such as BGNBD(); got {quoted(self.model)}.")
        pooling = check_flag(self.pooling, "pooling")
        columns = read_by(self.by, reserved=(*_OF_GROUPS, *_OF_PARAMETERS), needed=True)
        table = read_customers(customers, needs=columns)
        code, labels = group_codes(table, columns)
        groups = [table[code == group] for group in range(len(labels))]
        self.pooling_ = None
        if pooling:
            self.models_, self.pooling_ = fit_pooled(self.model, groups, labels, weights)
        else:
            self.models_ = fit_each(self.model, groups, labels, weights)
        self.labels_ = labels
        self._summarise(np.bincount(code))
        return self

    def _summarise(self, size: Ints) -> None:
        """Put the groups' results into tables and sums."""
        models: list[Any] = self.models_
        self.groups_ = self.labels_.assign(
            customers=size,
            log_likelihood=[model.log_likelihood_ for model in models],
            converged=[model.converged_ for model in models],
            boundary=[model.boundary_ for model in models],
        )
        self.parameters_ = self.parameter_table()
        self.log_likelihood_ = float(sum(model.log_likelihood_ for model in models))
        self.n_parameters_ = int(sum(model.n_parameters_ for model in models))
        self.n_customers_ = float(sum(model.n_customers_ for model in models))
        free = float("nan") if self.pooling else 1.0 * self.n_parameters_
        self.aic_ = 2.0 * free - 2.0 * self.log_likelihood_
        self.bic_ = float(np.log(self.n_customers_)) * free - 2.0 * self.log_likelihood_
        self.converged_ = all(model.converged_ for model in models)

    def parameter_table(self, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Tell the estimates of all groups with intervals of any level.

        Parameters
        ----------
        confidence_level : float
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame
            The columns in `by`, then what the model's own ``parameter_table`` gives.
        """
        self._check_fitted()
        tables = [m.parameter_table(confidence_level=confidence_level) for m in self.models_]
        found = pd.concat(tables, ignore_index=True)
        rows = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        labels = self.labels_.iloc[rows].reset_index(drop=True)
        return pd.concat([labels, found], axis=1)

    @property
    def coefficient_draws_(self) -> Floats:
        """Draws from the posteriors of all groups, side by side."""
        self._check_fitted()
        return np.hstack([model.coefficient_draws_ for model in self.models_])

    @property
    def coefficient_covariance_(self) -> Floats:
        """Covariance of the coefficients of all groups, one block per group."""
        self._check_fitted()
        sizes = [len(model.coefficients_) for model in self.models_]
        found = np.zeros((sum(sizes), sum(sizes)))
        for end, size, model in zip(np.cumsum(sizes), sizes, self.models_, strict=True):
            block = slice(end - size, end)
            found[block, block] = model.coefficient_covariance_
        return found

    def _groups(self, customers: Any) -> tuple[pd.DataFrame, Ints]:
        """Return the table and the model of each row."""
        self._check_fitted()
        columns = read_by(self.by)
        table = read_customers(customers, needs=columns)
        code, groups = group_codes(table, columns)
        found = match_groups(groups, self.labels_)[code]
        strange = found < 0
        if strange.any():
            first = table.loc[strange, columns].head(3).to_dict("records")
            raise InputError(
                f"`customers`: {int(strange.sum()):,} of {len(table):,} rows belong to groups "
                f"that the model has not seen (first: {listed(first)}). Fit it with them."
            )
        return table, found

    def _by_model(self, customers: Any) -> list[tuple[Any, Ints]]:
        """Return each model that has customers in the table, with the positions of their rows."""
        _, group = self._groups(customers)
        return [(self.models_[g], np.flatnonzero(group == g)) for g in np.unique(group)]

    def predict(self, customers: Any, **options: Any) -> pd.DataFrame:
        """Predict each customer with the model of the customer's group.

        Parameters
        ----------
        customers : DataFrame
            What the model needs, and the columns in `by`.
        **options
            What the model's own ``predict`` takes.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * the columns that the model itself predicts.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If a customer belongs to a group that was not there at fitting.
        """
        return self._each(customers, "predict", options)

    def purchase_probabilities(self, customers: Any, **options: Any) -> pd.DataFrame:
        """Tell how probable each number of purchases is, by the model of the customer's group.

        Parameters
        ----------
        customers : DataFrame
            What the model needs, and the columns in `by`.
        **options
            What the model's own ``purchase_probabilities`` takes.

        Returns
        -------
        pandas.DataFrame
            What the model's own ``purchase_probabilities`` gives.
        """
        return self._each(customers, "purchase_probabilities", options)

    def _each(self, customers: Any, method: str, options: dict[str, Any]) -> pd.DataFrame:
        """Ask each group's model about its customers; the answers in the order of the input."""
        table, _ = self._groups(customers)
        pieces = []
        for model, rows in self._by_model(table):
            told = getattr(model, method)(table.iloc[rows], **options)
            position = np.repeat(rows, len(told) // rows.size)
            pieces.append(told.set_axis(pd.Index(position), axis=0))
        result: pd.DataFrame = pd.concat(pieces).sort_index(kind="stable")
        return result.set_axis(pd.RangeIndex(len(result)), axis=0)

    def _discounted(self, customers: Any, **options: Any) -> tuple[Floats, Floats]:
        """Return discounted purchases with their derivatives; for lifetime_value."""
        return stacked(self.models_, *self._groups(customers), "_discounted", options)

    def _seed(self) -> int | None:
        """Return the seed of what is drawn after fitting."""
        return self.models_[0]._seed()

    def _ahead(self, customers: Any, days: float) -> Callable[[Ints, np.random.Generator], Ahead]:
        """Return what continues histories at some draws; draw d of customer i is d n + i."""
        parts = self._by_model(customers)
        return ahead_by_group([(m._ahead(customers.iloc[r], days), r) for m, r in parts])

    def _amounts_ahead(self, customers: Any) -> Callable[[Ints, Ints, np.random.Generator], Floats]:
        """Return what draws an amount for each owner: at draw d customer i of n is d n + i."""
        parts = self._by_model(customers)
        return amounts_by_group([(m._amounts_ahead(customers.iloc[r]), r) for m, r in parts])

    def _discounted_at(self, customers: Any, draws: Floats, **options: Any) -> Floats:
        """Return discounted purchases at every draw of the coefficients, (d, n)."""
        given = self.models_, *self._groups(customers), draws
        return at_draws_by_group(*given, "_discounted_at", options)

    def _amount_at(self, customers: Any, draws: Floats) -> Floats:
        """Return expected amounts at every draw of the coefficients, (d, n)."""
        return at_draws_by_group(self.models_, *self._groups(customers), draws, "_amount_at", {})

    def _new_customers(self, kinds: pd.DataFrame, days: Floats) -> Floats:
        """Return what customers without a history buy within each number of days, (n, days)."""
        result = np.empty((len(kinds), days.size))
        for model, rows in self._by_model(kinds):
            result[rows] = model._new_customers(kinds.iloc[rows], days)
        return result

    def _amount(self, customers: Any) -> tuple[Floats, Floats]:
        """Return expected amounts with their derivatives; for lifetime_value."""
        return stacked(self.models_, *self._groups(customers), "_amount", {})
