"""Readiness against brute force: answers, consent, returns and days."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.churn import ChurnModel
from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import BehaviourSegments, readiness_table, segment_profile

contacts = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.integers(0, 30),
        st.sampled_from(["email", "post"]),
        st.sampled_from([0.0, 1.0, None]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=60,
)


def make_contacts(drawn):
    columns = ["customer_id", "day", "channel", "opened", "responded"]
    frame = pd.DataFrame(drawn, columns=columns)
    frame["opened"] = frame["opened"].astype(float)
    frame["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"], unit="D")
    return frame


@given(contacts)
def test_equals_brute_force(drawn):
    frame = make_contacts(drawn)
    as_of = pd.Timestamp("2025-02-15")
    table = readiness_table(frame, as_of=as_of)
    base = pd.DataFrame(table.attrs["base"]).set_index("variable")
    assert table["customer_id"].tolist() == sorted(set(frame["customer_id"]))
    for row in table.to_dict("records"):
        own = frame[frame["customer_id"] == row["customer_id"]]
        assert row["times_contacted"] == len(own)
        assert row["contact_recency_days"] == (as_of - own["date"].max()).days
        answered = own[own["responded"] == 1]
        if len(answered):
            assert row["response_recency_days"] == (as_of - answered["date"].max()).days
        else:
            assert np.isnan(row["response_recency_days"])
        parts = {"opened": own["opened"], "responded": own["responded"]}
        parts |= {
            f"{c}_responded": own.loc[own["channel"] == c, "responded"] for c in ("email", "post")
        }
        for name, values in parts.items():
            if name not in base.index:
                continue
            yes, n = values.sum(), values.count()
            rate, weight = base.loc[name, ["base", "base_weight"]]
            expected = (yes + weight * rate) / (n + weight) if n + weight > 0 else rate
            assert row[f"{name}_rate"] == pytest.approx(expected)
    known = frame["opened"].dropna()
    if len(known):
        assert base.loc["opened", "base"] == pytest.approx(known.mean())


def test_everybody_of_every_table_is_there_once():
    frame = make_contacts([(1, 1, "email", None, 1), (2, 2, "email", None, 0)])
    log = pd.DataFrame(
        {
            "customer_id": [2, 3, 8],
            "date": pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-03"]),
            "amount": [5.0, 6.0, -1.0],
        }
    )
    people = pd.DataFrame(
        {
            "customer_id": [1, 2, 4, 5],
            "consent": [True, False, True, None],
            "email_consent": ["yes", "no", None, "Yes"],
            "age": 30,
        }
    )
    table = readiness_table(frame, log, customers=people)
    assert table["customer_id"].tolist() == [1, 2, 3, 4, 5]
    assert table["times_contacted"].tolist() == [1, 1, 0, 0, 0]
    assert table["contact_recency_days"].isna().tolist() == [False, False, True, True, True]
    assert table["consent"].tolist() == [True, False, False, True, False]
    assert table["email_consent"].tolist() == [True, False, False, False, True]
    assert table["responded_rate"].notna().all()
    assert "age" not in table
    account = table.attrs["account"]
    assert (account["transactions_unmatched"], account["customers_unmatched"]) == (1, 2)
    assert account["customers_without_purchase"] == 1


def test_returns_per_order_count_no_discount_line():
    frame = make_contacts([(c, 1, "email", None, 1) for c in (1, 2, 3)])
    rows = [
        (1, "2025-01-01", "a", 50.0), (1, "2025-01-01", "a", -5.0),  # a discount
        (1, "2025-01-03", "b", 50.0),
        (2, "2025-01-01", "c", 50.0), (2, "2025-01-09", "c", -50.0),
        (3, "2025-01-01", "d", 50.0), (3, "2025-01-04", "x", -9.0), (3, "2025-01-05", "y", -9.0),
    ]  # fmt: skip
    log = pd.DataFrame(rows, columns=["customer_id", "date", "order_id", "amount"])
    log["date"] = pd.to_datetime(log["date"])
    table = readiness_table(frame, log)
    (base,) = [one for one in table.attrs["base"] if one["variable"] == "returned"]
    assert base["base"] == pytest.approx(2 / 4)  # of four orders two, at most one each
    rate = table.set_index("customer_id")["returned_rate"]
    assert rate[1] < rate[2] == rate[3]


def test_a_window_counts_what_happened_in_it():
    frame = make_contacts(
        [(1, 1, "email", 1.0, 1), (1, 9, "post", 0.0, 0), (2, 20, "post", 0.0, 1)]
    )
    table = readiness_table(frame, since="2025-01-05", as_of="2025-01-15")
    assert table["customer_id"].tolist() == [1]
    assert table["times_contacted"].tolist() == [1]
    assert (table.attrs["rows_before_since"], table.attrs["rows_after_as_of"]) == (1, 1)
    later = pd.DataFrame({"customer_id": [1], "date": [pd.Timestamp("2025-03-01")]})
    assert readiness_table(frame, later).attrs["as_of"] == "2025-03-01"
    with pytest.raises(InputError, match="`contacts` has no row from 2025-03-01"):
        readiness_table(frame, since="2025-03-01")


def test_own_answers_and_none():
    frame = make_contacts([(1, 1, "email", 1.0, 1), (2, 9, "post", 0.0, 0)]).assign(asked=[1, None])
    table = readiness_table(frame, answers=["asked"])
    assert [name for name in table if name.endswith("_rate")] == ["asked_rate"]
    bare = readiness_table(frame[["customer_id", "date"]])
    assert list(bare) == ["customer_id", "times_contacted", "contact_recency_days"]


def test_segments_profiles_and_learners_take_the_table():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 500)
    who = np.repeat(np.arange(500), 8)
    frame = pd.DataFrame(
        {
            "customer_id": who,
            "date": pd.Timestamp("2025-01-01")
            + pd.to_timedelta(rng.integers(0, 90, who.size), "D"),
            "opened": (rng.random(who.size) < np.where(kind[who] == 1, 0.9, 0.2)).astype(int),
            "complained": (rng.random(who.size) < 0.02).astype(int),
        }
    )
    table = readiness_table(frame)
    model = BehaviourSegments(n_segments=2, columns=["opened_rate"], random_state=0).fit(table)
    groups = model.predict(table)
    agree = (groups["segment"].astype("category").cat.codes.to_numpy() == kind).mean()
    assert max(agree, 1 - agree) > 0.95
    marks = segment_profile(table, groups).set_index(["variable", "segment"])["effect_size"]
    assert marks["opened_rate"].abs().min() > 2 > marks["complained_rate"].abs().max()
    churned = (rng.random(500) < 0.7 - 0.5 * kind).astype(int)
    p = ChurnModel(random_state=0).fit(table.assign(churned=churned)).predict(table)["p_churn"]
    assert p[kind == 0].mean() > p[kind == 1].mean() + 0.3


def test_what_is_refused():
    frame = make_contacts([(1, 1, "email", 1.0, 1), (2, 9, "post", 0.0, 0)])
    with pytest.raises(InputError, match="'opened' must be 1 or 0 but is not"):
        readiness_table(frame.assign(opened=2))
    with pytest.raises(InputError, match="'opened' is not a number"):
        readiness_table(frame.assign(opened="x"))
    twice = frame.assign(post_responded=1)
    with pytest.raises(InputError, match="'post_responded', which is the rate of a channel"):
        readiness_table(twice, answers=["responded", "post_responded"])
    with pytest.raises(MissingColumnsError, match="asked"):
        readiness_table(frame, answers=["asked"])
    people = pd.DataFrame({"customer_id": [1, 2], "consent": ["maybe", "no"]})
    with pytest.raises(InputError, match="'consent' must be yes or no"):
        readiness_table(frame, customers=people)
