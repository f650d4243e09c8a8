"""Sequences against brute force."""

from itertools import combinations, permutations, product
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import basket
from crmkit.basket._math import cover, sequence_mining, sequences, steps
from crmkit.errors import InputError

histories = st.lists(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abcd")), min_size=1, max_size=8),
    min_size=1,
    max_size=8,
)
gaps = st.sampled_from([(1, None), (2, None), (1, 3), (2, 5), (1, 12)])


def log_of(customers):
    rows = [(c, day, item) for c, lines in enumerate(customers) for day, item in lines]
    log = pd.DataFrame(rows, columns=["customer_id", "day", "product"])
    log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(log["day"], unit="D")
    return log


def supports(lines, sequence, min_gap, max_gap, latest=99):
    ends = [day for day, item in lines if item == sequence[0] and day <= latest]
    for item in sequence[1:]:
        ends = [
            day
            for day, other in lines
            if other == item and any(min_gap <= day - end <= (max_gap or 99) for end in ends)
        ]
    return bool(ends)


@given(histories, gaps, st.integers(1, 3), st.sampled_from([1, 7, 1 << 20]), st.booleans())
def test_sequences_equal_brute_force(customers, gap, min_count, cells, tabled):
    with pytest.MonkeyPatch.context() as patch:
        for module in (sequences, sequence_mining, steps):
            patch.setattr(module, "CELLS", cells)
        patch.setattr(sequence_mining, "TABLE_CELLS", 1000 if tabled else 0)
        found = basket.frequent_sequences(
            log_of(customers),
            min_support=min_count,
            max_length=3,
            min_gap_days=gap[0],
            max_gap_days=gap[1],
        )
    expected = {}
    for length in (1, 2, 3):
        for sequence in product("abcd", repeat=length):
            count = sum(supports(lines, sequence, *gap) for lines in customers)
            if count >= min_count:
                expected[sequence] = count
    assert dict(zip(found["sequence"], found["count"], strict=True)) == expected
    np.testing.assert_allclose(found["support"], found["count"] / len(customers))
    for row in found.itertuples():
        counts = [
            sum(supports(lines, other, *gap) for lines in customers)
            for other in permutations(row.sequence)
        ]
        assert row.expected_count == pytest.approx(np.mean(counts))
        assert row.lift == pytest.approx(row.count / row.expected_count)


@given(histories, gaps)
def test_chance_of_four_steps_goes_once_round_both_ways(customers, gap):
    found = basket.frequent_sequences(
        log_of(customers), min_support=1, min_gap_days=gap[0], max_gap_days=gap[1], max_length=4
    )
    for row in found[found["length"] == 4].head(30).itertuples():
        ways = [way[i:] + way[:i] for way in (row.sequence, row.sequence[::-1]) for i in range(4)]
        counts = [sum(supports(lines, way, *gap) for lines in customers) for way in ways]
        assert row.expected_count == pytest.approx(np.mean(counts))


def test_lift_is_one_where_the_order_means_nothing():
    rng = np.random.default_rng(3)
    customer, item = np.nonzero(rng.random((4000, 5)) < 0.6)
    log = pd.DataFrame({"customer_id": customer, "product": item})
    day = rng.integers(0, 300, len(log))
    for late in (0, 250):  # days until the last item is bought
        days = day + np.where(item == 4, late, 0)
        log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(days, unit="D")
        found = basket.frequent_sequences(log, min_support=100, max_length=4)
        assert found.loc[found["length"] == 1, "lift"].eq(1).all()
        ends = found["sequence"].map(lambda steps: steps[-1] == 4 and len(steps) > 1)
        any_order = ~found["sequence"].map(lambda steps: 4 in steps) if late else found["count"] > 0
        assert found.loc[any_order].groupby("length")["lift"].mean().sub(1).abs().max() < 0.01
        off = (found["count"] - found["expected_count"]) / np.sqrt(found["expected_count"])
        assert off[any_order].abs().max() < 4
        assert not late or (found.loc[ends, "lift"].min() > 1.7 and off[ends].min() > 8)


@given(histories, gaps)
def test_rules_equal_brute_force(customers, gap):
    min_gap, max_gap = gap
    last = max(day for lines in customers for day, _ in lines)
    latest = 99 if max_gap is None else last - max_gap
    rules = basket.sequence_rules(
        log_of(customers), min_support=1, min_gap_days=min_gap, max_gap_days=max_gap
    )
    found = {(row.antecedent[0], row.consequent[0]): row for row in rules.itertuples()}
    for a, b in product("abcd", repeat=2):
        forth = [supports(lines, (a, b), *gap, latest) for lines in customers]
        back = [supports(lines, (b, a), *gap, latest) for lines in customers]
        if not any(forth):
            assert (a, b) not in found
            continue
        row = found.pop((a, b))
        starts = sum(supports(lines, (a,), *gap, latest) for lines in customers)
        ever = sum(supports(lines, (b,), *gap) for lines in customers)
        assert (row.count, row.count_reverse) == (sum(forth), sum(back))
        assert (row.count_antecedent, row.count_consequent) == (starts, ever)
        assert row.confidence == pytest.approx(sum(forth) / starts)
        assert row.expected_count == (sum(forth) + sum(back)) / 2
        assert row.lift == pytest.approx(sum(forth) / row.expected_count)
        one_way = [
            sum(x and not y for x, y in zip(*p, strict=True))
            for p in ((forth, back), (back, forth))
        ]
        total = sum(one_way)
        tail = sum(comb(total, k) for k in range(one_way[0], total + 1)) / 2**total
        assert row.p_value == pytest.approx(1.0 if a == b else tail)
    assert not found


def supports_sets(lines, steps, min_gap, max_gap, latest=99):
    """Return whether the steps, sets of items of one day, follow one another."""
    days = {day: {item for other, item in lines if other == day} for day, _ in lines}
    as_steps = [(day, step) for day in days for step in set(steps) if set(step) <= days[day]]
    return supports(as_steps, steps, min_gap, max_gap, latest)


STEPS = [step for k in (1, 2, 3) for step in combinations("abcd", k)]


@given(histories, gaps, st.integers(1, 3), st.sampled_from([2, 3]), st.sampled_from([1, 1 << 20]))
def test_sequences_of_sets_equal_brute_force(customers, gap, min_count, max_together, cells):
    log = log_of(customers)
    options = {"min_gap_days": gap[0], "max_gap_days": gap[1], "max_together": max_together}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cover, "CELLS", cells)
        found = basket.frequent_sequences(log, min_support=min_count, max_length=2, **options)
        rules = basket.sequence_rules(log, min_support=min_count, min_confidence=0.001, **options)
    last = max(day for lines in customers for day, _ in lines)
    latest = 99 if gap[1] is None else last - gap[1]
    steps = [step for step in STEPS if len(step) <= max_together]
    expected, ruled = {}, {}
    for steps_of in (*product(steps, repeat=1), *product(steps, repeat=2)):
        counts = [
            sum(supports_sets(lines, way, *gap, end) for lines in customers)
            for way, end in ((steps_of, 99), (steps_of, latest), (steps_of[::-1], latest))
        ]
        if counts[0] >= min_count:
            expected[steps_of] = counts[0]
        if len(steps_of) == 2 and counts[1] >= min_count:
            ruled[steps_of] = (*counts[1:], round(2 * counts[1] / sum(counts[1:]), 9))
    assert dict(zip(found["sequence"], found["count"], strict=True)) == expected
    rows = rules[["antecedent", "consequent", "count", "count_reverse", "lift"]].to_numpy()
    assert {(a, c): (n, back, round(lift, 9)) for a, c, n, back, lift in rows} == ruled


def test_lift_of_an_order_by_chance_is_one():
    rng = np.random.default_rng(2)
    lifts = []
    for _ in range(20):  # customers who like some items, buy them often and in no order
        likes = rng.random((300, 6)) < 0.4
        customers = [
            [(int(d), "abcdef"[i]) for i in np.flatnonzero(like) for d in rng.integers(0, 99, n)]
            for like, n in zip(likes, rng.integers(1, 4, 300), strict=True)
        ]
        rules = basket.sequence_rules(log_of(customers), max_gap_days=40, max_together=2)
        other = rules[rules["antecedent"] != rules["consequent"]]
        lifts += other.loc[other["count"] >= 20, "lift"].tolist()
        again = rules[rules["antecedent"] == rules["consequent"]]
        assert (again["lift"] == 1).all()
    assert len(lifts) > 500
    assert np.mean(lifts) == pytest.approx(1, abs=0.01)
    assert np.std(lifts) < 0.15


def test_a_set_of_one_day_comes_before_what_follows_it():
    rng = np.random.default_rng(3)
    customers = [
        [(10, "printer"), (10, "paper"), (40, "ink")]
        if number % 3 == 0
        else [
            (int(day), item)
            for day, item in zip(rng.permutation(60)[:3], ["printer", "paper", "ink"], strict=True)
        ]
        for number in range(300)
    ]
    rules = basket.sequence_rules(log_of(customers), max_together=2)
    first = rules.iloc[0]
    assert (first["antecedent"], first["consequent"]) == (("paper", "printer"), ("ink",))
    assert (first["count"], first["count_reverse"], first["lift"]) == (100, 0, 2)
    value = basket.rule_windows(rules.head(1), log_of(customers), n_windows=2)
    assert value["antecedent"].iloc[0] == ("paper", "printer")


def test_too_many_sets_of_a_day_stop_in_words():
    log = log_of([[(0, item) for item in "abcdef"]] * 2)
    with pytest.raises(InputError, match=r"max_together.*more than 10 sets of items of one day"):
        basket.frequent_sequences(log, min_support=1, max_together=2, max_sequences=10)
    assert basket.frequent_sequences(log.assign(product=None), min_support=1, max_together=2).empty


def test_gap_runs_to_the_next_purchase():
    log = log_of([[(0, "a"), (4, "b"), (9, "b")], [(1, "a"), (11, "b")], [(2, "c")]])
    rules = basket.sequence_rules(log, min_support=1)
    row = rules[(rules["antecedent"] == ("a",)) & (rules["consequent"] == ("b",))].iloc[0]
    assert row["median_gap_days"] == 7
    rules = basket.sequence_rules(log, max_gap_days=5, min_support=1)
    row = rules[(rules["antecedent"] == ("a",)) & (rules["consequent"] == ("b",))].iloc[0]
    assert (row["count"], row["confidence"], row["median_gap_days"]) == (1, 0.5, 4)


def test_order_by_chance_is_not_found():
    rng = np.random.default_rng(0)
    customers = [
        [(int(rng.integers(300)), str(item)) for item in rng.choice(list("abcdefgh"), 6)]
        for _ in range(500)
    ]
    assert (basket.sequence_rules(log_of(customers))["p_adjusted"] > 0.01).all()
    planted = [[*lines, (10, "x"), (40, "y")] for lines in customers]
    rules = basket.sequence_rules(log_of(planted))
    row = rules[(rules["antecedent"] == ("x",)) & (rules["consequent"] == ("y",))].iloc[0]
    assert row["p_adjusted"] < 1e-100


@given(histories, gaps)
def test_long_sequences_equal_brute_force(customers, gap):
    log = log_of(customers)
    found = basket.frequent_sequences(log, min_support=2, min_gap_days=gap[0], max_gap_days=gap[1])
    expected, level = {}, [()]
    while level:
        longer = [(*sequence, item) for sequence in level for item in "abcd"]
        counts = {s: sum(supports(lines, s, *gap) for lines in customers) for s in longer}
        level = [sequence for sequence in longer if counts[sequence] >= 2]
        expected |= {sequence: counts[sequence] for sequence in level}
    assert dict(zip(found["sequence"], found["count"], strict=True)) == expected


def test_guard_names_the_threshold_that_fits():
    rng = np.random.default_rng(1)
    customers = [
        [
            (int(day), str(item))
            for day, item in zip(
                rng.permutation(60)[:12], rng.choice(list("abcdef"), 12), strict=True
            )
        ]
        for _ in range(40)
    ]
    log = log_of(customers)
    with pytest.raises(InputError, match="max_sequences") as caught:
        basket.frequent_sequences(log, min_support=1, max_length=4, max_sequences=100)
    words = str(caught.value).split("sequences; ")[1].split(" ")
    fits, n = int(words[0]), int(words[4].rstrip("."))
    found = basket.frequent_sequences(log, min_support=fits, max_length=4, max_sequences=100)
    assert len(found) == n <= 100
    with pytest.raises(InputError, match="max_sequences"):
        basket.frequent_sequences(log, min_support=fits - 1, max_length=4, max_sequences=100)


def test_limits_and_empty_results():
    log = log_of([[(0, "a"), (1, "b")], [(0, "a")]])
    with pytest.raises(InputError, match="max_sequences"):
        basket.frequent_sequences(log, min_support=1, max_sequences=2)
    with pytest.raises(InputError, match="min_gap_days"):
        basket.frequent_sequences(log, min_gap_days=0)
    with pytest.raises(InputError, match="max_gap_days"):
        basket.sequence_rules(log, min_gap_days=5, max_gap_days=4)
    assert basket.sequence_rules(log, min_support=2).empty
    missing = log.assign(product=pd.NA)
    assert basket.frequent_sequences(missing).empty
    assert basket.sequence_rules(missing).empty


def slow_kaplan_meier(rows, horizon):
    """Return survival at the horizon, Greenwood sum and median from (days, bought) rows."""
    survival, greenwood, median = 1.0, 0.0, np.nan
    at_horizon = (1.0, 0.0)
    for day in sorted({day for day, bought in rows if bought}):
        n = sum(other >= day for other, _ in rows)
        d = sum(other == day and bought for other, bought in rows)
        survival *= 1 - d / n
        greenwood += d / (n * (n - d)) if d < n else 0.0
        if np.isnan(median) and survival <= 0.5 + 1e-12:
            median = day
        if day <= horizon:
            at_horizon = (survival, greenwood)
    return *at_horizon, median


@given(histories, st.integers(1, 12), st.integers(0, 5))
def test_waiting_times_equal_kaplan_meier(customers, horizon, later):
    log = log_of(customers)
    as_of = log["date"].max() + pd.Timedelta(days=later)
    log = pd.concat([log, log.head(1).assign(date=as_of, product="z")])
    waits = basket.time_to_next(
        log, horizon_days=horizon, min_support=1, include=sorted(set(log["product"]) - {"z"})
    )
    last = (as_of - pd.Timestamp("2025-01-01")).days
    seen = set()
    for row in waits.itertuples():
        seen.add((row.item, row.next_item))
        rows = []
        for lines in customers:
            starts = [day for day, item in lines if item == row.item]
            if starts:
                after = [d for d, i in lines if i == row.next_item and d > min(starts)]
                rows.append(
                    (min(after) - min(starts), True) if after else (last - min(starts), False)
                )
        survival, greenwood, median = slow_kaplan_meier(rows, horizon)
        assert (row.customers, row.events) == (len(rows), sum(bought for _, bought in rows))
        assert row.p_within == pytest.approx(1 - survival)
        assert row.std_error == pytest.approx(survival * np.sqrt(greenwood))
        assert row.median_days == pytest.approx(median, nan_ok=True)
        assert 0 <= row.conf_low <= row.p_within + 1e-12
        assert row.p_within - 1e-12 <= row.conf_high <= 1
    rules = basket.sequence_rules(log, min_support=1, exclude=["z"])
    assert seen == {
        (a, b) for (a,), (b,) in zip(rules["antecedent"], rules["consequent"], strict=True)
    }
