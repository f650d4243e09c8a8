"""Dividing customers in two where a valley lies between, as often as there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.segmentation._math import deepest_valley, valley_counts, valley_p

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Division", "divide"]

_FEWEST = 30
# Centres of k-means, between which directions are tried.
_CENTRES = (2, 6)
# Unless customers who were not looked at judge, a valley must be as sure as this.
_SURE = 2.5


@dataclass(frozen=True, slots=True)
class Division:
    """A partition, (n,) codes of `k` parts, and what parts its last two.

    ``p_value`` is the chance of so deep a valley in one group, ``valley`` how many customers lie
    at its bottom for one on its lower side; both NaN where nobody asked.
    """

    k: int
    codes: Ints
    p_value: float
    valley: float


@dataclass(frozen=True, slots=True)
class _Cut:
    """A plane across the direction (p,) through the bottom of a valley at `place` (3,)."""

    direction: Floats
    place: Floats
    sure: float

    def above(self, matrix: Floats) -> Bools:
        """Tell which rows lie beyond the plane."""
        beyond: Bools = matrix @ self.direction > self.place[1]
        return beyond


def divide(matrix: Floats, most: int, least: float, level: float | None) -> list[Division]:
    """Divide rows of a sample, (n, p), in two, then a part in two and so on, up to `most` parts.

    Each time it is the part with the surest valley, as long as its p-value is at most `level`. It
    is that of the half of the rows that had no say in where the valley is looked for, of both
    halves twice the smaller (Bonferroni). Parts without a valley are one group; beyond them the
    part of largest scatter is halved along its principal direction. With `level` None valleys are
    judged on the rows that show them, in a third of the time.
    """
    codes = np.zeros(len(matrix), dtype=np.int64)
    found = {0: _judged(matrix, least, level)}
    divisions = [Division(1, codes, np.nan, np.nan)]
    asked = True
    for k in range(1, most):
        surest = min(found, key=lambda part: found[part][0])
        p_value, valley, cut = found[surest]
        real = asked and cut is not None and p_value <= (0.0 if level is None else level)
        rows = np.flatnonzero(codes == (surest if real else _widest(matrix, codes, k)))
        beyond = cut.above(matrix[rows]) if real and cut else _upper_half(matrix[rows])
        codes = codes.copy()
        codes[rows[beyond]] = k
        divisions.append(Division(k + 1, codes, *((p_value, valley) if asked else (np.nan,) * 2)))
        asked = real
        if real and k + 1 < most:
            found |= {part: _judged(matrix[codes == part], least, level) for part in (surest, k)}
    return divisions


def _judged(matrix: Floats, least: float, level: float | None) -> tuple[float, float, _Cut | None]:
    """Return the p-value of the surest valley, its depth, and where it lies."""
    if len(matrix) < max(2 * least, _FEWEST):
        return 1.0, 1.0, None
    cut = _surest(matrix, least)
    if level is None or cut is None:
        return (1.0 if cut is None or cut.sure < _SURE else -cut.sure), 1.0, cut
    p_values, depth = [1.0], []
    for seen, judging in ((matrix[::2], matrix[1::2]), (matrix[1::2], matrix[::2])):
        first = _surest(seen, least / 2)
        if first is None:
            continue
        projected = judging @ first.direction
        p_values.append(2 * valley_p(projected, first.place))
        on_left, between, on_right = valley_counts(projected, first.place)
        depth.append(between / max(min(on_left, on_right), 1))
    return min(p_values), float(min(depth, default=1.0)), cut


def _surest(matrix: Floats, least: float) -> _Cut | None:
    """Return the surest valley of all directions tried, turned as long as that makes it surer."""
    best: _Cut | None = None
    for direction in _directions(matrix):
        best = _surer(matrix, direction, least, best)
    for _ in range(3):
        before = best
        if before is None:
            break
        beyond = before.above(matrix)
        parts = [matrix[~beyond], matrix[beyond]]
        step = parts[1].mean(axis=0) - parts[0].mean(axis=0)
        best = _surer(matrix, np.linalg.solve(_within(parts), step), least, before)
        if best is before:
            break
    return best


def _surer(matrix: Floats, direction: Floats, least: float, best: _Cut | None) -> _Cut | None:
    """Return the valley of a direction if it is surer than the best so far."""
    sure, place = deepest_valley(matrix @ direction, least)
    return best if sure <= (best.sure if best else 0.0) else _Cut(direction, place, sure)


def _directions(matrix: Floats) -> list[Floats]:
    """Return directions in which groups may lie apart.

    Each column; the principal directions; and between neighbouring centres of k-means, before and
    after all directions were given the same spread, as they are and as the scatter around the
    centres turns them (Fisher's discriminant).
    """
    from sklearn.cluster import KMeans

    p = matrix.shape[1]
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(matrix, rowvar=False)))
    directions = [*np.eye(p), *vectors.T] if p > 1 else [np.ones(1)]
    even = matrix @ vectors / np.sqrt(np.maximum(values, 1e-3 * values[-1] + 1e-12))
    for view in (matrix, even):
        for k in _CENTRES:
            if p == 1 or len(matrix) < 5 * k:
                continue
            codes = KMeans(k, n_init=1, random_state=0).fit(view).labels_
            parts = [matrix[codes == part] for part in np.unique(codes)]
            centres = np.array([part.mean(axis=0) for part in parts])
            turn = np.linalg.inv(_within(parts))
            for at, centre in enumerate(centres):
                step = centres - centre
                near = np.argsort(np.sum(step**2, axis=1), kind="stable")[1:3]
                directions += [
                    way for n in near if n > at or k == 2 for way in (step[n], turn @ step[n])
                ]
    return directions


def _within(parts: list[Floats]) -> Floats:
    """Return the covariance within parts, (p, p), a little of its diagonal added."""
    own = np.concatenate([part - part.mean(axis=0) for part in parts])
    covariance = own.T @ own / max(len(own) - len(parts), 1)
    return np.asarray(covariance + np.diag(0.02 * np.diag(covariance) + 1e-9))


def _widest(matrix: Floats, codes: Ints, k: int) -> int:
    """Return the part of largest scatter."""
    scatter = [
        float(np.sum((part - part.mean(axis=0)) ** 2))
        for part in (matrix[codes == at] for at in range(k))
    ]
    return int(np.argmax(scatter))


def _upper_half(matrix: Floats) -> Bools:
    """Tell which rows lie above the mean along the principal direction."""
    centred = matrix - matrix.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    along = vectors[:, -1] * np.sign(vectors[:, -1].sum() or 1.0)
    beyond: Bools = centred @ along > 0
    return beyond
