"""What is hard in a log is as hard in parts: the same answer, or the same refusal."""

import contextlib
import sqlite3
from contextlib import closing, contextmanager

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import basket, churn, clv, response, segmentation
from crmkit._two_steps import called
from crmkit.errors import EmptyLogError, InputError
from test_by_customer import MOVES, POOLS, of, people, same, tracked

SETS = pd.DataFrame({"itemset": [("b", "a"), ("c",), ("a", "b", "c")]})
RULES = pd.DataFrame({"antecedent": [("b",), ("c", "a")], "consequent": [("c",), ("b",)]})
FUNCTIONS = [
    (segmentation.rfm_table, {}),
    (segmentation.customer_profit, {"cost_pools": POOLS, "zero_driver": "unallocated"}),
    (clv.purchase_table, {"regularity": True}),
    (clv.cohort_value, {}),
    (churn.churn_table, {"as_of": "2024-04-30", "horizon_days": 60}),
    (churn.gap_table, {}),
    (churn.cohort_table, {"period": "week"}),
    (churn.retention_table, {"as_of": "2024-05-15"}),
    (churn.lifecycle_transitions, MOVES),
    (churn.silence_table, {}),
    (churn.lifecycle_table, {}),
    (clv.payback_table, {"acquisition_cost": 20.0, "annual_discount_rate": 0}),
    (basket.frequent_itemsets, {"min_support": 2}),
    (basket.frequent_itemsets, {"unit": "customer", "include": ["a", "c"]}),
    (basket.item_pairs, {"min_support": 1}),
    (basket.item_pairs, {"apart": True, "min_support": 2, "unit": "customer"}),
    (basket.frequent_sequences, {"min_support": 2, "max_length": 3}),
    (basket.sequence_rules, {"min_support": 2, "max_gap_days": 90}),
    (basket.time_to_next, {"min_support": 2}),
    (basket.itemset_value, {"itemsets": SETS}),
    (basket.rule_windows, {"rules": RULES, "n_windows": 3}),
    (clv.log_audit, {}),
    (clv.log_audit, {"as_of": "2024-05-15"}),
    (clv.tracking_table, {"purchases": tracked, "as_of": "2024-05-15"}),
    (churn.acquisition_table, {"customers": people, "window_days": 30}),
    (
        churn.acquisition_profile,
        {"by": ["first_product", "kind"], "customers": people, "acquisition_cost": "won_for"},
    ),
    (churn.signal_table, {"as_of": "2024-05-15", "horizon_days": 40, "lead_days": [0, 20]}),
    (churn.backtest_table, {"as_of": "2024-05-15", "horizon_days": 40, "n_train": 1}),
    (response.buyer_profile, {"customers": people, "product": "a"}),
    (segmentation.readiness_table, {}),
    (segmentation.preference_table, {"columns": ["product"], "max_levels": 2}),
]


def plain(n=120, customers=30, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, n),
            "date": pd.Timestamp("2024-01-01 23:30")
            + pd.to_timedelta(rng.integers(0, 200, n), "D"),
            "amount": rng.integers(-30, 300, n) / 4,
            "order_id": rng.integers(0, 40, n).astype(float),
            "product": rng.choice(list("abc"), n),
        }
    )


def spoiled(log, column, every):
    log = log.astype({column: object})
    log.loc[::every, column] = None
    return log


def logs():
    log = plain()
    half = log.assign(customer_id=log["customer_id"].where(log.index % 2 == 0, 7))
    few = log["customer_id"] < 3
    back = log.assign(amount=-1.0)
    return {
        "plain": log,
        "no ids in some rows": log.assign(
            customer_id=log["customer_id"].astype("Int64").where(log.index % 50 > 0)
        ),
        "refunds only": back,
        "refunds only of most": log.assign(amount=log["amount"].where(few, -2.5)),
        "no order or product in some": spoiled(spoiled(log, "product", 3), "order_id", 4),
        "zones": log.assign(date=log["date"].dt.tz_localize("America/New_York")),
        "empty": log.head(0),
        "one row": log.head(1).assign(amount=5.0),
        "ties": log.assign(date=pd.Timestamp("2024-03-01"), amount=2.0),
        "one customer has half": half,
        "fewer customers than parts": log.assign(customer_id=log["customer_id"] % 2),
        "most come after as_of": log.assign(
            date=log["date"].where(log["customer_id"] < 2, pd.Timestamp("2024-07-01"))
        ),
    }


def outcome(call):
    try:
        return call()
    except InputError as error:
        return error


def alike(parts, whole, name):
    if isinstance(whole, Exception):
        assert isinstance(parts, InputError), name
        assert isinstance(parts, EmptyLogError) == isinstance(whole, EmptyLogError), name
    else:
        assert not isinstance(parts, Exception), (name, parts)
        same(parts, whole)


@pytest.mark.parametrize(
    ("function", "options"), FUNCTIONS, ids=lambda x: getattr(x, "__name__", "")
)
def test_hard_logs_in_memory(function, options):
    for name, log in logs().items():
        chosen = of(options, log)
        whole = outcome(lambda log=log, chosen=chosen: called(function, log, chosen))
        # of a customer with half of all rows a part has to hold all
        rows = max(40, int(log["customer_id"].value_counts().max() if len(log) else 0))
        parts = outcome(
            lambda log=log, rows=rows, chosen=chosen: crmkit.by_customer(
                function, log, rows_per_part=rows, **chosen
            )
        )
        alike(parts, whole, name)


def lazy(log, file):
    return pytest.importorskip("polars").scan_parquet(file)


def ibis_on_duckdb(log, file):
    ibis = pytest.importorskip("ibis")
    # it has no type for stamps with a zone in nanoseconds
    log.to_parquet(file := file.with_suffix(".us.parquet"), coerce_timestamps="us")
    return ibis.duckdb.connect().read_parquet(file)


@contextmanager
def sqlite(log, file):
    ibis = pytest.importorskip("ibis")
    if isinstance(log["date"].dtype, pd.DatetimeTZDtype):
        # older versions of ibis cannot read stamps of several offsets back from text
        log = log.assign(date=log["date"].dt.tz_convert("Etc/GMT+5"))
    with closing(sqlite3.connect(file.with_suffix(".sqlite"))) as base:
        log.to_sql("log", base, index=False)
    database = ibis.sqlite.connect(file.with_suffix(".sqlite"))
    table = database.table("log")
    try:
        yield table.mutate(date=table["date"].cast("timestamp"))
    finally:
        database.disconnect()


ENGINES = {
    "pandas": lambda log, _: log,
    "polars": lambda log, _: pytest.importorskip("polars").from_pandas(log),
    "lazy polars": lazy,
    "arrow": lambda log, _: pytest.importorskip("pyarrow").Table.from_pandas(log),
    "duckdb": lambda log, _: pytest.importorskip("duckdb").from_df(log),
    "file": lambda _, file: file,
    "ibis on duckdb": ibis_on_duckdb,
    "ibis on sqlite": sqlite,
}
KINDS = {
    "per customer": (clv.purchase_table, {"regularity": True}),
    "additive": (churn.retention_table, {"as_of": "2024-05-15"}),
    "money": (clv.cohort_value, {"as_of": "2024-05-15"}),
    "by order": (basket.frequent_itemsets, {"min_support": 2}),
    "pairs": (basket.item_pairs, {"min_support": 2}),
    "in order": (basket.time_to_next, {"min_support": 2}),
    "learns": (churn.silence_table, {}),
    "known before": (segmentation.preference_table, {"columns": ["product"], "max_levels": 2}),
    "raw": (clv.log_audit, {}),
}


@pytest.mark.filterwarnings("ignore")  # of ibis about DuckDB
@pytest.mark.sweep(len(ENGINES))
@pytest.mark.parametrize("log", logs())
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_hard_logs_on_every_engine(engine, kind, log, tmp_path):
    table, (function, options) = logs()[log], KINDS[kind]
    file = tmp_path / "log.parquet"
    table.to_parquet(file)
    with contextlib.ExitStack() as stack:
        made = ENGINES[engine](table, file)
        made = stack.enter_context(made) if engine == "ibis on sqlite" else made
        # databases keep moments without their zone: the clock is that of the session
        base = made if log == "zones" and engine.split()[-1] in ("duckdb", "sqlite") else table
        whole = outcome(lambda: function(base, **options))
        rows = max(80, int(table["customer_id"].value_counts().max() if len(table) else 0))
        parts = outcome(lambda: crmkit.by_customer(function, made, rows_per_part=rows, **options))
    alike(parts, whole, (log, engine, kind))


@pytest.mark.parametrize("unit", ["us", "ns"])
@pytest.mark.parametrize("zone", ["America/New_York", "+02:30", "-08:00"])
def test_days_in_parts_are_those_of_the_zone(zone, unit, tmp_path):
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    dataset = pytest.importorskip("pyarrow.dataset")
    file = tmp_path / "log.parquet"
    log = plain()
    hours = pd.to_timedelta(np.arange(len(log)) % 24, "h")
    log = log.assign(date=(log["date"] + hours).dt.tz_localize(zone).dt.as_unit(unit))
    log.to_parquet(file)
    whole = clv.purchase_table(log)
    tables = {"file": file, "dataset": dataset.dataset(file)}
    if ":" not in zone:  # which Polars does not know
        tables["lazy"] = pl.from_pandas(log).lazy()
        session = duckdb.connect()
        session.execute(f"SET TimeZone = '{zone}'")
        tables["session"] = session.read_parquet(str(file))
    for table in tables.values():
        same(crmkit.by_customer(clv.purchase_table, table, rows_per_part=50), whole)
