"""How often a score puts two customers in the right order, exact with ties and late entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["concordance"]


def concordance(
    time: Floats,
    score: Floats,
    *,
    left: Bools | None = None,
    entry: Floats | None = None,
    weight: Floats | None = None,
    counts: bool = True,
) -> tuple[float, float, float]:
    """Return Harrell's C, its standard error and the number of pairs (Harrell et al. 1996).

    A pair is one who left and one at risk then who left later or was not seen to leave; equal
    scores count half. The error is that of the infinitesimal jackknife: what each customer's
    pairs are beyond the mean. `score`, shape (n,), is higher for those expected to stay longer.

    Where all are seen to the end (`left` is None) `time` may be any outcome, such as purchases: a
    pair is any two that differ in it. Of outcomes 0 and 1 this is the area under the curve.
    `counts` says whether weights count customers.
    """
    weight = np.ones(score.size) if weight is None else weight
    left = np.ones(score.size, dtype=bool) if left is None else left
    order = np.lexsort((~left, time))
    time, left, weight = time[order], left[order], weight[order]
    code = np.unique(score[order], return_inverse=True)[1].reshape(-1).astype(np.int64)
    entry = np.zeros(time.size) if entry is None else entry[order]
    events, place = np.flatnonzero(left), np.arange(time.size)
    # After all who left at the same time.
    last = np.searchsorted(time[events], time[events], side="right")
    after = np.append(events, time.size)[last - 1] + 1
    n = time.size
    later = _sums(code, weight, np.full(events.size, n), code[events])
    later = later - _sums(code, weight, after, code[events])
    # Each as the one who stayed longer: those who left before.
    before = np.searchsorted(after, place, side="right")
    earlier = _sums(code[events], weight[events], before, code)
    if entry.any():
        by_entry = np.argsort(-entry, kind="stable")[: np.count_nonzero(entry)]
        late = np.searchsorted(-entry[by_entry], -time[events], side="right")
        later = later - _sums(code[by_entry], weight[by_entry], late, code[events])
        unseen = np.where(entry > 0, np.searchsorted(time[events], entry, side="right"), 0)
        earlier = earlier - _sums(code[events], weight[events], unseen, code)
    pairs, good = np.zeros(n), np.zeros(n)
    pairs[events] = later[2]
    good[events] = later[2] - later[0] - later[1] / 2
    n_pairs = float(weight @ pairs)
    if n_pairs <= 0:
        return float("nan"), float("nan"), 0.0
    found = float(weight @ good) / n_pairs
    pairs, good = pairs + earlier[2], good + earlier[0] + earlier[1] / 2
    moved = (good - found * pairs) / n_pairs
    power = 1 if counts else 2
    return found, float(np.sqrt(np.sum(weight**power * moved**2))), n_pairs


def _sums(code: Ints, weight: Floats, end: Ints, asked: Ints) -> Floats:
    """Return sums of weights below, at, and anywhere, shape (3, m), for parts of some codes.

    Part j is ``code[: end[j]]``, compared with ``asked[j]``. The codes are split by one bit after
    the other, each half in its old order, so that every part stays a range (a wavelet matrix:
    Claude, Navarro and Ordonez 2015).
    """
    everything = np.r_[0.0, np.cumsum(weight)][end]
    below, first, last = np.zeros(asked.size), np.zeros(asked.size, dtype=np.int64), end.copy()
    highest = int(max(code.max(initial=0), asked.max(initial=0)))
    for bit in range(highest.bit_length() - 1, -1, -1):
        one = (code >> bit) & 1 == 1
        zeros = np.r_[0, np.cumsum(~one)]
        lower = np.r_[0.0, np.cumsum(np.where(one, 0.0, weight))]
        up = (asked >> bit) & 1 == 1
        below += np.where(up, lower[last] - lower[first], 0.0)
        first = np.where(up, zeros[-1] + first - zeros[first], zeros[first])
        last = np.where(up, zeros[-1] + last - zeros[last], zeros[last])
        order = np.r_[np.flatnonzero(~one), np.flatnonzero(one)]
        code, weight = code[order], weight[order]
    total = np.r_[0.0, np.cumsum(weight)]
    return np.stack([below, total[last] - total[first], everything])
