"""A log larger than memory: crmkit.by_customer beside the same written by hand in DuckDB.

Data: simulated order lines as Parquet, some 34 per customer, 1.5 % refunds, two years. By hand
means SQL that gives the same customers, purchase days and net money, the same cells of cohorts, or
features and outcomes of three snapshots, with two threads. crmkit cuts the file into parts of 2.5
million rows and works on one or two at a time; it gives more columns than the SQL. Each run is a
process of its own; CPU seconds are those of the work, without the start and imports.

Last taken December 2026 on two cores beside other work (Python 3.11, numpy 2.4.6, pandas 3.1.1,
duckdb 2.0.0), 10 million rows, medians of 3 rounds, one part at a time; CPU seconds, peak memory:

| table | by hand | crmkit | ratio of CPU | aim |
|---|---|---|---|---|
| rfm | 5.0, 0.7 GB | 3.1, 0.6 GB | 0.68 | 1.3 |
| purchases | 3.6, 0.7 GB | 4.0, 0.6 GB | 1.12 | 1.0 |
| cohorts | 3.8, 0.7 GB | 3.1, 0.8 GB | 0.80 | 1.0 |
| churn, three snapshots | 9.0, 1.0 GB | 6.7, 1.0 GB | 0.75 | 0.7 |

Two at a time start two more processes, some 5 CPU seconds, and are slower at this size.

Taken November 2026 on two quiet cores, with the start and all imports (2 CPU seconds more then):

| rows, millions | table | by hand | crmkit | ratio of CPU |
|---|---|---|---|---|
| 50 | rfm | 20.2, 10.7 s, 2.8 GB | 15.6, 11.6 s, 1.4 GB | 0.77 |
| 50 | purchases | 18.0, 9.5 s, 3.5 GB | 19.1, 15.1 s, 1.5 GB | 1.06 |
| 200 | rfm | 89.4, 46 s, 11.0 GB | 76.8, 55 s, 4.0 GB | 0.86 |
| 200 | purchases | 64.7, 34 s, 8.2 GB | 91.3, 72 s, 4.0 GB | 1.41 |

Needs: duckdb, pyarrow. Linux only. Usage: scale.py [rows] [rounds] [tables]
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
COHORTS = """
WITH months AS (
    SELECT customer_id, date_trunc('month', date) AS month, sum(amount) AS amount,
           bool_or(amount >= 0) AS bought
    FROM log GROUP BY ALL
), first AS (SELECT customer_id, min(month) FILTER (bought) AS cohort FROM months GROUP BY ALL)
SELECT cohort, date_diff('month', cohort, month) AS age, count(*) FILTER (bought) AS active,
       sum(amount) AS amount
FROM months JOIN first USING (customer_id)
WHERE month >= cohort AND month < (SELECT max(month) FROM months)  -- whole months only
GROUP BY ALL ORDER BY ALL
"""
CHURN = """
WITH days AS (
    SELECT customer_id, date_trunc('day', date) AS day, sum(amount) AS net, count(*) AS n,
           sum(amount) FILTER (amount >= 0) AS paid, bool_or(amount >= 0) AS bought
    FROM log GROUP BY ALL
), gaps AS (
    SELECT *, CASE WHEN bought THEN date_diff('day', max(day) FILTER (bought) OVER (
        PARTITION BY customer_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), day) END AS gap FROM days
), snapshots AS (SELECT unnest([DATE '2024-03-31', DATE '2024-06-30', DATE '2024-09-30']) AS as_of)
SELECT as_of, customer_id, max(day) FILTER (bought AND day <= as_of) AS last,
       min(day) FILTER (bought AND day <= as_of) AS first,
       count(*) FILTER (bought AND day <= as_of) AS purchase_days,
       avg(gap) FILTER (day <= as_of) AS mean_gap, stddev_samp(gap) FILTER (day <= as_of) AS gap_sd,
       sum(net) FILTER (day <= as_of) AS total, sum(paid) FILTER (day <= as_of) AS paid,
       count(*) FILTER (bought AND day <= as_of AND day > as_of - 90) AS recent,
       count(*) FILTER (bought AND day <= as_of - 90 AND day > as_of - 180) AS previous,
       sum(net) FILTER (day <= as_of AND day > as_of - 90) AS recent_amount,
       sum(net) FILTER (day <= as_of - 90 AND day > as_of - 180) AS previous_amount,
       count(*) FILTER (bought AND day > as_of AND day <= as_of + 90) = 0 AS churned
FROM gaps, snapshots GROUP BY ALL HAVING purchase_days > 0 ORDER BY ALL
"""
SQL = {"rfm": RFM, "purchases": PURCHASES, "cohorts": COHORTS, "churn": CHURN}
COUNTED = {"rfm": "days", "purchases": "frequency", "cohorts": "active", "churn": "churned"}


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

    yield
    base = duckdb.connect()
    base.execute("SET threads = 2")
    base.execute(f"CREATE VIEW log AS SELECT * FROM read_parquet('{path}')")
    yield base.execute(SQL[task]).df()[COUNTED[task]]


def in_parts(path, task, jobs):
    import duckdb  # noqa: F401

    import crmkit
    from crmkit import churn, clv, segmentation

    function, counted, options = {
        "rfm": (segmentation.rfm_table, "frequency", {"frequency": "days"}),
        "purchases": (clv.purchase_table, "frequency", {}),
        "cohorts": (churn.cohort_table, "active", {}),
        "churn": (
            churn.churn_table,
            "churned",
            {"as_of": ["2024-03-31", "2024-06-30", "2024-09-30"], "horizon_days": 90},
        ),
    }[task]
    yield
    yield crmkit.by_customer(function, path, rows_per_part=2_500_000, n_jobs=int(jobs), **options)[
        counted
    ]


def cpu_seconds():
    own, parts = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return sum(used.ru_utime + used.ru_stime for used in (own, parts))


def one(way, path, task):
    work = by_hand(path, task) if way == "duckdb" else in_parts(path, task, way)
    next(work)
    start, used = time.perf_counter(), cpu_seconds()
    found = next(work)
    wall = time.perf_counter() - start
    if way not in ("duckdb", "1"):
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown()
    print(json.dumps({
        "cpu": cpu_seconds() - used,
        "wall": wall,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "answer": [int((found > 0).sum()), int(found.sum())],
    }))  # fmt: skip


def main():
    n_rows = int(float(sys.argv[1])) if sys.argv[1:] else 10_000_000
    rounds = int(sys.argv[2]) if sys.argv[2:] else 3
    tasks = sys.argv[3:] or SQL
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "log.parquet")
        write_log(path, n_rows)
        print(f"{n_rows:,} rows; medians of {rounds} rounds, ratios of CPU seconds")
        for task in tasks:
            runs = []
            for _ in range(rounds):
                told = {}
                for way in ("duckdb", "1", "2"):
                    command = [sys.executable, __file__, "--one", way, path, task]
                    told[way] = json.loads(subprocess.check_output(command))
                    assert told[way]["answer"] == told["duckdb"]["answer"], told
                runs.append(told)
            for way in told:
                cpu, wall, mb = (
                    median(run[way][what] for run in runs) for what in ("cpu", "wall", "mb")
                )
                ratio = median(run[way]["cpu"] / run["duckdb"]["cpu"] for run in runs)
                name = way if way == "duckdb" else f"crmkit, {way} at a time"
                print(
                    f"{task:<10}{name:<22}{cpu:7.1f} CPU s {wall:7.1f} s {mb:7.0f} MB {ratio:6.2f}"
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main()
