"""Lifetime value: what a customer is worth over the relationship, today, in money.

By arithmetic: :func:`tapk` multiplies transactions, items and price and takes off the cost of
winning the customer; :func:`net_present_value` discounts dated cash flows;
:func:`retention_value` values a constant margin and retention; :func:`cohort_value` and
:func:`payback_table` follow what new customers earn and when they have paid for themselves.

By models: :func:`purchase_table` reduces a log to what a model of purchases learns from
(:class:`BGNBD` and its kin, :class:`ParetoNBD`, :class:`GGomNBD`; with covariates that change
over time :class:`TimeVaryingParetoNBD`, from the log itself); :class:`GammaGamma` (or, with a
heavy tail, :class:`LognormalSpend`) learns what a purchase is worth, returns counted;
:func:`lifetime_value` and :func:`customer_equity` multiply the two into money, with intervals.
:func:`opportunity_table` and :func:`contract_table` do the same for :class:`BGBB` and for
contracts.

:func:`history_counts` counts the customers of each history, for models of more of them than fit.

And in doubt: :func:`log_audit` accounts for every row of the log; :func:`holdout_table` hides
the last part of it, and :func:`model_comparison`, :func:`forecast_table` and
:func:`tracking_table` tell how well that was foreseen.

Examples
--------
>>> from crmkit import clv, datasets
>>> log = datasets.make_transactions(500, random_state=1)["transactions"]
>>> customers = clv.purchase_table(log)
>>> purchases = clv.BGNBD().fit(customers)
>>> spend = clv.GammaGamma().fit(customers)
>>> value = clv.lifetime_value(customers, purchases=purchases, spend=spend, margin=0.3)
>>> value.columns.tolist()
['customer_id', 'p_alive', 'expected_purchases', 'discounted_purchases', 'expected_amount',
 'lifetime_value']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._lazy import attach

if TYPE_CHECKING:
    from crmkit.clv._model.bgbb import BGBB
    from crmkit.clv._model.bgcnbd import BGCNBD, MBGCNBD
    from crmkit.clv._model.bgnbd import BGNBD, MBGNBD
    from crmkit.clv._model.by_group import ByGroup
    from crmkit.clv._model.contracts import BetaDiscreteWeibull, ShiftedBetaGeometric
    from crmkit.clv._model.gamma_gamma import GammaGamma
    from crmkit.clv._model.ggom_nbd import GGomNBD
    from crmkit.clv._model.lognormal_spend import LognormalSpend
    from crmkit.clv._model.pareto_nbd import ParetoNBD
    from crmkit.clv._model.varying_pareto import TimeVaryingParetoNBD
    from crmkit.clv._plot.customers import plot_alive_path, plot_frequency_recency
    from crmkit.clv._plot.judgement import plot_forecast, plot_tracking
    from crmkit.clv._plot.models import plot_model_comparison
    from crmkit.clv._plot.money import plot_cohort_value, plot_customer_equity, plot_payback
    from crmkit.clv._report.comparison import model_comparison
    from crmkit.clv._report.dependence import spend_frequency_correlation
    from crmkit.clv._report.forecast import forecast_table
    from crmkit.clv._report.frequencies import frequency_table
    from crmkit.clv._report.grid import frequency_recency_table
    from crmkit.clv._report.likelihood_ratio import likelihood_ratio_test
    from crmkit.clv._report.tracking import tracking_table
    from crmkit.clv._report.value import customer_equity, lifetime_value
    from crmkit.clv._table.cash import net_present_value
    from crmkit.clv._table.cohorts import cohort_value
    from crmkit.clv._table.history_counts import history_counts
    from crmkit.clv._table.log_audit import log_audit
    from crmkit.clv._table.payback import payback_table
    from crmkit.clv._table.periods import contract_table, opportunity_table
    from crmkit.clv._table.purchases import holdout_table, purchase_table
    from crmkit.clv._table.retention import retention_value
    from crmkit.clv._table.tapk import tapk, tapk_table

__all__ = [  # noqa: RUF022 - plain sorting, as in every room
    "BGBB",
    "BGCNBD",
    "BGNBD",
    "BetaDiscreteWeibull",
    "ByGroup",
    "GGomNBD",
    "GammaGamma",
    "LognormalSpend",
    "MBGCNBD",
    "MBGNBD",
    "ParetoNBD",
    "ShiftedBetaGeometric",
    "TimeVaryingParetoNBD",
    "cohort_value",
    "contract_table",
    "customer_equity",
    "forecast_table",
    "frequency_recency_table",
    "frequency_table",
    "history_counts",
    "holdout_table",
    "lifetime_value",
    "likelihood_ratio_test",
    "log_audit",
    "model_comparison",
    "net_present_value",
    "opportunity_table",
    "payback_table",
    "plot_alive_path",
    "plot_cohort_value",
    "plot_customer_equity",
    "plot_forecast",
    "plot_frequency_recency",
    "plot_model_comparison",
    "plot_payback",
    "plot_tracking",
    "purchase_table",
    "retention_value",
    "spend_frequency_correlation",
    "tapk",
    "tapk_table",
    "tracking_table",
]

__getattr__, __dir__ = attach(__name__)
