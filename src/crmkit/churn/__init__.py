"""Who stays, who leaves and why, whom to win back, which prospects will stay.

Examples
--------
>>> import pandas as pd
>>> from crmkit import churn
>>> transactions = pd.DataFrame(
...     {
...         "customer_id": ["ann", "bob", "ann", "cem"],
...         "date": pd.to_datetime(["2025-01-03", "2025-01-20", "2025-02-11", "2025-02-28"]),
...     }
... )
>>> churn.retention_table(transactions)[["period", "active", "new", "lost", "churn_rate"]]
      period  active  new  lost  churn_rate
0 2025-01-01       2    2     0         NaN
1 2025-02-01       2    1     1         0.5

Learn from days that are over, score today's customers, and judge on what was held out:

>>> from crmkit import datasets
>>> log = datasets.make_transactions(1000, random_state=0)["transactions"]
>>> past = churn.churn_table(log, as_of=["2025-03-31", "2025-06-30"], horizon_days=90)
>>> model = churn.ChurnModel(random_state=0).fit(past)
>>> scores = model.predict(churn.churn_table(log))
>>> gains = churn.gains_table(past, model.scores_)
>>> bool(gains["lift"].iloc[0] > 1)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._lazy import attach

if TYPE_CHECKING:
    from crmkit._learn.gains import calibration_table, gains_table
    from crmkit._learn.pictures import plot_calibration, plot_gains
    from crmkit.churn._model.aft import AFTModel
    from crmkit.churn._model.churn import ChurnModel
    from crmkit.churn._model.cox import CoxModel
    from crmkit.churn._model.hazard import HazardModel
    from crmkit.churn._model.prospect import ProspectModel
    from crmkit.churn._model.winback import WinBackModel
    from crmkit.churn._plot.cohorts import plot_cohorts, plot_retention
    from crmkit.churn._plot.curves import plot_gaps, plot_retention_curve, plot_survival
    from crmkit.churn._plot.profiles import plot_moments, plot_profile
    from crmkit.churn._plot.signals import plot_signals
    from crmkit.churn._report.acquisition import acquisition_profile
    from crmkit.churn._report.backtest import backtest_table
    from crmkit.churn._report.cohorts import retention_curve
    from crmkit.churn._report.concordance import concordance_table
    from crmkit.churn._report.gain import save_gain
    from crmkit.churn._report.logrank import logrank_test
    from crmkit.churn._report.moments import key_moments
    from crmkit.churn._report.profiles import retention_profile
    from crmkit.churn._report.signals import signal_table
    from crmkit.churn._report.silence import silence_table
    from crmkit.churn._report.survival import conditional_survival, survival_summary
    from crmkit.churn._table.acquisition import acquisition_table
    from crmkit.churn._table.churn_table import churn_table
    from crmkit.churn._table.cohort_customers import cohort_customers
    from crmkit.churn._table.cohorts import cohort_table
    from crmkit.churn._table.gaps import gap_table
    from crmkit.churn._table.leaving import leaving_table
    from crmkit.churn._table.lifecycle import lifecycle_table, lifecycle_transitions
    from crmkit.churn._table.rates import retention_table
    from crmkit.churn._table.survival import survival_table
    from crmkit.churn._table.thresholds import lifecycle_thresholds

__all__ = [
    "AFTModel",
    "ChurnModel",
    "CoxModel",
    "HazardModel",
    "ProspectModel",
    "WinBackModel",
    "acquisition_profile",
    "acquisition_table",
    "backtest_table",
    "calibration_table",
    "churn_table",
    "cohort_customers",
    "cohort_table",
    "concordance_table",
    "conditional_survival",
    "gains_table",
    "gap_table",
    "key_moments",
    "leaving_table",
    "lifecycle_table",
    "lifecycle_thresholds",
    "lifecycle_transitions",
    "logrank_test",
    "plot_calibration",
    "plot_cohorts",
    "plot_gains",
    "plot_gaps",
    "plot_moments",
    "plot_profile",
    "plot_retention",
    "plot_retention_curve",
    "plot_signals",
    "plot_survival",
    "retention_curve",
    "retention_profile",
    "retention_table",
    "save_gain",
    "signal_table",
    "silence_table",
    "survival_summary",
    "survival_table",
]

__getattr__, __dir__ = attach(__name__)
