"""The Pareto/NBD model with covariates that vary over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, check_number, check_optional, random_generator
from crmkit._frames import day_numbers, parse_day, read_customers, with_account
from crmkit.clv._math.accounting import DAYS_PER_YEAR
from crmkit.clv._math.likelihood import climb
from crmkit.clv._math.pareto import Pareto
from crmkit.clv._math.varying_future import VaryingFuture, simulate
from crmkit.clv._math.varying_likelihood import effects_of, likelihood
from crmkit.clv._model.future import check_rate
from crmkit.clv._model.intervals import delta_interval, slopes_at
from crmkit.clv._model.maximum import MaximumLikelihood, Scaling
from crmkit.clv._model.on_log import ReadsLogs
from crmkit.clv._model.rows import tie_matrix
from crmkit.clv._model.varying_read import read_histories, standardised, starting_logs
from crmkit.clv._table.covariates import covariate_paths
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats

__all__ = ["TimeVaryingParetoNBD"]


class _Varying(Pareto):
    """The law in days, in which the ratio of s and beta does not tell who left the other behind."""

    def runaway(self, flat: set[str], logs: Mapping[str, float]) -> set[str]:
        """Return which parameters ran away."""
        del logs
        return flat


class TimeVaryingParetoNBD(ReadsLogs, MaximumLikelihood):
    """Pareto/NBD with covariates that change over time: seasons, campaigns, prices, states.

    While alive a customer buys at a random rate (gamma with shape ``r`` and rate ``alpha``, in
    days) times ``exp(effect * value)``, and leaves for good at a random rate (gamma with ``s`` and
    ``beta``, in days) times the same of the covariates of dropout, with the values that hold on
    the day. With values that never change it is :class:`crmkit.clv.ParetoNBD` with covariates.

    It learns from a transaction log and a table of covariates with ``date``, the first day on
    which the values hold, and one column per covariate. With a ``customer_id`` the rows are those
    customers' own; without, they hold for everybody. Values hold until the next row; periods may
    be of any length. A last row holds for as long as the longest period in the table.

    Parameters
    ----------
    purchase_covariates, dropout_covariates : list of str
        Columns of the covariates that act on the purchase rate and on the dropout rate.
    tie : list of lists of str
        Groups of terms that are held equal, such as ``[["purchase.x", "dropout.x"]]``.
    l2 : float
        Ridge penalty ``l2 / 2 * effect ** 2`` on the effects of covariates.

    Attributes
    ----------
    parameters_, covariance_, log_likelihood_, aic_, bic_, converged_, gradient_norm_, boundary_
        As in :class:`crmkit.clv.BGNBD`. An effect that runs to infinity, because nobody ever left
        in a season, say, is named in ``boundary_``; its own standard error then says nothing.
    account_ : dict
        How many customers of `covariates` the log lacks, and who of the log was left out.

    Notes
    -----
    A purchase is made under the values of its day, and several on a day count as one: where such
    days are common, intervals of 95 % hold 72 % of parameters. Time begins on the day of the first
    purchase and ends with the beginning of the day `as_of`, as in :func:`purchase_table`.

    References
    ----------
    .. [1] Bachmann, P., Meierer, M. and Naef, J. (2021). The role of time-varying contextual
       factors in latent attrition models for customer base analysis. Marketing Science 40(4),
       783-809.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(200, random_state=1)["transactions"]
    >>> months = pd.date_range(log["date"].min().normalize(), periods=60, freq="30D")
    >>> season = pd.DataFrame({"date": months, "winter": (months.month % 12 < 3).astype(int)})
    >>> model = clv.TimeVaryingParetoNBD(purchase_covariates=["winter"])
    >>> model = model.fit(log, covariates=season)
    >>> model.parameters_["term"].tolist()
    ['r', 'alpha', 's', 'beta', 'purchase.winter']
    >>> model.predict(log, covariates=season, horizon_days=90).columns.tolist()
    ['customer_id', 'p_alive', 'expected_purchases']
    """

    _law = _Varying()
    account_: dict[str, float]

    def __init__(
        self,
        *,
        purchase_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
    ) -> None:
        self.purchase_covariates = purchase_covariates
        self.dropout_covariates = dropout_covariates
        self.tie = tie
        self.l2 = l2

    def fit(self, transactions: Any, *, covariates: Any, as_of: Any = None) -> Self:
        """Fit the model by maximum likelihood.

        Parameters
        ----------
        transactions : DataFrame
            One row per order line with ``customer_id`` and ``date``; all rows of a customer on
            one day are one purchase. With an ``amount``, days with nothing but refunds are none.
        covariates : DataFrame
            ``date``, the covariates and, where they differ between customers, ``customer_id``;
            from each customer's first purchase to `as_of`. Other customers' rows are ignored.
        as_of : date-like, optional
            Last day observed, inclusive. The default is the last date in the log.

        Returns
        -------
        Self
            The fitted model.

        Raises
        ------
        MissingColumnsError
            If a column is missing.
        InputError
            If the covariates have gaps, repeated days or values that are no finite numbers.
        """
        l2 = check_number(self.l2, "l2")
        terms, chosen = self._terms(), self._chosen()
        read = read_histories(transactions, covariates, self._covariate_columns(), as_of=as_of)
        h = read.histories
        unit = float(np.average(h.end - h.first, weights=h.weight))
        if not unit > 0.0:
            raise InputError("`transactions`: nobody was observed for any time after a purchase.")
        scaled = standardised(read, chosen, center=self._may_center())
        constant = [term for term, s in zip(terms, scaled.spread, strict=True) if not s > 0.0]
        if constant:
            raise InputError(
                f"`covariates`: the values behind {constant} are the same for everybody all the "
                "time. Leave them out: such an effect cannot be told from the parameter itself."
            )
        n = float(h.weight.sum())
        found = climb(
            lambda at: likelihood(h, read.paths, scaled.effects, scaled.purchases, at),
            starting_logs(h, unit),
            names=self._names,
            effects=terms[4:],
            total=n,
            view=scaled.back * scaled.spread[:, None],
            tie=tie_matrix(terms, self.tie, scaled.spread),
            penalty=np.where(np.arange(len(terms)) < 4, 0.0, l2) / scaled.spread**2,
        )
        self._keep(found, Scaling(scaled.back, np.zeros(len(terms))), n_customers=n)
        self.account_ = read.account
        return self

    def predict(
        self,
        transactions: Any,
        *,
        covariates: Any,
        as_of: Any = None,
        horizon_days: float = DAYS_PER_YEAR,
        annual_discount_rate: float | None = None,
        alive_in_days: float | None = None,
        interval: Literal["delta"] | None = None,
        confidence_level: float = 0.95,
    ) -> pd.DataFrame:
        """Predict each customer's purchases after `as_of`, under the covariates to come.

        Parameters
        ----------
        transactions : DataFrame
            One row per order line, as in ``fit``; of the same or of other customers.
        covariates : DataFrame
            As in ``fit``, from each customer's first purchase to the end of the horizon.
        as_of : date-like, optional
            Last day observed, inclusive. The default is the last date in the log.
        horizon_days : float
            Days to look ahead: a finite number, because covariates are not known for ever.
        annual_discount_rate : float, optional
            Rate per year; adds ``discounted_purchases``, as in ``BGNBD.predict``.
        alive_in_days : float, optional
            Adds ``p_alive_later``, the probability of being a customer so many days ahead,
            whatever is bought until then.
        interval : {"delta"}, optional
            Adds an interval for the expected (or, with a rate, the discounted) purchases: what the
            data leave open about the parameters.
        confidence_level : float
            Level of the interval.

        Returns
        -------
        pandas.DataFrame
            One row per customer with a purchase, in the order in which the log first names them:

            * ``customer_id`` - as given.
            * ``p_alive`` (float) - probability of being a customer still, 0 to 1.
            * ``p_alive_later`` (float) - the same `alive_in_days` ahead. Optional.
            * ``expected_purchases`` (float) - purchases within the horizon.
            * ``discounted_purchases`` (float) - the same in today's purchases. Optional.
            * ``std_error`` (float) - standard error of the last quantity. Optional.
            * ``conf_low`` (float) - lower bound of its interval. Optional.
            * ``conf_high`` (float) - upper bound. Optional.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        MissingColumnsError, InputError
            As in ``fit``, also where the covariates end before the horizon does.
        """
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        days = check_number(horizon_days, "horizon_days", rule="alive_in_days")
        later = check_optional(alive_in_days, "alive_in_days")
        rate = 0.0 if annual_discount_rate is None else check_rate(annual_discount_rate)
        if interval is not None:
            check_choice(interval, "interval", Literal["delta"])
        columns, ahead = self._covariate_columns(), max(days, later or 0.0)
        read = read_histories(transactions, covariates, columns, as_of=as_of, ahead=ahead)
        effects = effects_of(read.paths.values, self._chosen())

        def future(at: Floats) -> VaryingFuture:
            return VaryingFuture(read.histories, read.paths, effects, at)

        now = future(self.coefficients_)
        p_alive, _, expected = now.expected(days)
        result: dict[str, Any] = {"customer_id": read.ids, "p_alive": p_alive[read.inverse]}
        if later is not None:
            result["p_alive_later"] = now.expected(later)[1][read.inverse]
        result["expected_purchases"] = expected[read.inverse]
        if annual_discount_rate is not None:
            result["discounted_purchases"] = now.expected(days, rate)[2][read.inverse]
        if interval is not None:
            value, slopes = slopes_at(
                lambda at: future(at).expected(days, rate)[2], self.coefficients_
            )
            covariance = self.coefficient_covariance_
            limits = delta_interval(value, slopes, covariance, level)
            result |= {name: column[read.inverse] for name, column in limits.items()}
        return with_account(pd.DataFrame(result), read.account)

    def simulate(
        self, customers: Any, *, covariates: Any, as_of: Any, random_state: int | None = None
    ) -> pd.DataFrame:
        """Draw new histories from the fitted model, in continuous time.

        Parameters
        ----------
        customers : DataFrame
            ``customer_id`` and ``first_date``, the day of the first purchase.
        covariates : DataFrame
            As in ``fit``, from each customer's first purchase to `as_of`.
        as_of : date-like
            Day of the end of the draw, which stops as that day begins.
        random_state : int, optional
            Seed of the draw; the same seed and tables give the same draw.

        Returns
        -------
        pandas.DataFrame
            A log, one row per purchase, in the order of the customers and of time:

            * ``customer_id`` - as given.
            * ``date`` (datetime) - moment of the purchase; the first one is the given day.
            * ``alive`` (bool) - whether the customer still was one at the end: the hidden truth.
        """
        self._check_fitted()
        frame = read_customers(customers, needs=["first_date"])
        problems = Problems("customers")
        first = day_numbers(frame["first_date"], problems, "first_date")
        problems.raise_if_any()
        end = parse_day(as_of, "as_of")
        problems.rows(first > end, "`first_date` lies after `as_of`", do="Choose a later `as_of`.")
        problems.raise_if_any()
        account: dict[str, Any] = {}
        paths, path = covariate_paths(
            covariates,
            columns=self._covariate_columns(),
            customer_ids=pd.Index(frame["customer_id"]),
            first=first,
            until=end,
            other="customers",
            account=account,
        )
        effects = effects_of(paths.values, self._chosen())
        span = first.astype(np.float64), np.full(first.size, float(end))
        rng = random_generator(random_state)
        who, when, alive = simulate(paths, path, span, effects, self.coefficients_, rng)
        who, when = np.append(np.arange(first.size), who), np.append(span[0], when)
        order = np.lexsort((when, who))
        who = who[order]
        table = {
            "customer_id": frame["customer_id"].iloc[who].reset_index(drop=True),
            "date": (when[order] * 86_400_000_000.0).astype("datetime64[us]"),
            "alive": alive[who],
        }
        return with_account(pd.DataFrame(table), account)
