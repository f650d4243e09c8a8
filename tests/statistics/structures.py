"""Bases whose groups are known, and crowds without any: numbers, (n, p), and a group per row."""

from __future__ import annotations

import itertools

import numpy as np


def groups(rng, centres, sizes, *, spread=1.0, noise=0, tail=None):
    """Groups around centres, in deviations or of a given spread, beside numbers of noise."""
    centres, kind = np.asarray(centres, dtype=float), np.repeat(np.arange(len(sizes)), sizes)
    shape = (len(kind), centres.shape[1])
    around = rng.normal(size=shape) if tail is None else rng.standard_t(tail, size=shape)
    width = np.broadcast_to(np.asarray(spread, dtype=float), (len(sizes),))[kind, None]
    return np.c_[centres[kind] + width * around, rng.normal(size=(len(kind), noise))], kind


def two(rng):
    return groups(rng, [[0, 0], [6, 0]], [500, 500])


def three_and_noise(rng):
    return groups(rng, [[0, 0], [6, 0], [0, 6]], [600] * 3, noise=1)


def four_in_a_square(rng):
    return groups(rng, list(itertools.product((0, 5), repeat=2)), [300] * 4)


def five_unequal(rng):
    sizes = [800, 400, 200, 120, 80]
    return groups(rng, [[0, 0], [6, 0], [0, 6], [6, 6], [3, 12]], sizes, noise=2)


def six_among_noise(rng):
    corners = [[0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6], [6, 6, 0], [6, 6, 6]]
    return groups(rng, corners, [250] * 6, noise=5)


def seven_in_twenty_numbers(rng):
    return groups(rng, 5.5 * np.eye(7)[:, :6], [250] * 7, noise=14)


def eight_in_a_cube(rng):
    return groups(rng, list(itertools.product((0, 5.5), repeat=3)), [200] * 8)


def eight_in_a_row(rng):
    return groups(rng, 6.0 * np.arange(8)[:, None], [150] * 8, noise=1)


def unequal_spreads(rng):
    return groups(rng, [[0, 0, 0], [12, 0, 0], [0, 9, 0]], [400] * 3, spread=[1, 3, 0.5])


def correlated(rng):
    around, kind = groups(rng, np.zeros((3, 3)), [400] * 3)
    lower = np.linalg.cholesky([[1, 0.8, 0.5], [0.8, 1, 0.5], [0.5, 0.5, 1]])
    return around @ lower.T + np.array([[0, 0, 0], [4, -1, 0], [-1, 4, 1]])[kind], kind


def elongated(rng):
    around, kind = groups(rng, np.zeros((3, 2)), [400] * 3)
    return around * [6, 1] + np.c_[np.zeros(1200), 6 * kind], kind


def elongated_each_its_way(rng):
    around, kind = groups(rng, np.zeros((3, 2)), [400] * 3)
    width = np.array([[5, 1], [1, 5], [2, 2]])
    return around * width[kind] + np.array([[0, 0], [20, 8], [-12, 14]])[kind], kind


def heavy_tails(rng):
    return groups(rng, [[0, 0, 0], [12, 0, 0], [0, 12, 0]], [400] * 3, tail=3)


def amounts(rng):
    logs, kind = groups(rng, list(itertools.product((0, 3.5), repeat=2)), [300] * 4, spread=0.5)
    return np.exp(np.c_[logs, rng.normal(size=1200)]), kind


def skewed(rng):
    kind = np.repeat(np.arange(3), 400)
    return rng.gamma(3, size=(1200, 2)) + np.array([[0, 0], [14, 2], [2, 14]])[kind], kind


def few_customers(rng):
    return groups(rng, [[0, 0], [6, 0], [0, 6]], [100] * 3, noise=2)


def one_large(rng):
    return groups(rng, [[0, 0, 0], [6, 0, 0], [0, 6, 0]], [3000, 600, 240], noise=1)


STRUCTURES = [
    two, three_and_noise, four_in_a_square, five_unequal, six_among_noise, seven_in_twenty_numbers,
    eight_in_a_cube, eight_in_a_row, unequal_spreads, correlated, elongated,
    elongated_each_its_way, heavy_tails, amounts, skewed, few_customers, one_large,
]  # fmt: skip


def normal(rng, n=1000, p=2, correlation=0.6):
    """One group: a normal whose numbers all have the same correlation."""
    common = np.sqrt(correlation) * rng.normal(size=(n, 1))
    return common + np.sqrt(1 - correlation) * rng.normal(size=(n, p)), np.zeros(n, dtype=int)


def narrow_normal(rng):
    return normal(rng, p=3, correlation=0.9)


def normal_of_eight(rng):
    return normal(rng, p=8, correlation=0.5)


def few_of_ten_numbers(rng):
    return normal(rng, n=300, p=10, correlation=0.0)


def square(rng):
    return rng.uniform(size=(1000, 2)), np.zeros(1000, dtype=int)


def cube(rng):
    return rng.uniform(size=(1500, 3)), np.zeros(1500, dtype=int)


def disc(rng):
    angle, radius = rng.uniform(0, 2 * np.pi, 1000), np.sqrt(rng.uniform(size=1000))
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)], np.zeros(1000, dtype=int)


def exponential(rng):
    return rng.exponential(size=(1000, 3)), np.zeros(1000, dtype=int)


def correlated_amounts(rng):
    return np.exp(1.5 * normal(rng, n=1500, p=4)[0]), np.zeros(1500, dtype=int)


def tails_of_three(rng):
    return rng.standard_t(3, size=(1000, 4)), np.zeros(1000, dtype=int)


def counts_and_flags(rng):
    counts = rng.poisson([[1.0, 3.0, 0.3]], size=(1500, 3))
    return np.c_[counts, rng.integers(0, 2, (1500, 2))], np.zeros(1500, dtype=int)


CROWDS = [
    normal, narrow_normal, normal_of_eight, few_of_ten_numbers, square, cube, disc, exponential,
    correlated_amounts, tails_of_three, counts_and_flags,
]  # fmt: skip
