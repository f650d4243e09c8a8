"""Kaplan-Meier curves of a million customers: crmkit.churn.survival_table beside lifelines.

Data: simulated tenures, about half of them censored; once in whole days over two years ("coarse"),
once continuous. crmkit reads and checks a table and returns curve and interval; lifelines is given
the bare columns. Curves and log-log intervals are compared before times are taken.

Needs: lifelines. Usage: churn_survival.py [customers] [repeats]

Last taken November 2026 on two shared cores (Python 3.11, numpy 2.4.6, pandas 3.1.1, lifelines
0.30.0), best of 9: whole days 0.02 CPU s against 0.05 (ratio 0.32, target 1.00), continuous 0.17
against 0.60 (0.29, target 0.80), log-rank over eight groups 0.10 against 0.18 (0.59).
"""

import sys
import time
import warnings

import numpy as np
import pandas as pd

from crmkit import churn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lifelines
    from lifelines.statistics import multivariate_logrank_test


def make_customers(n, *, coarse):
    rng = np.random.default_rng(0)
    stay, seen = rng.exponential(500, n), rng.uniform(0, 730, n)
    tenure = np.minimum(stay, seen)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "tenure_days": np.ceil(tenure) if coarse else tenure,
            "churned": stay <= seen,
            "segment": rng.integers(0, 8, n),
        }
    )


def peer_curve(customers):
    fitter = lifelines.KaplanMeierFitter()
    return fitter.fit(customers["tenure_days"], customers["churned"])


def peer_logrank(customers):
    return multivariate_logrank_test(
        customers["tenure_days"], customers["segment"], customers["churned"]
    )


def compare(ours, theirs):
    curve = theirs.survival_function_.iloc[:, 0]
    np.testing.assert_allclose(ours["p_survival"], curve.loc[ours["time"]], atol=1e-12)
    interval = theirs.confidence_interval_.loc[ours["time"]].to_numpy()
    inside = (ours["p_survival"] > 0) & (ours["p_survival"] < 1)
    np.testing.assert_allclose(
        ours.loc[inside, ["conf_low", "conf_high"]], interval[inside], atol=1e-9
    )


def timed(ours, theirs, repeats):
    best = [np.inf, np.inf]
    for _ in range(repeats):
        for place, run in enumerate((ours, theirs)):
            start = time.process_time()
            run()
            best[place] = min(best[place], time.process_time() - start)
    return best


def main(n=1_000_000, repeats=5):
    print(f"{n:,} customers, CPU s   {'crmkit':>8s} {'lifelines':>10s} {'ratio':>7s}  target")
    for coarse, target in ((True, 1.0), (False, 0.8)):
        customers = make_customers(n, coarse=coarse)
        compare(churn.survival_table(customers), peer_curve(customers))
        a, b = timed(
            lambda c=customers: churn.survival_table(c),
            lambda c=customers: peer_curve(c),
            repeats,
        )
        name = "curve, whole days" if coarse else "curve, continuous"
        print(f"{name:30s} {a:8.2f} {b:10.2f} {a / b:7.2f}  {target:.2f}")
    customers = make_customers(n, coarse=True)
    test = churn.logrank_test(customers, by="segment")
    expected = peer_logrank(customers).test_statistic
    np.testing.assert_allclose(test["statistic"].iloc[0], expected, rtol=1e-8)
    a, b = timed(
        lambda: churn.logrank_test(customers, by="segment"),
        lambda: peer_logrank(customers),
        repeats,
    )
    print(f"{'log-rank, 8 groups, days':30s} {a:8.2f} {b:10.2f} {a / b:7.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
