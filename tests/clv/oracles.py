"""Slow, exact answers for purchase models: mpmath at 40 digits, straight from the definitions."""

import mpmath as mp
import numpy as np

mp.mp.dps = 40


def central_difference(function, point, step=1e-5):
    """Return the derivatives of a function of a vector, one column per coordinate."""
    columns = []
    for j in range(len(point)):
        up, down = np.array(point, dtype=float), np.array(point, dtype=float)
        up[j] += step
        down[j] -= step
        columns.append((np.asarray(function(up)) - np.asarray(function(down))) / (2 * step))
    return np.stack(columns, axis=-1)


def bg_log_likelihood(theta, x, t_x, T, *, first_chance=0):
    """ln L of one customer: BG/NBD (0) or MBG/NBD (1), from the densities given lambda and p."""
    r, alpha, a, b = map(mp.mpf, theta)
    x, t_x, T, m = mp.mpf(x), mp.mpf(t_x), mp.mpf(T), mp.mpf(x) + first_chance
    gamma = mp.gamma(r + x) / mp.gamma(r) * alpha**r
    alive = mp.beta(a, b + m) * (alpha + T) ** -(r + x)
    dead = mp.beta(a + 1, b + m - 1) * (alpha + t_x) ** -(r + x) if m else 0
    return mp.log(gamma * (alive + dead) / mp.beta(a, b))


def bg_p_alive(theta, x, t_x, T, *, first_chance=0):
    r, alpha, a, b = map(mp.mpf, theta)
    m = x + first_chance
    if m == 0:
        return mp.mpf(1)
    odds = a / (b + m - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    return 1 / (1 + odds)


def bg_expected(theta, x, t_x, T, days, *, first_chance=0, rate=0):
    """Discounted purchases in (T, T + days]: an integral over time of a hypergeometric mean."""
    r, alpha, a, b = map(mp.mpf, theta)
    n, A, B = r + x, alpha + T, b + x + first_chance

    def intensity(u):
        return n / A * mp.hyp2f1(n + 1, a, a + B, -u / A) * mp.exp(-mp.mpf(rate) * u)

    ends = [0, days] if days != mp.inf else [0, A, 10 * A, 100 * A, 1000 * A, mp.inf]
    value = mp.quad(intensity, ends)
    return bg_p_alive(theta, x, t_x, T, first_chance=first_chance) * value


def gamma_gamma_log_likelihood(theta, x, z):
    p, q, v = map(mp.mpf, theta)
    x, z = mp.mpf(x), mp.mpf(z)
    value = mp.gamma(p * x + q) / mp.gamma(p * x) / mp.gamma(q)
    return mp.log(value * v**q * z ** (p * x - 1) * x ** (p * x) / (v + x * z) ** (p * x + q))


def pareto(theta, x, t_x, T):
    """ln L and P(alive) of Pareto/NBD by integrating over the time of dropout."""
    r, alpha, s, beta = map(mp.mpf, theta)
    x, t_x, T = map(mp.mpf, (x, t_x, T))
    least = min(alpha, beta)

    def integrand(w):
        y = (least + t_x) * mp.exp(w) - least
        return (least + y) * s * (alpha + y) ** -(r + x) * (beta + y) ** -(s + 1)

    end = mp.log((least + T) / (least + t_x))
    # The integrand may fall at once: halve the interval towards its start.
    dead = (
        mp.quad(integrand, [0] + [end * mp.mpf(2) ** -k for k in range(14, -1, -1)]) if end else 0
    )
    alive = (alpha + T) ** -(r + x) * (beta + T) ** -s
    value = mp.gamma(r + x) / mp.gamma(r) * alpha**r * beta**s * (alive + dead)
    return float(mp.log(value)), float(alive / (alive + dead))


def gompertz(theta, x, t_x, T):
    """ln L and P(alive) of GGom/NBD by integrating over the time of dropout."""
    r, alpha, b, s, beta = map(mp.mpf, theta)
    x, t_x, T = map(mp.mpf, (x, t_x, T))

    def integrand(y):
        risk = beta - 1 + mp.exp(b * y)
        return s * b * mp.exp(b * y) * beta**s / risk ** (s + 1) * (alpha + y) ** -(r + x)

    # The integrand may fall at once, or have a hump anywhere.
    length = T - t_x
    ends = [t_x] + [t_x + length * mp.mpf(2) ** -k for k in range(20, 1, -1)]
    ends += [t_x + length * k / 16 for k in range(5, 17)]
    dead = mp.quad(integrand, ends) if length else mp.mpf(0)
    alive = (alpha + T) ** -(r + x) * (beta / (beta - 1 + mp.exp(b * T))) ** s
    value = mp.gamma(r + x) / mp.gamma(r) * alpha**r * (alive + dead)
    return float(mp.log(value)), float(alive / (alive + dead))


def gompertz_expected(theta, x, T, days, rate=0):
    """Discounted purchases in (T, T + days] of one alive at T, an integral over time."""
    r, alpha, b, s, beta = map(mp.mpf, theta)

    def kept(u):
        life = (beta - 1 + mp.exp(b * T)) / (beta - 1 + mp.exp(b * (T + u)))
        return life**s * mp.exp(-mp.mpf(rate) * u)

    ends = [0] + [days * mp.mpf(2) ** -k for k in range(16, 2, -1)]
    ends += [mp.mpf(days) * k / 16 for k in range(3, 17)]
    return float((r + x) / (alpha + T) * mp.quad(kept, ends))
