"""Bank marketing (Moro, Cortez and Rita 2014; UCI): 45,211 calls, 5,289 deposits.

The counts per level are frozen; the information values are those of optbinning 1.0.0 with its
default least bin of 5 %. Figures of one fixed model are held where the file is given.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import response
from crmkit._learn import area_under_curve, brier_score, lift_at

COUNTS = {
    "job": (
        [631, 708, 123, 109, 1301, 516, 187, 369, 269, 840, 202, 34],
        [4540, 9024, 1364, 1131, 8157, 1748, 1392, 3785, 669, 6757, 1101, 254],
    ),
    "marital": ([622, 2755, 1912], [4585, 24459, 10878]),
    "education": ([591, 2450, 1996, 252], [6260, 20752, 11305, 1605]),
    "default": ([5237, 52], [39159, 763]),
    "housing": ([3354, 1935], [16727, 23195]),
    "loan": ([4805, 484], [33162, 6760]),
    "contact": ([4369, 390, 530], [24916, 2516, 12490]),
    "month": (
        [577, 688, 100, 441, 142, 627, 546, 248, 925, 403, 323, 269],
        [2355, 5559, 114, 2208, 1261, 6268, 4795, 229, 12841, 3567, 415, 310],
    ),
    "poutcome": ([618, 307, 978, 3386], [4283, 1533, 533, 33573]),
}
IV = {
    "job": 0.152897,
    "marital": 0.040127,
    "education": 0.049576,
    "default": 0.0,
    "housing": 0.188681,
    "loan": 0.054859,
    "contact": 0.300396,
    "month": 0.360602,
    "poutcome": 0.351270,
}


@pytest.mark.parametrize("name", list(COUNTS))
def test_information_value_of_nominal_variables(name):
    events, others = COUNTS[name]
    levels = np.arange(len(events)).astype(str)
    level = np.r_[np.repeat(levels, events), np.repeat(levels, others)]
    y = np.repeat([1, 0], [sum(events), sum(others)])
    table = pd.DataFrame({"customer_id": np.arange(y.size), name: level, "y": y})
    drivers = response.response_drivers(table, outcome="y", min_bin_share=0.05)
    assert drivers["information_value"].iloc[0] == pytest.approx(IV[name], abs=5e-7)


@pytest.fixture(scope="module")
def bank(reference_data):
    table = pd.read_csv(reference_data / "bank-full.csv", sep=";")
    return table.assign(customer_id=np.arange(len(table)), y=(table["y"] == "yes").astype(int))


def test_numbers_are_at_least_as_well_binned_as_by_the_peer(bank):
    drivers = response.response_drivers(
        bank, outcome="y", min_bin_share=0.05, columns=["age", "balance", "campaign", "previous"]
    ).set_index("variable")["information_value"]
    assert drivers["campaign"] == pytest.approx(0.084955, abs=5e-7)
    assert drivers["previous"] == pytest.approx(0.222933, abs=5e-7)
    assert drivers["age"] >= 0.153
    # The peer's cuts come from a tree on the outcome, ours from quantiles: both find the same.
    assert drivers["balance"] == pytest.approx(0.116706, abs=2e-3)


def test_what_became_known_after_the_call_is_flagged(bank):
    drivers = response.response_drivers(
        bank, outcome="y", known_at={"duration": "2010-06-02"}, as_of="2010-06-01"
    ).set_index("variable")
    assert drivers.index[0] == "duration"
    assert drivers.loc["duration", "flag"] == "known too late"
    # A rate that falls and rises with age: no trend, but the third strongest profile fact.
    assert drivers.loc["age", "information_value"] == pytest.approx(0.20, abs=0.01)


def test_segments(bank):
    rates = response.response_rates(bank, outcome="y", by="poutcome").set_index("poutcome")
    row = rates.loc["success"]
    assert (row["responders"], row["contacted"]) == (978, 1511)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((0.623, 0.671), abs=5e-4)
    assert row["index"] == pytest.approx(553, abs=0.5)
    student = response.response_rates(bank, outcome="y", by="job").set_index("job").loc["student"]
    assert (student["conf_low"], student["conf_high"]) == pytest.approx((0.259, 0.317), abs=5e-4)
    assert student["index"] == pytest.approx(245, abs=0.5)


@pytest.fixture(scope="module")
def scored(bank):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = pd.get_dummies(bank.drop(columns=["y", "customer_id", "duration"])).astype(float)
    train, test = train_test_split(
        np.arange(len(bank)), test_size=0.3, random_state=42, stratify=bank["y"]
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model.fit(x.iloc[train], bank["y"].iloc[train])
    people = bank.iloc[test].reset_index(drop=True)
    p = model.predict_proba(x.iloc[test])[:, 1]
    return people, pd.DataFrame({"customer_id": people["customer_id"], "p_response": p})


def test_gains_of_a_fixed_model(scored):
    people, scores = scored
    p, y = scores["p_response"], people["y"]
    assert area_under_curve(p, y) == pytest.approx(0.769703, abs=2e-4)
    assert brier_score(p, y) == pytest.approx(0.084845, abs=2e-5)
    gains = response.gains_table(people, scores, outcome="y")
    expected = [661, 232, 148, 112, 121, 83, 80, 58, 49, 43]
    assert np.abs(gains["positives"] - expected).max() <= 3
    assert gains["positives"].sum() == 1587
    assert lift_at(p, y) == pytest.approx(4.166, abs=0.02)
    fine = response.gains_table(people, scores, outcome="y", n_bins=1000)
    assert fine["ks"].max() == pytest.approx(0.412896, abs=2e-3)


def test_out_of_fold_model_and_the_money(bank):
    table = bank.drop(columns="duration")
    model = response.ResponseModel(random_state=42).fit(table, outcome="y")
    p = model.scores_["p_response"]
    # scikit-learn's plain one-hot logit, 5 folds: AUC .765190, Brier .085960.
    assert area_under_curve(p, bank["y"]) > 0.765
    assert brier_score(p, bank["y"]) < 0.0860
    profit = response.profit_table(table, model.scores_, outcome="y", value=60, contact_cost=5)
    # 5,289 deposits at 60 less 45,211 calls at 5.
    assert profit["profit"].iloc[-1] == 91285
    best, pays = profit[profit["best"]].iloc[0], profit[profit["pays"]].iloc[0]
    assert best["profit"] > 141000
    assert pays["profit"] > 139000
    assert pays["score"] >= 5 / 60


def test_tree_starts_with_the_last_campaigns_outcome(bank):
    tree = response.response_tree(bank.drop(columns="duration"), outcome="y", min_customers=200)
    assert tree["rule"].iloc[0] == "poutcome in ['success']"
    assert tree["customers"].sum() == len(bank)
    for row in tree.itertuples():
        assert len(bank.query(row.rule)) == row.customers
