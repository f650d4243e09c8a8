"""What parts of the customers give is what all of them give, whatever engine holds the log."""

import csv
import errno
import importlib
import inspect
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import crmkit
from contract._tools import ROOMS
from crmkit import basket, churn, clv, datasets, response, segmentation
from crmkit._two_steps import _STEPS, called
from crmkit.errors import EmptyLogError, InputError, MissingColumnsError

DECLARED = Path(crmkit.__file__).with_name("_parts.csv")
UNTIL = {"as_of": "2024-12-31"}
THRESHOLDS = pd.DataFrame({"at_risk_days": [30], "lapsed_days": [90]})
POOLS = pd.DataFrame(
    {"pool": ["post", "shelf"], "cost": [90.0, 60.0], "driver": ["orders", "units"]}
)
SETS = pd.DataFrame({"itemset": [("b", "a"), ("f",), ("d", "c", "e"), ("c",), ("a", "d")]})
RULES = pd.DataFrame(
    {"antecedent": [("b", "a"), ("f",), ("c",)], "consequent": [("c",), ("a",), ("e", "f")]}
)
AHEAD = {"as_of": "2024-12-31", "horizon_days": 90}
MOVES = {"dates": ["2024-03-31", "2024-06-30", "2024-12-31"], "thresholds": THRESHOLDS}


def people(log):
    """Return a table of the customers of a log: what is a function of the log in an option."""
    ids = log["customer_id"].dropna().unique()
    ids = [*ids[3:], *ids[:2]]
    n = np.arange(len(ids))
    return pd.DataFrame({"customer_id": ids, "kind": n % 3, "won_for": n / 4})


def kept_levels(log):
    """Return the levels and shares of an earlier day, of which not all come later."""
    early = log[log["product"] < "d"]
    return segmentation.preference_table(early, columns=["product"], max_levels=2, detail=True)


def tracked(log):
    """Return a model of the purchases of all, whoever they are."""
    return clv.BGNBD().fit(clv.purchase_table(a_log(), as_of="2024-12-31"))


CALLS = [
    (segmentation.preference_table, {}),
    (segmentation.preference_table, {"columns": ["product", "channel"], "max_levels": 3, **UNTIL}),
    (segmentation.preference_table, {"detail": True, "discount": "granted", "since": "2024-03-01"}),
    (segmentation.preference_table, {"columns": ["product"], "base": kept_levels}),
    (basket.frequent_itemsets, {"min_support": 0.02}),
    (basket.frequent_itemsets, {"min_support": 25, "max_length": 3, "family": "closed", **UNTIL}),
    (
        basket.frequent_itemsets,
        {"min_support": 9, "min_length": 2, "groups": ["channel"], "exclude": ["b"]},
    ),
    (basket.frequent_itemsets, {"unit": "customer", "min_support": 0.3, "family": "maximal"}),
    (basket.item_pairs, {}),
    (basket.item_pairs, {"min_support": 1, "item": ["d", "b"], "adjust": "holm", **UNTIL}),
    (basket.item_pairs, {"apart": True, "min_support": 9, "exclude": ["c"]}),
    (basket.item_pairs, {"unit": "customer", "min_support": 0.05, "include": ["a", "c", "f"]}),
    (basket.frequent_sequences, {"max_length": 3, "max_together": 1}),
    (
        basket.frequent_sequences,
        {"min_support": 9, "min_gap_days": 5, "max_gap_days": 60, "max_length": 4, **UNTIL},
    ),
    (basket.frequent_sequences, {"min_support": 0.1, "max_length": 3, "include": ["a", "c"]}),
    (basket.time_to_next, {}),
    (basket.itemset_value, {"itemsets": SETS}),
    (basket.itemset_value, {"itemsets": SETS, "unit": "customer", **UNTIL}),
    (basket.rule_windows, {"rules": RULES}),
    (basket.rule_windows, {"rules": RULES, "n_windows": 7, "unit": "customer", **UNTIL}),
    (basket.time_to_next, {"min_support": 20, "horizon_days": 30, "exclude": ["b"], **UNTIL}),
    (basket.sequence_rules, {}),
    (basket.sequence_rules, {"min_gap_days": 5, "max_gap_days": 60, "min_confidence": 0, **UNTIL}),
    (clv.payback_table, {"acquisition_cost": 900.0, "annual_discount_rate": 0, **UNTIL}),
    (clv.payback_table, {"acquisition_cost": 40.3, "period": None, "margin": 0.3}),
    (clv.log_audit, {}),
    (clv.log_audit, {"refunds": "drop", **UNTIL}),
    (clv.tracking_table, {"purchases": tracked, **UNTIL}),
    (clv.tracking_table, {"purchases": tracked, "customers": people, "period_days": 30, **AHEAD}),
    (churn.acquisition_table, {"customers": people, "window_days": 90}),
    (churn.acquisition_table, {"acquired_from": "2024-02-15", "valuable_share": 0.31}),
    (churn.acquisition_profile, {"by": ["first_month", "first_product"]}),
    (
        churn.acquisition_profile,
        {"by": "kind", "customers": people, "acquisition_cost": "won_for"},
    ),
    (churn.signal_table, AHEAD),
    (churn.backtest_table, {**AHEAD, "n_train": 1, "heuristics": ["recency_days"]}),
    (response.buyer_profile, {"customers": people, "product": "a"}),
    (response.buyer_profile, {"customers": people, "product": ["a", "b"], **UNTIL}),
    (segmentation.readiness_table, {"customers": people}),
    (segmentation.readiness_table, {"since": "2024-02-01", **UNTIL}),
    (segmentation.rfm_table, {}),
    (segmentation.rfm_table, {"since": "2024-06-01", **UNTIL}),
    (segmentation.customer_profit, UNTIL),
    (segmentation.customer_profit, {"cost_pools": POOLS, "since": "2024-02-01"}),
    (clv.cohort_value, {"annual_discount_rate": 0.1, **UNTIL}),
    (churn.gap_table, UNTIL),
    (churn.gap_table, {"by": "channel"}),
    (churn.cohort_table, {"by": "channel", **UNTIL}),
    (churn.cohort_table, {"ages": "customer", "activity": "rolling", "max_age": 7}),
    (churn.retention_table, {"by": "channel", "span_periods": 3, "rate_days": 365}),
    (churn.retention_table, {"window_days": 60, **UNTIL}),
    (churn.lifecycle_transitions, MOVES),
    (churn.silence_table, UNTIL),
    (clv.purchase_table, {"regularity": True}),
    (clv.purchase_table, UNTIL),
    (clv.contract_table, {}),
    (clv.opportunity_table, {"period": "month"}),
    (clv.history_counts, {"regularity": True}),
    (clv.holdout_table, {"as_of": "2024-10-31"}),
    (clv.opportunity_table, {"period": "month", "as_of": "2024-08-31", "horizon_periods": 3}),
    (clv.contract_table, {"as_of": "2024-08-31", "horizon_periods": 3}),
    (clv.tapk_table, UNTIL),
    (churn.churn_table, {}),
    (churn.churn_table, {"as_of": ["2024-03-31", "2024-06-30"], "horizon_days": 90}),
    (churn.cohort_customers, {"cohort": "2024-02-01", "age": 2}),
    (churn.lifecycle_table, {"thresholds": THRESHOLDS}),
    (churn.lifecycle_table, {}),
    (churn.lifecycle_table, {"by": "channel", **UNTIL}),
    (churn.lifecycle_transitions, {**MOVES, "thresholds": None, "by": "channel"}),
]


def a_log(seed=0, n=3000, ids=int):
    """Return a log with a heavy buyer, customers of refunds only and late ones."""
    rng = np.random.default_rng(seed)
    customer = (250 * rng.random(n) ** 2).astype(int)
    customer[: n // 10] = 249
    log = pd.DataFrame(
        {
            "customer_id": customer,
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n), "D"),
            "amount": rng.integers(-200, 3000, n) / 4,
            "order_id": rng.integers(0, 900, n),
            "product": rng.choice(list("abcdef"), n),
            "quantity": 1.0,
            "cost": 1.0,
            "channel": np.array(["web", None, "shop"])[customer % 3],
            "granted": (customer + np.arange(n)) % 3,
            "responded": rng.integers(0, 7, n) < customer % 5,
        }
    )
    only_back = log["customer_id"] % 7 == 3
    log.loc[only_back, ["amount", "quantity"]] = [-2.5, -1.0]
    return log.assign(customer_id=log["customer_id"].map(ids))


def of(options, log):
    """Return options, of which some are made from the log."""
    return {k: v(log) if inspect.isfunction(v) else v for k, v in options.items()}


def engines(log, folder):
    """Return the log as each kind of table that is cut in its own way."""
    file = folder / "log.parquet"
    pytest.importorskip("pyarrow")
    log.to_parquet(file)
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    dataset = pytest.importorskip("pyarrow.dataset")
    return {
        "pandas": log,
        "polars": pl.from_pandas(log),
        "lazy polars": pl.scan_parquet(file),
        "duckdb": duckdb.from_df(log),
        "file": file,
        "folder": str(folder),
        "pattern": str(folder / "*.parquet"),
        "dataset": dataset.dataset(file),
    }


def same(parts, whole):
    pd.testing.assert_frame_equal(parts, whole, check_dtype=False, rtol=1e-12)
    same_notes(parts.attrs, whole.attrs)


def same_notes(parts, whole):
    assert parts.keys() == whole.keys()
    for name, value in whole.items():
        if isinstance(value, dict):
            same_notes(parts[name], value)
        else:
            number = isinstance(value, (int, float))
            assert parts[name] == (pytest.approx(value, nan_ok=True) if number else value), name


@pytest.mark.sweep(2)
@pytest.mark.parametrize(("function", "options"), CALLS, ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize("ids", [int, "c{}".format], ids=["numbers", "text"])
def test_parts_give_what_the_whole_gives(function, options, ids, tmp_path):
    log = a_log(ids=ids)
    options = of(options, log)
    whole = called(function, log, options)
    for rows in (350, 1100, 10_000):
        same(crmkit.by_customer(function, log, rows_per_part=rows, **options), whole)
    file = engines(log, tmp_path)["file"]
    same(crmkit.by_customer(function, file, rows_per_part=800, **options), whole)


def contracts(n=400):
    """Return contracts with trials, reasons and customers who only try."""
    rng = np.random.default_rng(2)
    start = pd.Timestamp("2023-01-15") + pd.to_timedelta(rng.integers(0, 600, n), "D")
    kind = rng.choice(["paid", "trial"], n, p=[0.7, 0.3])
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 150, n),
            "start_date": start,
            "end_date": start + pd.to_timedelta(rng.integers(20, 300, n), "D"),
            "monthly_revenue": np.where(kind == "paid", rng.integers(500, 9000, n) / 100, 0.0),
            "billing": kind,
            "reason": rng.choice(
                np.array(["dear", "bad card", "moved", None]), n, p=[0.05, 0.5, 0.05, 0.4]
            ),
        }
    )


@pytest.mark.parametrize("by", ["scale", "ended", "kept", "units"])
def test_no_name_of_a_group_meets_a_column_of_sums(by):
    log = a_log().rename(columns={"channel": by})
    for function in (churn.cohort_table, churn.retention_table, churn.gap_table):
        named = function(a_log(), by="channel").rename(columns={"channel": by})
        parts = crmkit.by_customer(function, log, rows_per_part=900, by=by)
        pd.testing.assert_frame_equal(parts, named, check_dtype=False, rtol=1e-12)


@pytest.mark.parametrize("function", [churn.cohort_table, churn.retention_table])
def test_contracts_in_parts_give_what_the_whole_gives(function, tmp_path):
    table = contracts()
    whole = function(table, ends="exclusive")
    for rows in (12, 90):
        same(crmkit.by_customer(function, table, rows_per_part=rows, ends="exclusive"), whole)
    file = tmp_path / "contracts.parquet"
    table.to_parquet(file)
    same(crmkit.by_customer(function, file, rows_per_part=90, ends="exclusive"), whole)


def test_every_engine_gives_the_same(tmp_path):
    log = a_log()
    whole = clv.purchase_table(log)
    for table in engines(log, tmp_path).values():
        same(crmkit.by_customer(clv.purchase_table, table, rows_per_part=1100), whole)


def test_every_function_of_a_log_says_whether_it_needs_all():
    with DECLARED.open(encoding="utf-8", newline="") as lines:
        declared = {row["function"]: row for row in csv.DictReader(lines)}
    logs = set()
    for room in ROOMS:
        module = importlib.import_module(f"crmkit.{room}")
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) and "transactions" in inspect.signature(value).parameters:
                logs.add(f"{room}.{name}")
    assert logs <= set(declared)
    tried = {f"{function.__module__.split('.')[1]}.{function.__name__}" for function, _ in CALLS}
    cut = {name for name in logs if declared[name]["needs_all_if"] != "always"}
    assert cut == tried
    assert all(row["why"] for row in declared.values() if row["needs_all_if"] != "never")


def test_steps_take_only_what_the_function_is_given():
    assert len(_STEPS) > 15
    for function, steps in _STEPS.items():
        known = {*inspect.signature(function).parameters}
        for name, first, rest in steps.passes:
            for step in (first, rest):
                _, *takes = inspect.signature(step).parameters.values()
                named = {one.name for one in takes if one.default is one.empty}
                assert named <= known, (function.__name__, step.__name__)
            known.add(name)


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (basket.support_table, {}, "`support_table` must see all customers at once: it counts"),
        (basket.frequent_itemsets, {"n_best": 9}, "`frequent_itemsets` with `n_best` must see"),
        (basket.frequent_sequences, {"max_together": 2}, "with `max_together` must see all"),
        (
            churn.lifecycle_table,
            {"thresholds": THRESHOLDS, "own_rhythm": True},
            "`lifecycle_table` with `own_rhythm` must see all customers at once: a customer's own",
        ),
        (
            churn.gap_table,
            {"by": "channel", "customers": pd.DataFrame({"customer_id": [1], "channel": "web"})},
            "`customers` is a table of customers, which is not cut into parts",
        ),
        (
            basket.itemset_value,
            {"itemsets": SETS, "transactions": a_log},
            "`transactions` of `itemset_value` is the table that is cut into parts. Pass it as",
        ),
        (segmentation.rfm_scores, {}, "`rfm_scores` must see all customers at once"),
        (
            segmentation.rfm_table,
            {"customers": pd.DataFrame({"customer_id": [1]})},
            "`customers` is a table of customers, which is not cut into parts",
        ),
        ("rfm_table", {}, "`function` must be a function; got str"),
        (lambda part: part.iloc[0], {}, "must return a pandas table with the column 'customer_id'"),
    ],
)
def test_what_parts_would_get_wrong_is_refused(function, options, said):
    with pytest.raises(InputError) as told:
        crmkit.by_customer(function, a_log(), rows_per_part=1000, **options)
    assert said in str(told.value)


def test_money_of_tickets_and_their_windows_come_from_parts_of_the_orders():
    tickets = a_log()[["order_id", "date", "product", "amount"]]
    for function, options in (
        (basket.itemset_value, {"itemsets": SETS}),
        (basket.rule_windows, {"rules": RULES}),
    ):
        whole = called(function, tickets, options)
        same(crmkit.by_customer(function, tickets, rows_per_part=400, **options), whole)


def test_itemsets_of_equal_money_keep_their_order_in_parts():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        price = rng.choice([0.1, 0.37, 19.99, 5.01], 900)
        log = pd.DataFrame(
            {"customer_id": np.arange(900) % 300, "date": pd.Timestamp("2025-01-01")}
        )
        log = pd.concat(
            [
                log.assign(product="b", amount=price),
                log.assign(product="a", amount=rng.permutation(price)),
            ]
        )
        one = {"itemsets": pd.DataFrame({"itemset": [("a",), ("b",)]})}
        whole = called(basket.itemset_value, log, one)
        assert whole["itemset"].tolist() == [("a",), ("b",)]
        parts = crmkit.by_customer(basket.itemset_value, log, rows_per_part=400, **one)
        pd.testing.assert_frame_equal(parts, whole, check_exact=True)


def test_an_item_that_no_part_has_is_refused_and_one_of_some_is_not():
    log = a_log().assign(product=lambda log: log["customer_id"].map("item {}".format))
    one = {"itemsets": pd.DataFrame({"itemset": [("item 4",), ("item 249",)]})}
    whole = called(basket.itemset_value, log, one)
    same(crmkit.by_customer(basket.itemset_value, log, rows_per_part=400, **one), whole)
    assert whole["count"].max() > 0
    one["itemsets"].loc[2, "itemset"] = ("item 250",)
    with pytest.raises(InputError, match=r"item 250"):
        crmkit.by_customer(basket.itemset_value, log, rows_per_part=400, **one)


@pytest.mark.parametrize("function", [basket.frequent_itemsets, basket.item_pairs])
def test_tickets_without_customers_are_cut_by_order(function, tmp_path):
    tickets = a_log()[["order_id", "product"]]
    whole = function(tickets, min_support=0.04)
    assert len(whole) >= 15
    for table in engines(tickets, tmp_path).values():
        same(crmkit.by_customer(function, table, rows_per_part=1000, min_support=0.04), whole)
    with pytest.raises(InputError, match=r"order \d+ has \d+ rows, more than the 5 of a part"):
        crmkit.by_customer(basket.frequent_itemsets, tickets, rows_per_part=5)
    with pytest.raises(MissingColumnsError, match="lacks the column"):
        crmkit.by_customer(clv.log_audit, tickets, rows_per_part=1000)


def a_shop(n=4000, n_items=40, customers=300):
    """Return orders of customers who each like some of many products, some more than others."""
    rng = np.random.default_rng(4)
    customer = rng.integers(0, customers, n)
    item = (n_items * rng.beta(1, 3, n)).astype(int)
    liked = rng.random(n) < 0.4
    item[liked] = (customer[liked] * 7 + rng.integers(0, 3, liked.sum())) % n_items
    return pd.DataFrame(
        {
            "customer_id": customer,
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 4, n), "D"),
            "product": [f"p{i}" for i in item],
        }
    )


PAIRS = [
    {"min_support": 8},
    {"apart": True, "min_support": 3},
    {"item": ["p3", "p9"], "min_support": 1},
]


@pytest.mark.parametrize("options", PAIRS)
def test_pairs_of_many_items_are_those_of_the_whole(options):
    log = a_shop()
    whole = basket.item_pairs(log, **options)
    assert len(whole) > 20
    for parts in (1, 2, 7):
        rows = len(log) // parts + 1
        same(crmkit.by_customer(basket.item_pairs, log, rows_per_part=rows, **options), whole)


def test_items_in_parts_keep_their_type():
    log = a_shop()
    numbers = log["product"].str[1:].astype("int64") + 2**60  # which no float tells apart
    for items in (numbers, log["product"]):
        typed, options = log.assign(product=items), {"min_support": 8}
        parts = crmkit.by_customer(basket.item_pairs, typed, rows_per_part=900, **options)
        pd.testing.assert_frame_equal(parts, basket.item_pairs(typed, **options), rtol=1e-12)
        parts = crmkit.by_customer(basket.frequent_itemsets, typed, rows_per_part=900, **options)
        pd.testing.assert_frame_equal(parts, basket.frequent_itemsets(typed, **options))
        assert {type(one) for one in parts["itemset"][0]} <= {int, str}


def test_pairs_beyond_the_cap_are_refused_alike():
    options = {"rows_per_part": 1100, "min_support": 1, "max_pairs": 4}
    with pytest.raises(InputError, match=r"is one of 1 in a part of .* `max_pairs` = 4 pairs are"):
        crmkit.by_customer(basket.item_pairs, a_log(), **options)
    log, options = two_kinds(), {"min_support": 5, "max_pairs": 1}
    with pytest.raises(InputError) as whole:
        basket.item_pairs(log, **options)
    with pytest.raises(InputError) as parts:
        crmkit.by_customer(basket.item_pairs, log, rows_per_part=20, **options)
    assert str(parts.value) == str(whole.value)
    few = {"apart": True, "min_support": 1, "max_pairs": 1}
    with pytest.raises(InputError, match="`max_pairs` = 1 pairs; Chance alone gives more"):
        crmkit.by_customer(basket.item_pairs, a_log(), rows_per_part=1100, **few)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (basket.time_to_next, {"min_support": 6}),
        (basket.sequence_rules, {"min_support": 6, "max_gap_days": 3}),
        (basket.frequent_sequences, {"min_support": 12, "max_length": 3}),
    ],
)
def test_what_follows_among_many_items_is_that_of_the_whole(function, options):
    log = a_shop()
    log["product"] = log["product"].str[1:].astype("int64")
    whole = function(log, **options)
    assert len(whole) > 50
    for parts in (1, 2, 7):
        rows = len(log) // parts + 1
        found = crmkit.by_customer(function, log, rows_per_part=rows, **options)
        pd.testing.assert_frame_equal(found, whole, rtol=1e-12)


def two_kinds():
    """Return customers of whom half buy two products, and half two others."""
    customer = np.repeat(np.arange(20), 2)
    items = np.where(customer < 10, "ab", "cd")
    return pd.DataFrame(
        {
            "customer_id": customer,
            "date": pd.Timestamp("2024-01-01"),
            "product": [pair[place % 2] for place, pair in enumerate(items)],
        }
    )


def test_parts_too_small_for_a_threshold_say_so():
    told = r"orders is one of 1 in a part of \d+, in which more than `max_itemsets` = 20 itemsets"
    with pytest.raises(InputError, match=told):
        crmkit.by_customer(
            basket.frequent_itemsets, a_log(), rows_per_part=350, min_support=2, max_itemsets=20
        )
    log = two_kinds()
    options = {"rows_per_part": 20, "min_support": 5}
    assert len(crmkit.by_customer(basket.frequent_itemsets, log, **options)) == 6
    with pytest.raises(InputError, match="gives 6 itemsets, more than `max_itemsets` = 4"):
        crmkit.by_customer(basket.frequent_itemsets, log, max_itemsets=4, **options)


def test_next_items_are_told_in_parts():
    log = a_log()
    model = basket.NextItem(horizon_days=60).fit(log)
    whole = model.predict(log, n_items=3).sort_values("customer_id", kind="stable")
    parts = crmkit.by_customer(model.predict, log, rows_per_part=900, n_items=3)
    pd.testing.assert_frame_equal(parts, whole.reset_index(drop=True), rtol=1e-12)


def test_a_model_predicts_in_parts():
    table = clv.purchase_table(datasets.load_cdnow())
    model = clv.BGNBD().fit(table)
    parts = crmkit.by_customer(model.predict, table, rows_per_part=500, horizon_days=90)
    pd.testing.assert_frame_equal(parts, model.predict(table, horizon_days=90), rtol=1e-12)


@pytest.mark.parametrize("rows", [1100, 10_000])
def test_a_result_goes_to_a_file_part_by_part(rows, tmp_path):
    log, file = a_log(), tmp_path / "table.parquet"
    back = crmkit.by_customer(clv.purchase_table, log, rows_per_part=rows, out=file)
    assert back == file
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]
    same(pd.read_parquet(file), clv.purchase_table(log))
    crmkit.by_customer(churn.retention_table, log, rows_per_part=rows, out=str(file))
    same(pd.read_parquet(file), churn.retention_table(log))


def test_parts_of_other_types_go_into_one_file_or_none(tmp_path):
    log, file = a_log(), tmp_path / "table.parquet"

    def typed(part):
        few = part["customer_id"].max() < 200
        return pd.DataFrame({"customer_id": part["customer_id"], "x": None if few else "text"})

    crmkit.by_customer(typed, log, rows_per_part=1100, out=file)
    assert set(pd.read_parquet(file)["x"].dropna()) == {"text"}
    before = file.read_bytes()

    def mixed(part):
        few = part["customer_id"].max() < 200
        return pd.DataFrame({"customer_id": part["customer_id"], "x": 1 if few else "text"})

    with pytest.raises(InputError, match="do not go into one file for `out`"):
        crmkit.by_customer(mixed, log, rows_per_part=1100, out=file)
    with pytest.raises(EmptyLogError):
        crmkit.by_customer(
            clv.purchase_table, log, rows_per_part=1100, out=file, as_of="2020-01-01"
        )
    with pytest.raises(InputError, match=r"`out` '.*' is a folder"):
        crmkit.by_customer(clv.purchase_table, log, out=tmp_path)
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_parts_run_side_by_side():
    log = a_log()
    parts = crmkit.by_customer(segmentation.rfm_table, log, rows_per_part=1100, n_jobs=2)
    same(parts, segmentation.rfm_table(log))


@pytest.mark.parametrize("kind", ["pandas", "duckdb", "file"])
def test_faults_of_the_whole_are_told_once(kind, tmp_path):
    log = a_log()
    broken = log.astype({"customer_id": "Int64"})
    broken.loc[[5, 2000], "customer_id"] = pd.NA
    with pytest.raises(InputError, match="'customer_id' is missing in 2 of 3,000 rows"):
        crmkit.by_customer(
            segmentation.rfm_table, engines(broken, tmp_path)[kind], rows_per_part=1000
        )
    with pytest.raises(InputError, match=r"customer 249 has \d+ rows, more than the 200"):
        crmkit.by_customer(segmentation.rfm_table, engines(log, tmp_path)[kind], rows_per_part=200)
    with pytest.raises(EmptyLogError, match="no row on or before"):
        crmkit.by_customer(
            segmentation.rfm_table,
            engines(log, tmp_path)[kind],
            rows_per_part=1000,
            as_of="2020-01-01",
        )
    with pytest.raises(InputError, match="has no rows"):
        crmkit.by_customer(segmentation.rfm_table, engines(log.head(0), tmp_path)[kind])


def test_parts_are_as_many_as_the_rows_ask_for():
    sizes = []

    def counted(part):
        sizes.append(len(part))
        return clv.purchase_table(part)

    log = pd.DataFrame({"customer_id": np.arange(9), "date": pd.Timestamp("2025-01-01")})
    crmkit.by_customer(counted, log, rows_per_part=3)
    assert sizes == [3, 3, 3]


def test_a_table_that_does_not_fit_is_told_what_to_do():
    pl = pytest.importorskip("polars")

    def full(said):
        def work(frame):
            raise RuntimeError(said)

        return pl.from_pandas(a_log()).lazy().map_batches(work)

    with pytest.raises(InputError, match=r"does not fit into memory here. Let crmkit\.by_customer"):
        clv.purchase_table(full("java.lang.OutOfMemoryError: Java heap space"))
    with pytest.raises(Exception, match="the disk is on fire"):
        clv.purchase_table(full("the disk is on fire"))


def test_a_file_that_is_no_table_is_refused(tmp_path):
    pytest.importorskip("duckdb")
    for path, said in [
        (tmp_path / "none.parquet", "cannot be read"),
        (tmp_path / "log.txt", "must be a table, or Parquet or CSV"),
    ]:
        with pytest.raises(InputError, match=said):
            crmkit.by_customer(segmentation.rfm_table, path)


def test_a_csv_file_and_wide_sums_are_read(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    log = a_log()
    log.to_csv(tmp_path / "log.csv", index=False)
    whole = clv.purchase_table(log)
    same(crmkit.by_customer(clv.purchase_table, tmp_path / "log.csv", rows_per_part=999), whole)
    wide = duckdb.from_df(log).project("* REPLACE (customer_id::HUGEINT AS customer_id)")
    same(crmkit.by_customer(clv.purchase_table, wide, rows_per_part=999), whole)


def test_nothing_is_left_behind_when_it_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    seen = []

    def interrupted(part):
        seen.append(len(list((tmp_path / "work").rglob("*.parquet"))))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crmkit.by_customer(interrupted, engines(a_log(), tmp_path)["file"], rows_per_part=1000)
    assert seen[0] >= 3
    assert not list((tmp_path / "work").iterdir())


def test_ids_of_two_types_are_refused(tmp_path):
    pytest.importorskip("duckdb")
    log = a_log()
    log.to_parquet(tmp_path / "a.parquet")
    log.astype({"customer_id": "int32"}).to_parquet(tmp_path / "b.parquet")
    assert crmkit.by_customer(clv.log_audit, tmp_path)["count"][0] == 6000
    log.astype({"customer_id": str}).to_parquet(tmp_path / "c.parquet")
    told = r"'customer_id' is text in '.*c.parquet' and none in '.*a.parquet'. Write it as one"
    with pytest.raises(InputError, match=told):
        crmkit.by_customer(clv.log_audit, tmp_path, rows_per_part=1000)
    base = people(log).astype({"customer_id": str})
    with pytest.raises(InputError, match="do not write customer_id alike"):
        crmkit.by_customer(
            response.buyer_profile, log, customers=base, product="a", rows_per_part=1000
        )


def no_room(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("full", ["write_table", "ParquetWriter"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(full, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = tmp_path / "table.parquet"
    file.write_bytes(b"of before")
    monkeypatch.setattr(parquet, full, no_room)
    with pytest.raises(InputError, match=r"`out`: the disk of '.*' is full\. .* room"):
        crmkit.by_customer(clv.purchase_table, a_log(), rows_per_part=1100, out=file)
    assert file.read_bytes() == b"of before"
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]


def test_a_disk_without_room_for_the_parts_is_one_sentence(tmp_path, monkeypatch):
    pl = pytest.importorskip("polars")
    pytest.importorskip("duckdb")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", no_room)
    lazy = pl.from_pandas(a_log()).lazy()
    with pytest.raises(InputError, match="and that disk is full"):
        crmkit.by_customer(clv.purchase_table, lazy, rows_per_part=1100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        ("9.9", "Spark's workers have 9.9, and here is"),
        (ModuleNotFoundError("No module named 'crmkit'"), "Spark's workers have no crmkit, and"),
        (RuntimeError("the cluster is on fire"), "on fire"),
    ],
)
def test_workers_need_the_same_crmkit(workers, said):
    class Session:
        """What answers as a session of Spark whose workers are others than we are."""

        def range(self, _):
            return self

        def mapInPandas(self, *_):
            return self

        def toPandas(self):
            if isinstance(workers, Exception):
                raise workers
            return pd.DataFrame({"version": [workers]})

    table = type("DataFrame", (), {"__module__": "pyspark.sql", "sparkSession": Session()})()
    kind = RuntimeError if isinstance(workers, RuntimeError) else InputError
    with pytest.raises(kind, match=said):
        crmkit.by_customer(clv.purchase_table, table)
