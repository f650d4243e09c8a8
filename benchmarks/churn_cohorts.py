"""Cohort matrix of a large log: crmkit.churn.cohort_table beside Polars.

Data: simulated, 10 million rows, about 450,000 customers over two years, monthly cohorts. Polars
runs its own best of two formulations on its own frame, crmkit runs on a pandas frame. Both give
customers active and amount per cohort and age; answers are compared before times are taken.

Needs: polars. Usage: churn_cohorts.py [rows] [repeats]

Last taken December 2026 on two quiet cores, best of 5 (Python 3.11, numpy 2.4.6, pandas 3.1.1,
polars 2.1.0): crmkit 0.58 CPU s, polars 1.82 (join) and 1.89 (pairs first); ratio 0.32, target
0.60. With Python 3.13, numpy 2.5.5 and pandas 2.3.3: 0.51, 1.78 and 2.35; ratio 0.29.
Both sides are bound by memory, and machines differ: other days and machines gave 0.28 to 0.75.
"""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import sys
import time

import numpy as np
import pandas as pd
import polars as pl

from crmkit import churn


def make_log(n_rows):
    rng = np.random.default_rng(0)
    n_customers = max(n_rows // 22, 10)
    first = rng.integers(0, 700, n_customers)
    who = np.searchsorted(
        np.cumsum(w := rng.gamma(1.0, 1.0, n_customers)), rng.random(n_rows) * w.sum()
    )
    day = first[who] + (rng.random(n_rows) * (730 - first[who])).astype(np.int64)
    date = np.datetime64("2023-01-01", "us") + day.astype("timedelta64[D]")
    amount = rng.integers(100, 9000, n_rows) / 100
    order = np.argsort(day, kind="stable")
    return pd.DataFrame({"customer_id": who[order], "date": date[order], "amount": amount[order]})


def polars_join(frame):
    """First month per customer, joined back to the rows."""
    month = pl.col("date").dt.year().cast(pl.Int32) * 12 + pl.col("date").dt.month()
    rows = frame.lazy().with_columns(month=month)
    first = rows.group_by("customer_id").agg(cohort=pl.col("month").min())
    return (
        rows.join(first, on="customer_id")
        .group_by("cohort", age=pl.col("month") - pl.col("cohort"))
        .agg(active=pl.col("customer_id").n_unique(), amount=pl.col("amount").sum())
        .collect()
    )


def polars_pairs(frame):
    """Rows reduced to customer and month first, then the window of the first month."""
    month = pl.col("date").dt.year().cast(pl.Int32) * 12 + pl.col("date").dt.month()
    return (
        frame.lazy()
        .group_by("customer_id", month=month)
        .agg(pl.col("amount").sum())
        .with_columns(cohort=pl.col("month").min().over("customer_id"))
        .group_by("cohort", age=pl.col("month") - pl.col("cohort"))
        .agg(active=pl.len(), amount=pl.col("amount").sum())
        .collect()
    )


def same(ours, theirs):
    month = ours["cohort"].dt.year * 12 + ours["cohort"].dt.month
    ours = ours.assign(cohort=month).query("active > 0").sort_values(["cohort", "age"])
    theirs = theirs.to_pandas().sort_values(["cohort", "age"])
    for column in ("cohort", "age", "active", "amount"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-9)


def main(n_rows=10_000_000, repeats=5):
    log = make_log(n_rows)
    frame = pl.from_pandas(log)
    as_of = "2024-12-31"
    runs = {
        "crmkit": lambda: churn.cohort_table(log, as_of=as_of),
        "polars, join": lambda: polars_join(frame),
        "polars, pairs first": lambda: polars_pairs(frame),
    }
    ours = runs["crmkit"]()
    same(ours, polars_join(frame))
    same(ours, polars_pairs(frame))
    best = dict.fromkeys(runs, np.inf)
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    peer = min(value for name, value in best.items() if name != "crmkit")
    print(f"{n_rows:,} rows, {log['customer_id'].nunique():,} customers")
    for name, value in best.items():
        print(f"{name:22s} {value:6.2f} CPU s")
    print(f"crmkit / best polars   {best['crmkit'] / peer:6.2f}   (target 0.60)")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
