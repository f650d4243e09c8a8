"""A log larger than memory: crmkit.by_customer beside the same written by hand in DuckDB.

Data: simulated order lines as Parquet, some 34 per customer, 1.5 % refunds, two years. By hand
means SQL that gives the same customers, purchase days and net money, with two threads. crmkit cuts
the file into parts of 2.5 million rows and works on one at a time. Each run is a process of its
own; CPU seconds hold the start and all imports.

Last taken November 2026 on two quiet cores (Python 3.11, numpy 2.4.6, pandas 3.1.1, duckdb 2.0.0);
CPU seconds, seconds, peak of memory in GB:

| rows, millions | table | by hand | crmkit | ratio of CPU |
|---|---|---|---|---|
| 10 (median of 3) | rfm | 3.1, 1.7 s, 0.6 | 4.0, 3.2 s, 0.7 | 1.46 |
| 10 (median of 3) | purchases | 3.2, 2.0 s, 0.8 | 4.9, 4.1 s, 0.7 | 1.53 |
| 50 | rfm | 20.2, 10.7 s, 2.8 | 15.6, 11.6 s, 1.4 | 0.77 |
| 50 | purchases | 18.0, 9.5 s, 3.5 | 19.1, 15.1 s, 1.5 | 1.06 |
| 200 | rfm | 89.4, 46 s, 11.0 | 76.8, 55 s, 4.0 | 0.86 |
| 200 | purchases | 64.7, 34 s, 8.2 | 91.3, 72 s, 4.0 | 1.41 |

Needs: duckdb, pyarrow. Linux only. Usage: scale.py [rows] [rounds]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

RFM = """
SELECT customer_id, max(day) FILTER (amount >= 0) AS last, sum(amount) AS total,
       count(DISTINCT day) FILTER (amount >= 0) AS days
FROM (SELECT customer_id, amount, date_trunc('day', date) AS day FROM log)
GROUP BY customer_id HAVING days > 0 ORDER BY customer_id
"""
PURCHASES = """
WITH days AS (
    SELECT customer_id, date_trunc('day', date) AS day, sum(amount) AS amount
    FROM log WHERE amount >= 0 GROUP BY ALL
)
SELECT customer_id, count(*) - 1 AS frequency, date_diff('day', min(day), max(day)) AS recency,
       min(day) AS first, sum(amount) AS total
FROM days GROUP BY customer_id ORDER BY customer_id
"""
TASKS = ("rfm", "purchases")


def write_log(path, n_rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    day = np.datetime64("2023-01-01", "us")
    with pq.ParquetWriter(path, pa.schema({"customer_id": "int64", "date": pa.timestamp("us"),
                                           "amount": "float64"})) as file:  # fmt: skip
        for start in range(0, n_rows, 5_000_000):
            n = min(5_000_000, n_rows - start)
            back = np.where(rng.random(n) < 0.015, -1, 1)
            columns = {
                "customer_id": rng.integers(0, n_rows // 34, n),
                "date": day + rng.integers(0, 730, n).astype("timedelta64[D]"),
                "amount": back * rng.integers(100, 9000, n) / 100,
            }
            file.write_table(pa.table(columns))


def by_hand(path, task):
    import duckdb

    base = duckdb.connect()
    base.execute("SET threads = 2")
    base.execute(f"CREATE VIEW log AS SELECT * FROM read_parquet('{path}')")
    found = base.execute(RFM if task == "rfm" else PURCHASES).df()
    return found["days" if task == "rfm" else "frequency"]


def crmkit_parts(path, task):
    import crmkit
    from crmkit import clv, segmentation

    if task == "rfm":
        table = crmkit.by_customer(
            segmentation.rfm_table, path, rows_per_part=2_500_000, frequency="days"
        )
        return table["frequency"]
    return crmkit.by_customer(clv.purchase_table, path, rows_per_part=2_500_000)["frequency"]


def one(way, path, task):
    start = time.perf_counter()
    found = {"duckdb": by_hand, "crmkit": crmkit_parts}[way](path, task)
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "cpu": own.ru_utime + own.ru_stime,
        "wall": time.perf_counter() - start,
        "mb": own.ru_maxrss / 1024,
        "answer": [len(found), int(found.sum())],
    }))  # fmt: skip


def main():
    n_rows = int(float(sys.argv[1])) if sys.argv[1:] else 10_000_000
    rounds = int(sys.argv[2]) if sys.argv[2:] else 3
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "log.parquet")
        write_log(path, n_rows)
        print(f"{n_rows:,} rows\n")
        for task in TASKS:
            ratios, told = [], {}
            for _ in range(rounds):
                for way in ("duckdb", "crmkit"):
                    command = [sys.executable, __file__, "--one", way, path, task]
                    told[way] = json.loads(subprocess.check_output(command))
                ratios.append(told["crmkit"]["cpu"] / told["duckdb"]["cpu"])
            assert told["crmkit"]["answer"] == told["duckdb"]["answer"], told
            for way, run in told.items():
                print(f"{task:<10}{way:<8}{run['cpu']:7.1f} CPU s {run['wall']:7.1f} s "
                      f"{run['mb']:7.0f} MB")  # fmt: skip
            print(f"{task:<10}median of the ratios of CPU: {median(ratios):.2f}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main()
