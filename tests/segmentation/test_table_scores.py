"""Scores and cut points."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import rfm_cut_points, rfm_scores

SCORES = ["recency_score", "frequency_score", "monetary_score"]
tables = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(-50, 300)), min_size=1, max_size=50
)


def make_rfm(drawn):
    frame = pd.DataFrame(drawn, columns=["recency_days", "frequency", "cents"])
    frame["monetary"] = frame["cents"] / 100
    frame["total_amount"] = frame["monetary"] * frame["frequency"]
    return frame.drop(columns="cents").assign(customer_id=np.arange(len(frame)))


@given(tables, st.integers(2, 9), st.sampled_from(["independent", "nested", "r_rfm"]))
def test_equal_customers_have_equal_scores_in_any_order(drawn, n_bins, method):
    rfm = make_rfm(drawn)
    scores = rfm_scores(rfm, n_bins=n_bins, method=method)
    assert scores[SCORES].to_numpy().min() >= 1
    assert scores[SCORES].to_numpy().max() <= n_bins
    values = ["recency_days", "frequency", "monetary"]
    both = pd.concat([rfm[values], scores[SCORES]], axis=1)
    assert (both.groupby(values)[SCORES].nunique() == 1).all(axis=None)
    shuffled = rfm.sample(frac=1, random_state=1)
    again = rfm_scores(shuffled, n_bins=n_bins, method=method)
    assert list(again["customer_id"]) == list(shuffled["customer_id"])
    pd.testing.assert_frame_equal(again.sort_values("customer_id", ignore_index=True), scores)


@given(tables, st.integers(2, 9))
def test_scores_rise_with_worth(drawn, n_bins):
    rfm = make_rfm(drawn)
    scores = rfm_scores(rfm, n_bins=n_bins)
    for value, score, sign in zip(
        ["recency_days", "frequency", "monetary"], SCORES, [-1, 1, 1], strict=True
    ):
        order = np.argsort(sign * rfm[value].to_numpy(), kind="stable")
        assert (np.diff(scores[score].to_numpy()[order]) >= 0).all()


@given(tables, st.integers(2, 9), st.sampled_from(["independent", "r_rfm"]))
def test_cut_points_give_back_the_scores(drawn, n_bins, method):
    rfm = make_rfm(drawn)
    cuts = rfm_cut_points(rfm, n_bins=n_bins, method=method, monetary="total")
    shuffled = cuts.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        rfm_scores(rfm, cut_points=shuffled),
        rfm_scores(rfm, n_bins=n_bins, method=method, monetary="total"),
    )
    per_variable = cuts.groupby("variable")["customers"].sum()
    assert (per_variable == len(rfm)).all()


def test_cut_points_survive_a_csv_file(tmp_path):
    rfm = make_rfm([(1, 1, 100), (5, 2, 900), (9, 4, 250)])
    cuts = rfm_cut_points(rfm, n_bins=3)
    cuts.to_csv(tmp_path / "cuts.csv", index=False)
    again = pd.read_csv(tmp_path / "cuts.csv")
    pd.testing.assert_frame_equal(rfm_scores(rfm, cut_points=again), rfm_scores(rfm, n_bins=3))


def test_later_customers_are_scored_on_the_kept_scale():
    cuts = rfm_cut_points(make_rfm([(1, 1, 100), (5, 2, 900), (9, 4, 250)]), n_bins=3)
    later = make_rfm([(0, 90, 10**6), (400, 0, -(10**6))])
    assert rfm_scores(later, cut_points=cuts)["rfm_score"].tolist() == [333, 111]


def test_own_limits_need_only_three_columns():
    cuts = pd.DataFrame(
        {
            "variable": ["recency_days"] * 2 + ["frequency"] * 3 + ["monetary"] * 2,
            "score": [2, 1, 1, 2, 3, 1, 2],
            "lower": [0, 90, 0, 2, 5, 0, 50],
        }
    )
    rfm = make_rfm([(89, 5, 4999), (90, 4, 5000)])
    assert rfm_scores(rfm, cut_points=cuts)["rfm_score"].tolist() == [231, 122]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t[t["variable"] != "frequency"], "column 'variable' must name"),
        (lambda t: t.assign(score=2), "must be 1, 2, ... to at most 9"),
        (lambda t: t.assign(lower=-t["lower"]), "limits of 'frequency' must rise with"),
        (lambda t: t.assign(lower="a"), "not a number"),
    ],
)
def test_cut_points_that_make_no_sense(change, sentence):
    rfm = make_rfm([(1, 1, 100), (5, 2, 900), (9, 4, 250)])
    with pytest.raises(InputError, match=sentence):
        rfm_scores(rfm, cut_points=change(rfm_cut_points(rfm, n_bins=3)))


def test_words_that_are_refused():
    rfm = make_rfm([(1, 1, 100)])
    with pytest.raises(InputError, match="no common cut points"):
        rfm_cut_points(rfm, method="nested")
    with pytest.raises(InputError, match="`n_bins`"):
        rfm_scores(rfm, n_bins=10)
    with pytest.raises(InputError, match="`method`"):
        rfm_scores(rfm, method="qcut")


def test_own_limits_of_one_variable_leave_the_others_to_the_data():
    rfm = make_rfm([(1, 1, 100), (5, 2, 900), (9, 4, 250), (9, 6, 400)])
    own = {"frequency": [2, 5]}
    scores = rfm_scores(rfm, n_bins=4, cut_points=own)
    assert scores["frequency_score"].tolist() == [1, 2, 2, 3]
    plain = rfm_scores(rfm, n_bins=4)
    assert scores["recency_score"].tolist() == plain["recency_score"].tolist()
    assert set(scores["rfm_scale"]) == {434}
    kept = rfm_cut_points(rfm, n_bins=4, cut_points=own)
    pd.testing.assert_frame_equal(rfm_scores(rfm, cut_points=kept), scores)
    by_days = rfm_scores(rfm, cut_points={"recency_days": [5]})
    assert by_days["recency_score"].tolist() == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"frequncy": [2]}, "must be one of.*Did you mean 'frequency'"),
        ({"total_amount": [2]}, "must be one of"),
        ({"frequency": [5, 2]}, "rising limits"),
        ({"frequency": list(range(9))}, "one to eight"),
        ({"frequency": []}, "list of numbers"),
        ({"frequency": 3}, "list of numbers"),
    ],
)
def test_own_limits_that_make_no_sense(own, sentence):
    rfm = make_rfm([(1, 1, 100), (5, 2, 900)])
    for function in (rfm_scores, rfm_cut_points):
        with pytest.raises(InputError, match=sentence):
            function(rfm, cut_points=own)
    with pytest.raises(InputError, match="ranks within groups"):
        rfm_scores(rfm, method="nested", cut_points={"frequency": [2]})
