"""RFM table of a large log: crmkit.segmentation.rfm_table beside Polars and pandas.

Data: simulated, 10 million order lines, 454,000 customers, 8.95 million orders over two years; ids
once as integers, once as text. All give first and last date, total amount and the number of
distinct orders per customer, sorted by id. crmkit and pandas run on a pandas frame, Polars on its
own; crmkit also reads and checks the table. Each runs in a process of its own; the answers are
compared.

Needs: polars. Linux only (peak memory). Usage: segmentation_rfm.py [rows] [repeats]

Last taken November 2026 on two quiet cores, best of 5 (Python 3.11, numpy 2.4.6, pandas 3.1.1,
polars 2.1.0): integer ids 0.42 CPU s and 356 MB against polars 1.46 and pandas 2.64 (ratios 0.29
and 0.16); text ids 0.57 CPU s and 316 MB against 2.80 and 3.26 (0.20 and 0.17). With Python 3.13,
numpy 2.5.5 and pandas 2.3.3: integers 0.48 CPU s and 360 MB (0.27 of polars), text, which are
Python objects there, 1.27 CPU s and 395 MB (0.41 of polars). Text ids of unequal length are hashed:
2.2 CPU s, 0.58 of polars and 0.44 of pandas (taken earlier).
"""

import json
import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

RUNS = ("crmkit", "polars", "pandas")


def make_log(n_rows, ids):
    rng = np.random.default_rng(0)
    n_orders, n_customers = int(0.895 * n_rows), max(int(0.0454 * n_rows), 1)
    again = rng.integers(0, n_orders, n_rows - n_orders)
    order = np.sort(np.concatenate([np.arange(n_orders), again]))
    day = np.sort(rng.integers(0, 730, n_orders))[order]
    customer = (rng.integers(0, n_customers, n_orders) * 7 + 1_000_000)[order]
    frame = pd.DataFrame(
        {
            "customer_id": customer,
            "date": np.datetime64("2024-01-01", "us") + day.astype("timedelta64[D]"),
            "amount": rng.integers(100, 9000, n_rows) / 100,
            "order_id": order + 5_000_000,
        }
    )
    if ids == "text":
        frame["customer_id"] = "C" + frame["customer_id"].astype(str)
    return frame


def crmkit_table(log):
    from crmkit import segmentation

    return segmentation.rfm_table(log)


def pandas_table(log):
    return (
        log.groupby("customer_id")
        .agg(
            first_date=("date", "min"),
            last_date=("date", "max"),
            total_amount=("amount", "sum"),
            frequency=("order_id", "nunique"),
        )
        .reset_index()
    )


def polars_table(log):
    import polars as pl

    return (
        log.group_by("customer_id")
        .agg(
            first_date=pl.col("date").min(),
            last_date=pl.col("date").max(),
            total_amount=pl.col("amount").sum(),
            frequency=pl.col("order_id").n_unique(),
        )
        .sort("customer_id")
    )


def peak_memory():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) / 1000


def child(who, ids, n_rows, repeats):
    log = make_log(n_rows, ids)
    run = {"crmkit": crmkit_table, "pandas": pandas_table, "polars": polars_table}[who]
    if who == "polars":
        import polars as pl

        log = pl.from_pandas(log)
    run(log.head(1000))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # peak := what is held now
    before, best = peak_memory(), np.inf
    for _ in range(repeats):
        start = time.process_time()
        table = run(log)
        best = min(best, time.process_time() - start)
    peak = peak_memory() - before
    if who == "polars":
        table = table.to_pandas()
    ends = [int(table[column].astype("datetime64[s]").astype("int64").sum()) for column in (
        "first_date", "last_date")]  # fmt: skip
    money = round(float(table["total_amount"].sum()), 2)
    answer = [len(table), int(table["frequency"].sum()), *ends, money]
    print(json.dumps({"cpu": best, "peak": peak, "answer": answer}))


def main(n_rows=10_000_000, repeats=5):
    for ids in ("integer", "text"):
        found = {}
        for who in RUNS:
            command = [sys.executable, __file__, "--child", who, ids, str(n_rows), str(repeats)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[who] = json.loads(done.stdout.splitlines()[-1])
        assert found["crmkit"]["answer"] == found["polars"]["answer"] == found["pandas"]["answer"]
        print(f"{ids} ids, {n_rows:,} rows, {found['crmkit']['answer'][0]:,} customers")
        for who, result in found.items():
            print(f"  {who:8s}{result['cpu']:6.2f} CPU s {result['peak']:6.0f} MB extra")
        ours = found["crmkit"]["cpu"]
        print(f"  crmkit / polars {ours / found['polars']['cpu']:.2f} (target 0.60)")
        print(f"  crmkit / pandas {ours / found['pandas']['cpu']:.2f} (target 0.25)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
