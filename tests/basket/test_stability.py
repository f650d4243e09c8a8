"""Rules through time: a rule that died is found, by counts against exact tails."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from basket._logs import log_of
from crmkit import basket
from crmkit.basket._math import stability

RULE = pd.DataFrame({"antecedent": [("A",)], "consequent": [("B",)]})


def dated(orders):
    log = log_of(orders)
    day = pd.to_timedelta(log["customer_id"], unit="D")
    return log.assign(date=pd.Timestamp("2025-01-01") + day)


def test_a_rule_that_died_is_found():
    before = [["A", "B", "x"]] * 50 + [["x"]] * 150
    after = [["A", "x"]] * 50 + [["B", "x"]] * 50 + [["x"]] * 100
    windows = basket.rule_windows(RULE, dated(before + after), n_windows=2)
    assert windows["count"].tolist() == [50, 0]
    # all 50 in one of two windows that expect as many
    np.testing.assert_allclose(windows["p_stable"], 2 * 0.5**50, rtol=1e-9)
    assert windows["lift"].tolist() == [4.0, 0.0]
    assert windows["conf_low"].iloc[1] == 0
    assert 0 < windows["conf_high"].iloc[1] < 0.4
    # ten times as many, by Pearson's statistic
    many = [order for order in before + after for _ in range(10)]
    assert basket.rule_windows(RULE, dated(many), n_windows=2)["p_stable"].iloc[0] < 1e-100
    # a rule that begins is as little stable, and one that lasts is
    begins = basket.rule_windows(RULE, dated(after + before), n_windows=2)
    np.testing.assert_allclose(begins["p_stable"], 2 * 0.5**50, rtol=1e-9)
    lasts = basket.rule_windows(RULE, dated(before + before), n_windows=2)
    assert (lasts["p_stable"] == 1).all()


@given(
    st.lists(
        st.tuples(*(st.integers(0, 12) for _ in range(4))).filter(lambda cells: sum(cells) > 0),
        min_size=1,
        max_size=5,
    )
)
def test_few_orders_by_exact_tails(cells):
    both, only_a, only_c, neither = np.array(cells, dtype=float).T
    a, c, n = both + only_a, both + only_c, both + only_a + only_c + neither
    found = stability.chance_if_stable(*(v[None] for v in (both, a, c, n)))[0]
    mean, total = a * c / n, int(both.sum())
    sold = np.flatnonzero(mean > 0)
    if len(sold) < 2 or not total:
        assert found == 1
        return
    tails = []
    for window in sold:
        share = mean[window] / mean.sum()
        x = both[window]
        low = stats.binom.cdf(x, total, share)
        tails.append(min(low, stats.binom.sf(x - 1, total, share)))
    times = 2 * (len(sold) if len(sold) > 2 else 1)
    assert found == pytest.approx(min(times * min(tails), 1), rel=1e-9)
    low, high = stability.lift_limits(*(v[None] for v in (both, a, c, n)), 0.9)
    for window in range(len(n)):
        if mean[window] == 0:
            assert np.isnan(low[0, window])
            assert np.isnan(high[0, window])
        elif both[window] < stability.FEW_IN_WINDOW:
            x = both[window]
            exact = (
                stats.chi2.ppf(0.05, 2 * x) / 2 if x else 0.0,
                stats.chi2.ppf(0.95, 2 * x + 2) / 2,
            )
            assert (low[0, window] * mean[window], high[0, window] * mean[window]) == pytest.approx(
                exact
            )
