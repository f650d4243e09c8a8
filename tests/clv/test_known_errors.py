"""What other packages are known to get wrong, and which is not arithmetic of a single formula.

lifetimes 0.11.3, PyMC-Marketing 0.19.2 and R CLVTools 0.12.1; the formulas' hard inputs are in
`test_bg`, `test_pareto`, `test_counts` and `test_periods`.
"""

import math

import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def log():
    return datasets.make_transactions(500, random_state=3)["transactions"]


@pytest.fixture(scope="module")
def base(log):
    return clv.purchase_table(log)


@pytest.fixture(scope="module")
def models(base):
    return {"purchases": clv.ParetoNBD().fit(base), "spend": clv.GammaGamma().fit(base)}


@pytest.mark.parametrize("days", [2.5 * 365 / 12, 5 / 24, 1e-3])
def test_a_horizon_need_not_be_whole(base, models, days):
    # lifetimes rounds 2.5 months up to 3 and knows no hours.
    def value(horizon):
        options = {"horizon_days": horizon, "annual_discount_rate": 0.1}
        return clv.lifetime_value(base, **models, **options)["lifetime_value"].sum()

    # The stream is smooth: Simpson's rule on its rate of flow at three moments.
    step = days * 1e-4
    flow = [value(at + step) - value(at - step if at else 0.0) for at in (0.0, days / 2, days)]
    flow[0] *= 2.0
    simpson = days * (flow[0] + 4 * flow[1] + flow[2]) / 6 / (2 * step)
    assert value(days) == pytest.approx(simpson, rel=2e-3)
    assert value(days * 0.999) < value(days) < value(days * 1.001)


def test_nothing_needs_a_column_of_money(log):
    plain = log[["customer_id", "date"]]
    as_of = plain["date"].max() - pd.Timedelta(days=120)
    split = clv.holdout_table(plain, as_of=as_of)
    assert "monetary_value" not in split
    model = clv.MBGNBD().fit(split)
    assert model.alive_path(plain.head(50)).notna().all(axis=None)
    assert clv.tracking_table(plain, purchases=model, as_of=as_of).notna().all(axis=None)
    for period in ("month", "year"):
        assert len(clv.opportunity_table(plain, period=period))


def test_the_callers_table_is_left_alone(base, models):
    before = base.copy(deep=True)
    clv.lifetime_value(base, **models, interval="delta")
    clv.customer_equity(base, **models)
    clv.frequency_recency_table(base, purchases=models["purchases"])
    pd.testing.assert_frame_equal(base, before)


@pytest.mark.parametrize("limits", [{"max_frequency": 10**6}, {"n_recencies": 10**6}])
def test_a_map_that_no_memory_holds_is_refused(base, models, limits):
    limits = {"max_frequency": 40, **limits}
    with pytest.raises(InputError, match="The map would have"):
        clv.frequency_recency_table(base, purchases=models["purchases"], **limits)


@pytest.mark.parametrize("kind", [clv.ShiftedBetaGeometric, clv.BetaDiscreteWeibull])
def test_members_known_to_be_there_are_there(kind):
    # PyMC-Marketing's sBG gives 0.22 today for such members and cannot feed a lifetime value.
    rng = np.random.default_rng(1)
    left = rng.geometric(rng.beta(1.0, 3.0, 300))
    members = pd.DataFrame(
        {
            "customer_id": range(300),
            "periods": np.minimum(left, 6),
            "churned": left <= 6,
            "frequency": np.minimum(left, 6),
            "monetary_value": rng.gamma(8.0, 5.0, 300),
        }
    )
    model = kind(period_days=30).fit(members)
    told = model.predict(members, alive_in_days=0)
    here = ~members["churned"]
    assert (told.loc[here, ["p_alive", "p_alive_later"]] == 1.0).all(axis=None)
    assert (told.loc[~here, ["p_alive", "expected_purchases"]] == 0.0).all(axis=None)
    spend = clv.GammaGamma(first_purchase=False).fit(members)
    value = clv.lifetime_value(members, purchases=model, spend=spend, horizon_days=360)
    assert (value.loc[here, "lifetime_value"] > 0.0).all()
    assert (value.loc[~here, "lifetime_value"] == 0.0).all()


def test_an_annual_rate_is_annual_whatever_the_clock(base):
    # CLVTools takes its rate of 10 % per time unit: per week, if the data are in weeks.
    model = clv.ParetoNBD().fit(base)
    r, alpha, s, beta = model.parameters_["estimate"]
    new = pd.DataFrame({"customer_id": [1], "frequency": 0, "recency": 0.0, "T": 0.0})
    told = model.predict(new, horizon_days=math.inf, annual_discount_rate=0.1)
    year = np.arange(0.0, 365.0 * 400, 0.25) + 0.125
    sum_by_hand = (r / alpha * (beta / (beta + year)) ** s * 1.1 ** (-year / 365)).sum() * 0.25
    assert told["discounted_purchases"].item() == pytest.approx(sum_by_hand, rel=1e-5)
    one_year = model.predict(base, horizon_days=365, annual_discount_rate=0.1)
    share = one_year["discounted_purchases"] / one_year["expected_purchases"]
    assert share.between(1 / 1.1, 1.0).all()


def test_a_penalised_fit_reports_the_likelihood_itself(base):
    # CLVTools reports its penalised objective per customer.
    half = base.assign(half=np.arange(len(base)) % 2)
    ridge = clv.ParetoNBD(purchase_covariates=["half"], l2=5.0).fit(half)
    found = np.exp(ridge.coefficients_[:4]).tolist()
    effect = ridge.coefficients_[4]
    # The same density with the effect moved into alpha, group by group.
    total = 0.0
    for value, group in half.groupby("half"):
        plain = clv.ParetoNBD()
        _, rows = plain._rows(group)
        alpha = found[1] * np.exp(-effect * value)
        plain._fit_rows(rows, at=[found[0], alpha, *found[2:]])
        total += plain.log_likelihood_
    assert ridge.log_likelihood_ == pytest.approx(total, rel=1e-9)
    assert ridge.aic_ == pytest.approx(2 * 5 - 2 * total, rel=1e-9)


def test_rows_without_a_customer_are_never_dropped_in_silence(log):
    holes = log.assign(customer_id=log["customer_id"].astype(object))
    holes.loc[[2, 5], "customer_id"] = None
    with pytest.raises(InputError, match=r"missing in 2 of .* row 2, 5"):
        clv.purchase_table(holes)
