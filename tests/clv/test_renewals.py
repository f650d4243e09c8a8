"""Expected renewals against their sum in closed form."""

import mpmath as mp
import numpy as np
import pytest

from crmkit.clv._math.periods import renewals


@pytest.mark.parametrize("a", [0.001, 0.05, 0.29, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("b", [0.01, 1.0, 6.93, 500.0])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_renewals_are_the_sum_of_survival(a, b, rate):
    # E[(1 - theta)^j] = B(a, b + j) / B(a, b); small a puts mass where 1 - theta rounds to 1.
    for periods in (1, 5, 40):
        exact = mp.fsum(
            mp.beta(a, b + j) / mp.beta(a, b) * mp.exp(-rate * j) for j in range(1, periods + 1)
        )
        found = renewals(np.array([a]), np.array([b]), float(periods), rate)[0]
        assert found == pytest.approx(float(exact), rel=1e-11)
