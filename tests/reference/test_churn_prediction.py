"""Prediction on published data: IBM Telco, the Complete Journey, and the Hillstrom experiment.

Telco: five-fold figures measured with scikit-learn's own pipeline of a logistic regression on the
same columns (seed 0); another draw of folds moves the area by about .001. The campaign's two
figures without a model follow from the table alone. Hillstrom: rates of the MineThatData
challenge of 2008, women's e-mail against no e-mail.
"""

import pandas as pd
import pytest

from crmkit import churn, datasets


@pytest.fixture(scope="module")
def telco(reference_data):
    raw = pd.read_csv(reference_data / "Telco-Customer-Churn.csv")
    table = raw.rename(columns={"customerID": "customer_id"}).assign(
        churned=(raw["Churn"] == "Yes").astype(int),
        # Eleven customers of tenure 0 have not been charged yet: a blank, not a zero.
        TotalCharges=pd.to_numeric(raw["TotalCharges"], errors="coerce"),
    )
    return table.drop(columns="Churn")


@pytest.fixture(scope="module")
def fitted(telco):
    return churn.ChurnModel(random_state=0).fit(telco)


def test_telco_logistic(fitted):
    table = fitted.performance_.set_index("model")
    row = table.loc["model"]
    assert row["customers"] == 7043
    assert row["churn_rate"] == pytest.approx(1869 / 7043)
    assert row["auc"] == pytest.approx(0.8452, abs=0.003)
    assert row["average_precision"] == pytest.approx(0.6527, abs=0.01)
    assert row["brier"] == pytest.approx(0.1354, abs=0.001)
    assert row["top_decile_lift"] == pytest.approx(2.84, abs=0.06)
    assert row["calibration_error"] < 0.02
    assert table.index[1] == "tenure"


def test_telco_campaign(telco, fitted):
    """Save rate .3, cost 20, value of twelve months."""
    customers = fitted.scores_.assign(value=12 * telco["MonthlyCharges"])
    gain = churn.save_gain(customers, save_rate=0.3, contact_cost=20)
    realised = telco["churned"] * 0.3 * gain["value"] - gain["contact_cost"]
    assert realised.sum() == pytest.approx(360_011, abs=1)
    assert realised.clip(lower=0).sum() == pytest.approx(463_491, abs=1)
    per_customer = realised[gain["expected_gain"] > 0].sum()
    assert per_customer == pytest.approx(394_000, abs=4_000)
    by_risk = [realised[customers["p_churn"] >= limit].sum() for limit in (0.1, 0.5)]
    assert per_customer > by_risk[0] > by_risk[1]


def test_telco_profile(telco):
    profile = churn.retention_profile(telco, random_state=0).set_index(["variable", "level"])
    rates = profile.loc["Contract", "churn_rate"]
    # By hand from the table: 1,655 of 3,875, 166 of 1,473 and 48 of 1,695 left.
    assert rates["Month-to-month"] == pytest.approx(1655 / 3875)
    assert rates["One year"] == pytest.approx(166 / 1473)
    assert rates["Two year"] == pytest.approx(48 / 1695)


def test_the_complete_journey_backtest_beats_every_heuristic():
    log = datasets.load_complete_journey()["transactions"]
    table = churn.backtest_table(
        log, as_of=["2017-10-31", "2017-11-30"], horizon_days=28, active_days=84
    )
    both = table[table["as_of"].isna()].set_index("model").loc["model"]
    assert both["verdict"].startswith("better as a ranking")
    table = table[table["as_of"].notna()]
    auc = table.pivot(index="as_of", columns="model", values="auc")
    best = auc.drop(columns="model").max(axis=1)
    assert (auc["model"] > best + 0.01).all()
    assert auc["model"].to_numpy() == pytest.approx([0.843, 0.864], abs=0.004)
    assert best.to_numpy() == pytest.approx([0.829, 0.838], abs=0.004)
    rates = table.groupby("as_of")["churn_rate"].first()
    assert rates.between(0.13, 0.15).all()


def test_features_that_know_the_future_are_caught_by_their_area():
    log = datasets.load_complete_journey()["transactions"]
    rules = {"as_of": "2017-12-01", "horizon_days": 28, "active_days": 84}
    honest = churn.churn_table(log, **rules)
    outcome = honest[["customer_id", "churned"]]
    leaky = churn.churn_table(log).merge(outcome, on="customer_id")
    fits = [churn.ChurnModel(random_state=0).fit(table) for table in (leaky, honest)]
    leaked, true = (fit.performance_["auc"].iloc[0] for fit in fits)
    assert leaked > 0.96
    assert true < 0.88


def test_hillstrom_effect(reference_data):
    raw = pd.read_csv(reference_data / "hillstrom.csv")
    raw = raw[raw["segment"] != "Mens E-Mail"].reset_index(drop=True)
    table = raw.rename(columns={"visit": "returned"}).assign(
        customer_id=raw.index, offered=(raw["segment"] == "Womens E-Mail").astype(int)
    )
    known = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]
    model = churn.WinBackModel(method="t", random_state=0)
    row = model.fit(table, columns=known).effects_.iloc[0]
    rates = table.groupby("offered")["returned"].mean()
    assert rates[1] - rates[0] == pytest.approx(0.0452, abs=5e-5)
    assert row["average_uplift"] == pytest.approx(0.0452, abs=0.001)
    assert row["std_error"] == pytest.approx(0.0032, abs=0.0003)
    # Women's clothes interest those who bought some: the spread of the estimates is real.
    assert row["slope"] > 2 * row["slope_std_error"]
