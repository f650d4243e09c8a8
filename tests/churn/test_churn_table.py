"""Features and outcome: right by brute force, and deaf to everything after the day."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import churn
from crmkit._arrays import order_by
from crmkit.errors import InputError

START = pd.Timestamp("2024-01-01")
AS_OF = START + pd.Timedelta(days=60)


def log(seed=0, n=400, customers=25, days=120):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, n),
            "date": START + pd.to_timedelta(rng.integers(0, days, n), unit="D"),
            "amount": rng.integers(-20, 100, n) / 2,
            "order_id": rng.integers(0, 60, n),
            "product": rng.choice(list("abcdef"), n),
            "saved": rng.integers(0, 5, n) / 1.0,
        }
    )


def by_hand(frame, as_of, recent, after, until):
    """One customer's features, slowly, from the definitions."""
    seen = frame[frame["date"] <= as_of]
    bought = seen[seen["amount"] >= 0]
    if bought.empty:
        return None
    days = sorted(bought["date"].unique())
    starts = bought.groupby("order_id")["date"].min()
    ago = (as_of - starts).dt.days
    age = (as_of - seen["date"]).dt.days
    new, old = (ago < recent).sum(), ((ago >= recent) & (ago < 2 * recent)).sum()
    fresh = seen[age < recent]["amount"].sum()
    stale = seen[(age >= recent) & (age < 2 * recent)]["amount"].sum()
    gaps = np.diff(np.array(days, dtype="datetime64[D]")).astype(float)
    gap = gaps.mean() if gaps.size else np.nan
    recency = (as_of - days[-1]).days
    refunds = -seen["amount"].clip(upper=0).sum()
    gross = seen["amount"].sum() + refunds
    firsts = (as_of - bought.groupby("product")["date"].min()).dt.days
    later = frame[(frame["date"] > after) & (frame["date"] <= until) & (frame["amount"] >= 0)]

    def trend(a, b):
        return (a - b) / (abs(a) + abs(b)) if abs(a) + abs(b) else 0.0

    paid = max(seen["amount"].sum(), 0)
    saved = seen["saved"].sum()
    return {
        "recency_days": recency,
        "tenure_days": (as_of - days[0]).days,
        "orders": len(starts),
        "purchase_days": len(days),
        "recent_orders": new,
        "previous_orders": old,
        "order_trend": trend(new, old),
        "mean_gap_days": gap,
        "gap_variation": gaps.std() / gap if gaps.size else np.nan,
        "gap_ratio": recency / gap if gaps.size else np.nan,
        "total_amount": seen["amount"].sum(),
        "mean_order_amount": seen["amount"].sum() / len(starts),
        "recent_amount": fresh,
        "amount_trend": trend(fresh, stale),
        "refund_share": min(refunds / gross, 1) if gross > 0 else 0.0,
        "discount_share": saved / (saved + paid) if saved + paid else 0.0,
        "products": len(firsts),
        "new_products": (firsts < recent).sum(),
        "churned": int(later.empty),
    }


@given(st.integers(0, 10_000), st.integers(0, 10), st.integers(1, 40), st.integers(1, 40))
def test_features_equal_their_definitions(seed, lead, horizon, recent):
    frame = log(seed, n=120, customers=8)
    table = churn.churn_table(
        frame,
        as_of=AS_OF,
        horizon_days=horizon,
        lead_days=lead,
        recent_days=recent,
        discount="saved",
    )
    after = AS_OF + pd.Timedelta(days=lead)
    until = after + pd.Timedelta(days=horizon)
    rows = {
        customer: by_hand(rows, AS_OF, recent, after, until)
        for customer, rows in frame.groupby("customer_id")
    }
    rows = {customer: row for customer, row in rows.items() if row is not None}
    expected = pd.DataFrame(rows.values()).assign(customer_id=list(rows))
    pd.testing.assert_frame_equal(
        table.drop(columns="as_of"), expected[["customer_id", *rows[min(rows)]]], check_dtype=False
    )


@given(st.integers(0, 10_000), st.data())
def test_nothing_after_the_day_changes_a_feature(seed, data):
    frame = log(seed, n=80, customers=6)
    expected = churn.churn_table(frame, as_of=AS_OF, discount="saved")
    future = frame["date"] > AS_OF
    dropped = data.draw(st.lists(st.booleans(), min_size=len(frame), max_size=len(frame)))
    fewer = frame[~(future & np.array(dropped))]
    added = log(seed + 1, n=data.draw(st.integers(1, 40)), customers=9)
    added["date"] = AS_OF + pd.to_timedelta(1 + np.arange(len(added)) % 50, unit="D")
    more = pd.concat([frame, added.assign(order_id=frame["order_id"].iloc[0])])
    for changed in (fewer, more):
        table = churn.churn_table(changed, as_of=AS_OF, discount="saved")
        pd.testing.assert_frame_equal(table, expected)
        observed = changed["date"].max() >= AS_OF + pd.Timedelta(days=10)
        if observed:
            labelled = churn.churn_table(changed, as_of=AS_OF, horizon_days=10, discount="saved")
            pd.testing.assert_frame_equal(labelled.drop(columns="churned"), expected)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), max_size=30), st.booleans())
def test_packed_sorting_equals_sorting_by_keys(rows, wide):
    first, second = (
        np.array(key, dtype=np.int64) for key in (zip(*rows, strict=True) if rows else ([], []))
    )
    if wide:
        first = first * 2**59
    order = order_by(first, second)
    keys = list(zip(first[order].tolist(), second[order].tolist(), strict=True))
    assert keys == sorted(zip(first.tolist(), second.tolist(), strict=True))
    assert sorted(order.tolist()) == list(range(len(rows)))


def test_snapshots_equal_single_tables():
    frame = log()
    days = [AS_OF, AS_OF - pd.Timedelta(days=20)]
    both = churn.churn_table(frame, as_of=days, horizon_days=20)
    parts = pd.concat([churn.churn_table(frame, as_of=day, horizon_days=20) for day in days])
    parts = parts.sort_values(["customer_id", "as_of"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(both, parts)


def test_half_observed_outcomes_are_refused():
    frame = log(days=120)
    last = frame["date"].max()
    churn.churn_table(frame, as_of=last - pd.Timedelta(days=30), horizon_days=30)
    with pytest.raises(InputError, match="observed in part only"):
        churn.churn_table(frame, as_of=last - pd.Timedelta(days=29), horizon_days=30)
    with pytest.raises(InputError, match="observed in part only"):
        churn.churn_table(frame, as_of=last - pd.Timedelta(days=30), horizon_days=30, lead_days=1)
    with pytest.raises(InputError, match="leave out `horizon_days` to score"):
        churn.churn_table(frame, horizon_days=30)
    with pytest.raises(InputError, match="observed in part only"):
        churn.churn_table(frame, as_of=["2024-02-01", last], horizon_days=30)


def test_a_stray_late_date_is_not_the_end_of_the_log():
    frame = log(days=120)
    last = frame["date"].max()
    stray = frame.head(1).assign(date=last + pd.Timedelta(days=200))
    rules = {"as_of": last - pd.Timedelta(days=10), "horizon_days": 90}
    for late in (200, 60):
        with pytest.raises(InputError, match=r"seems to end on .* later rows look stray"):
            churn.churn_table(
                pd.concat([frame, stray.assign(date=last + pd.Timedelta(days=late))]), **rules
            )
    told = {**rules, "observed_until": "2025-12-31"}
    pd.testing.assert_frame_equal(
        churn.churn_table(pd.concat([frame, stray]), **told), churn.churn_table(frame, **told)
    )
    # A stray date changes nothing where the outcome was seen.
    seen = {"as_of": last - pd.Timedelta(days=40), "horizon_days": 40}
    pd.testing.assert_frame_equal(
        churn.churn_table(pd.concat([frame, stray]), **seen), churn.churn_table(frame, **seen)
    )


def test_a_log_is_not_over_while_it_was_as_quiet_before():
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta([*range(40), 46, 48], unit="D")
    frame = pd.DataFrame({"customer_id": 1, "date": days})
    rules = {"as_of": days[39], "horizon_days": 9}
    assert churn.churn_table(frame, **rules)["churned"].tolist() == [0]
    with pytest.raises(InputError, match="It has no row in the 8 days after that"):
        churn.churn_table(frame[frame["date"] != days[40]], **rules)


def test_a_quiet_last_day_can_be_told():
    frame = log(days=120)
    last = frame["date"].max()
    rules = {"as_of": last - pd.Timedelta(days=29), "horizon_days": 30}
    table = churn.churn_table(frame, observed_until=last + pd.Timedelta(days=1), **rules)
    assert len(table) == frame.loc[frame["date"] <= rules["as_of"], "customer_id"].nunique()
    with pytest.raises(InputError, match="`observed_until` is"):
        churn.churn_table(frame, observed_until=last, **rules)


def test_only_customers_who_had_bought_are_described():
    frame = pd.DataFrame(
        {
            "customer_id": ["buyer", "refund only", "later", "old"],
            "date": pd.to_datetime(["2024-01-20", "2024-01-20", "2024-03-01", "2024-01-01"]),
            "amount": [5.0, -5.0, 5.0, 1.0],
        }
    )
    table = churn.churn_table(frame, as_of="2024-01-31")
    assert table["customer_id"].tolist() == ["buyer", "old"]
    recent = churn.churn_table(frame, as_of="2024-01-31", active_days=12)
    assert recent["customer_id"].tolist() == ["buyer"]
    with pytest.raises(InputError, match="nobody bought"):
        churn.churn_table(frame, as_of="2024-01-31", active_days=11)
    with pytest.raises(InputError, match="no row on or before"):
        churn.churn_table(frame, as_of="2023-12-31")


def test_refunds_are_no_sign_of_life():
    frame = pd.DataFrame(
        {
            "customer_id": [1, 1, 2],
            "date": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-04-01"]),
            "amount": [5.0, -5.0, 1.0],
        }
    )
    table = churn.churn_table(frame, as_of="2024-01-31", horizon_days=30)
    assert table["churned"].tolist() == [1]


def test_profiles_are_those_known_on_the_day():
    frame = log()
    known = pd.DataFrame(
        {
            "customer_id": [3, 3, 3, 5],
            "known_at": pd.to_datetime(["2024-02-10", "2024-01-05", "2024-12-01", "2024-02-01"]),
            "plan": ["gold", "basic", "none", "basic"],
            "age": [40, 39, 41, 20],
        }
    )
    days = ["2024-01-31", "2024-02-29"]
    table = churn.churn_table(frame, customers=known, as_of=days)
    plans = table.set_index(["customer_id", "as_of"])["plan"]
    assert plans[3].tolist() == ["basic", "gold"]
    assert plans[5].isna().tolist() == [True, False]
    assert table.loc[table["customer_id"] == 4, ["plan", "age"]].isna().all(axis=None)
    assert table.attrs["account"]["customers_unmatched"] == 0
    bought = set(frame["customer_id"])
    assert table.attrs["account"]["transactions_unmatched"] == len(bought - {3, 5})
    more = pd.concat([known, known.assign(customer_id=[77, 77, 77, 78])])
    again = churn.churn_table(frame, customers=more, as_of=days)
    assert again.attrs["account"]["customers_unmatched"] == 2
    pd.testing.assert_frame_equal(again, table)
    shuffled = churn.churn_table(frame, customers=known.iloc[::-1], as_of=days)
    pd.testing.assert_frame_equal(shuffled, table)


def test_profiles_that_cannot_be_used_are_refused():
    frame = log()
    one = pd.DataFrame({"customer_id": [3, 3], "plan": ["a", "b"]})
    with pytest.raises(InputError, match="repeats an earlier row"):
        churn.churn_table(frame, customers=one)
    with pytest.raises(InputError, match="`customers` and `transactions` do not write"):
        churn.churn_table(frame, customers=one.head(1).astype({"customer_id": str}))
    with pytest.raises(InputError, match="Rename them"):
        churn.churn_table(frame, customers=one.head(1).rename(columns={"plan": "orders"}))
    with pytest.raises(InputError, match="empty list"):
        churn.churn_table(frame, as_of=[])
    with pytest.raises(InputError, match="needs the column 'amount'"):
        churn.churn_table(frame.drop(columns="amount"), discount="saved")


def test_a_log_of_dates_alone_is_enough():
    table = churn.churn_table(log()[["customer_id", "date"]], as_of=AS_OF, horizon_days=20)
    assert list(table.columns) == [
        "customer_id",
        "as_of",
        "recency_days",
        "tenure_days",
        "orders",
        "purchase_days",
        "recent_orders",
        "previous_orders",
        "order_trend",
        "mean_gap_days",
        "gap_variation",
        "gap_ratio",
        "churned",
    ]
    assert (table["orders"] == table["purchase_days"]).all()


def test_money_features_scale_with_the_currency_and_shares_do_not():
    frame = log()
    table = churn.churn_table(frame, as_of=AS_OF, discount="saved")
    cents = frame.assign(amount=frame["amount"] * 100, saved=frame["saved"] * 100)
    other = churn.churn_table(cents, as_of=AS_OF, discount="saved")
    money = ["total_amount", "mean_order_amount", "recent_amount"]
    other[money] /= 100
    pd.testing.assert_frame_equal(other, table)


def test_staying_is_leaving_told_the_other_way_round():
    rules = {"as_of": AS_OF, "horizon_days": 30}
    left, stayed = (
        churn.churn_table(log(), outcome=what, **rules) for what in ("churned", "stayed")
    )
    assert (left.pop("churned") + stayed.pop("stayed") == 1).all()
    pd.testing.assert_frame_equal(left, stayed)
