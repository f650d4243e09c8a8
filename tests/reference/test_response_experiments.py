"""Experiments beside tea-tasting 1.14.0 and statsmodels 0.15.0, and bounds of R's ldbounds."""

import numpy as np
import pandas as pd
import pytest

from crmkit import response
from crmkit.response._math.looks import bounds


def shop(n=4000):
    """Households of two whose spend follows their past; anyone can repeat the arithmetic."""
    i = np.arange(n)
    house = i // 2
    arm = (house * 7919 % 1000 < 500).astype(int)
    past = ((i * 31) % 97 + 1.0) * (1 + house % 5)
    spend = past * (0.8 + (i * 17) % 50 / 100) + arm * 3.0 + house * 29 % 41
    columns = {"house": house, "arm": arm, "past": past, "orders": 1 + (i * 13) % 4, "spend": spend}
    return pd.DataFrame({"customer_id": i, **columns})


def result(**options):
    return response.campaign_result(shop(), outcome="spend", treated="arm", **options).iloc[0]


def figures(row):
    return [float(row[name]) for name in ("uplift", "conf_low", "conf_high", "p_value")]


def test_means_and_ratios_as_in_tea_tasting():
    # Mean("spend") and RatioOfMeans("spend", "orders").
    bare = [1.8292600000000334, -6.0016528780317, 9.660172878031766, 0.6469946091076123]
    assert figures(result(method="welch")) == pytest.approx(bare, rel=1e-9)
    ratio = [0.7317040000000219, -2.95551749031572, 4.418925490315764, 0.6972529896308342]
    assert figures(result(denominator="orders")) == pytest.approx(ratio, rel=1e-9)


def test_what_was_known_before_as_in_tea_tasting_and_statsmodels():
    # Mean("spend", covariate="past") has one slope for both arms, ours one for each.
    cuped = [1.5362701046998382, -0.29841574252838643, 3.370955951928063, 0.10073736583445467]
    assert figures(result(covariates="past")) == pytest.approx(cuped, rel=1e-3)
    # The formula spend ~ arm * centred past, by ordinary least squares with errors HC1.
    row = result(covariates="past")
    assert row["uplift"] == pytest.approx(1.536289545621808, rel=1e-9)
    assert row["std_error"] == pytest.approx(0.9357407212750646, rel=3e-4)


def test_households_as_in_statsmodels():
    # ols("spend ~ arm").fit(cov_type="cluster"), whose correction for few clusters is another one.
    row = result(cluster="house")
    assert row["uplift"] == pytest.approx(1.8292600000000745, rel=1e-9)
    assert row["std_error"] == pytest.approx(4.2839902077347904, rel=2e-4)


def test_bounds_that_spend_like_o_brien_and_fleming():
    # ldbounds: ldBounds(t = (1:5) / 5, iuse = 1, alpha = .05), two-sided.
    expected = [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]
    assert bounds([0.2, 0.4, 0.6, 0.8, 1.0], 0.05) == pytest.approx(expected, abs=2e-4)
    assert bounds([1.0], 0.05) == pytest.approx([1.959964], abs=1e-6)
