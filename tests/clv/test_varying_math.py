"""The likelihood with covariates over time against integration over lambda and mu, and mpmath."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from crmkit.clv._math.varying_future import VaryingFuture, _clock, simulate
from crmkit.clv._math.varying_likelihood import Histories, effects_of, likelihood, state_at_end
from crmkit.clv._math.varying_paths import make_paths
from crmkit.clv._math.varying_pieces import alive_term, dropout_terms, log_dropout

# Two customers' covariates in periods of unequal length; the third has the second's values.
PATH = np.repeat([0, 1, 2], [5, 4, 4])
DAY = np.array([0, 30, 75, 120, 200, 0, 60, 61, 150, 0, 60, 61, 150])
SEASON = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0])
PRICE = np.array([0.3, 0.3, -0.5, 1.2, 0.1, -1.0, 0.4, 0.4, 0.9, -1.0, 0.4, 0.4, 0.9])
COLUMNS = [[0, 1], [1]]
COEFFICIENTS = np.array([np.log(1.3), np.log(25.0), np.log(0.8), np.log(60.0), 0.7, -0.4, 0.9])
PURCHASES = ((12.0, 31.5, 80.25), (), (70.0, 75.0))
FIRST, END = np.array([5.0, 10.0, 10.0]), np.array([180.0, 170.5, 75.0])


def cohort():
    paths, which = make_paths(PATH, DAY.copy(), [SEASON, PRICE])
    last = np.array(
        [times[-1] if times else first for times, first in zip(PURCHASES, FIRST, strict=True)]
    )
    count = np.array([len(times) for times in PURCHASES], dtype=float)
    return paths, Histories(which, FIRST, last, END, count, np.ones(3))


def purchase_sum(paths, path):
    z = [
        paths.at(np.full(len(t), p), np.array(t)) for p, t in zip(path, PURCHASES, strict=True) if t
    ]
    z = np.concatenate(z)
    return np.concatenate([[-len(z)], z.sum(axis=0)])


class Brute:
    """One customer's likelihood and future by the trapezoidal rule over ln lambda and ln mu."""

    def __init__(self, customer, coefficients):
        rows = customer == PATH
        self.day, z = DAY[rows].astype(float), np.column_stack([SEASON[rows], PRICE[rows]])
        r, alpha, s, beta = np.exp(coefficients[:4])
        self.a = np.exp(z @ coefficients[4:6])
        self.c = np.exp(z[:, 1] * coefficients[6])
        t = np.arange(-45.0, 5.0, 0.08)
        self.lam, self.mu = np.exp(t)[:, None] / alpha, np.exp(t) / beta
        w, v = (np.exp(p * t - np.exp(t)) / special.gamma(p) for p in (r, s))
        self.weight = 0.08**2 * np.outer(w, v)

    def pieces(self, low, high):
        ends = np.append(self.day[1:], np.inf)
        for start, end, a, c in zip(self.day, ends, self.a, self.c, strict=True):
            length = min(end, high) - max(start, low)
            if length > 0.0:
                yield length, a, c

    def total(self, low, high):
        pieces = list(self.pieces(low, high))
        return sum(n * a for n, a, _ in pieces), sum(n * c for n, _, c in pieces)

    def history(self, times, first, end):
        """Return the likelihood, and that of being alive besides, at each lambda and mu."""
        last = times[-1] if times else first
        A, C = self.total(first, last)
        speeds = [self.a[np.searchsorted(self.day, t, side="right") - 1] for t in times]
        bought = self.lam ** len(times) * np.prod(speeds)
        gone = 0.0
        for length, a, c in self.pieces(last, end):
            both = self.lam * a + self.mu * c
            here = np.exp(-self.lam * A - self.mu * C)
            gone = gone + self.mu * c / both * here * -np.expm1(-both * length)
            A, C = A + a * length, C + c * length
        alive = np.exp(-self.lam * A - self.mu * C)
        return bought * (alive + gone), bought * alive

    def mean(self, values):
        return float((self.weight * values).sum())

    def coming(self, end, days, rate):
        """Return purchases of a living customer, discounted, at each lambda and mu."""
        value, C, passed = 0.0, 0.0, 0.0
        for length, a, c in self.pieces(end, end + days):
            fall = self.mu * c + rate
            value = value + self.lam * a * np.exp(-self.mu * C - rate * passed) * (
                -np.expm1(-fall * length) / fall
            )
            C, passed = C + c * length, passed + length
        return value


def test_likelihood_and_future_against_integration_over_lambda_and_mu():
    paths, h = cohort()
    effects = effects_of(paths.values, COLUMNS)
    found = likelihood(h, paths, effects, purchase_sum(paths, h.path), COEFFICIENTS)[0]
    p_alive = state_at_end(h, paths, effects, COEFFICIENTS)[0]
    future = VaryingFuture(h, paths, effects, COEFFICIENTS)
    now, later, expected = future.expected(150.0)
    discounted = future.expected(150.0, 0.004)[2]
    np.testing.assert_array_equal(now, p_alive)
    total = 0.0
    for i in range(3):
        brute = Brute(i, COEFFICIENTS)
        every, alive = brute.history(PURCHASES[i], FIRST[i], END[i])
        like = brute.mean(every)
        total += np.log(like)
        assert p_alive[i] == pytest.approx(brute.mean(alive) / like, rel=1e-10)
        stays = np.exp(-brute.mu * brute.total(END[i], END[i] + 150.0)[1])
        assert later[i] == pytest.approx(brute.mean(alive * stays) / like, rel=1e-10)
        for value, rate in ((expected, 0.0), (discounted, 0.004)):
            coming = brute.mean(alive * brute.coming(END[i], 150.0, rate)) / like
            assert value[i] == pytest.approx(coming, rel=1e-10)
    assert found == pytest.approx(total, rel=1e-12)


def test_gradient_and_hessian_are_exact():
    paths, h = cohort()
    effects = effects_of(paths.values, COLUMNS)
    bought = purchase_sum(paths, h.path)

    def at(coefficients):
        return likelihood(h, paths, effects, bought, coefficients)

    _, gradient, hessian = at(COEFFICIENTS)
    step = 1e-5
    for j in range(COEFFICIENTS.size):
        move = step * (np.arange(COEFFICIENTS.size) == j)
        up, down = at(COEFFICIENTS + move), at(COEFFICIENTS - move)
        assert gradient[j] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-7, abs=1e-8)
        np.testing.assert_allclose(hessian[j], (up[1] - down[1]) / (2 * step), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)


def exact_term(n, s, A, a, C, c, length):
    n, s, A, a, C, c, length = (mp.mpf(float(v)) for v in (n, s, A, a, C, c, length))

    def inside(u):
        return s * c * (1 + A + a * u) ** -n * (1 + C + c * u) ** -(s + 1)

    far = min((1 + A) / a, (1 + C) / c)
    cuts = [mp.mpf(0)]
    for power in range(-14, 40):
        cut = far * mp.mpf(2) ** power / (n + s)
        if cut < length:
            cuts.append(cut)
    return float(mp.log(mp.quad(inside, [*cuts, length])))


def test_pieces_against_mpmath(long):
    rng = np.random.default_rng(3)
    size = 60 if long else 12
    x = rng.integers(0, 3, size) * rng.integers(0, 300, size).astype(float)
    A, C = rng.exponential(1.0, size), rng.exponential(1.0, size)
    a, c, length = (10.0 ** rng.uniform(-4, 2, size) for _ in range(3))
    for r, s in ((0.3, 0.05), (2.0, 7.0)):
        found = log_dropout(r + x, s, (A, a, C, c), length)
        exact = [
            exact_term(r + n, s, *rest) for n, *rest in zip(x, A, a, C, c, length, strict=True)
        ]
        np.testing.assert_allclose(found, exact, rtol=1e-12, atol=3e-12)
        value, first, second = dropout_terms(r, x, s, (A, a, C, c), length)
        np.testing.assert_allclose(value, found, rtol=1e-14, atol=1e-13)
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(second, second.transpose(1, 0, 2))


def test_a_busy_customer_whom_cancellation_hits():
    """Customer 134 of the fit that CLVTools' own tests carry, in weeks; exact by mpmath.

    CLVTools' difference of hypergeometric functions gives 28.2219 and P(alive) 1.0 here; its other
    399 customers agree with `likelihood` to 2e-13.
    """
    day = np.array([0, 147, 168, 273, 343])
    season = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    paths, which = make_paths(np.zeros(5, int), day, [season, np.ones(5), np.ones(5)])
    h = Histories(which, *(np.array([v]) for v in (0.0, 361.0, 364.0, 176.0, 1.0)))
    effects = effects_of(paths.values, [[0, 1, 2], [0, 1, 2]])
    parameters = np.log([0.7579, 4.7419 * 7.0, 0.5432, 22.1892 * 7.0])
    coefficients = np.array([*parameters, 0.1, 0.1, 0.40996056840188044, 0.1, 0.1, 0.1])
    bought = np.array([-176.0, 43.0, 176.0, 176.0])
    value = likelihood(h, paths, effects, bought, coefficients)[0] + 176.0 * np.log(7.0)
    assert value == pytest.approx(28.228817528222436, rel=1e-13)
    p_alive = state_at_end(h, paths, effects, coefficients)[0][0]
    assert p_alive == pytest.approx(0.9931146958012801, rel=1e-12)


def test_extreme_parameters_stay_finite():
    x = np.array([0.0, 5.0, 2000.0])
    A = np.array([0.0, 1e-8, 1e8])
    for power in (-20.0, 0.0, 20.0):
        size = np.exp(power)
        start = (A, np.full(3, 1e-6), A, np.full(3, 1e4))
        for term in (
            dropout_terms(size, x, size, start, np.full(3, 30.0)),
            dropout_terms(1.0, x, size, start, np.full(3, 1e-300)),
            alive_term(size, x, 1.0 / size, A, A),
        ):
            assert all(np.isfinite(part).all() for part in term)


@given(st.data())
def test_pieces_are_what_day_by_day_look_up_gives(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n_paths = int(rng.integers(1, 6))
    starts = [np.unique(rng.integers(0, 40, rng.integers(1, 8))) for _ in range(n_paths)]
    path = np.repeat(np.arange(n_paths), [len(s) for s in starts])
    day = np.concatenate(starts)
    value = rng.integers(0, 2, day.size).astype(float)
    paths, which = make_paths(path, day.copy(), [value])
    assert len(set(which)) <= n_paths
    low = np.array([s[0] for s in starts]) + rng.integers(0, 20, n_paths).astype(float)
    high = low + rng.integers(0, 30, n_paths)
    length, code = paths.cut(which, low, high)
    np.testing.assert_allclose(length.sum(axis=1), high - low)
    for i in range(n_paths):
        looked_up = [
            value[path == i][np.searchsorted(starts[i], d, side="right") - 1]
            for d in np.arange(low[i], high[i])
        ]
        cut = np.repeat(paths.values[code[i], 0], length[i].astype(int))
        np.testing.assert_array_equal(cut, looked_up)
        at = paths.at(which[[i]], low[[i]])[0, 0]
        assert at == value[path == i][np.searchsorted(starts[i], low[i], side="right") - 1]


def test_equal_covariates_share_a_path():
    paths, which = make_paths(PATH, DAY.copy(), [SEASON, PRICE])
    np.testing.assert_array_equal(which, [which[0], which[1], which[1]])
    assert which[0] != which[1]
    # The last row of the second path changes its price only, the third row its season only.
    assert paths.start.size == 5 + 4


def test_simulated_means_are_those_of_the_model():
    paths, which = make_paths(PATH, DAY.copy(), [SEASON, PRICE])
    effects = effects_of(paths.values, COLUMNS)
    n = 40_000
    path = np.repeat(which[:2], n)
    span = np.full(2 * n, 20.0), np.full(2 * n, 190.0)
    who, when, alive = simulate(paths, path, span, effects, COEFFICIENTS, np.random.default_rng(0))
    new = Histories(which[:2], *(np.full(2, 20.0),) * 3, np.zeros(2), np.ones(2))
    _, later, expected = VaryingFuture(new, paths, effects, COEFFICIENTS).expected(170.0)
    count = np.bincount(who, minlength=2 * n).reshape(2, n)
    error = count.std(axis=1) / np.sqrt(n)
    assert (np.abs(count.mean(axis=1) - expected) < 4 * error).all()
    assert (np.abs(alive.reshape(2, n).mean(axis=1) - later) < 0.01).all()
    assert when.min() > 20.0
    assert when.max() < 190.0
    # Per piece, too: purchases up to day 100.
    early = np.bincount(who[when < 100.0], minlength=2 * n).reshape(2, n).mean(axis=1)
    half = VaryingFuture(new, paths, effects, COEFFICIENTS).expected(80.0)[2]
    assert (np.abs(early - half) < 4 * error).all()


@pytest.mark.parametrize("n", [1, 7])
def test_clocks_are_read_by_each_other_as_np_interp_does(n):
    rng = np.random.default_rng(n)
    one, other = (np.cumsum(rng.random((n, 6)), axis=1) for _ in range(2))
    row = np.repeat(np.arange(n), 5)
    at = one[row, 0] + rng.random(row.size) * (one[row, -1] - one[row, 0])
    expected = [np.interp(a, one[r], other[r]) for r, a in zip(row, at, strict=True)]
    np.testing.assert_allclose(_clock(one, other, row, at), expected)
