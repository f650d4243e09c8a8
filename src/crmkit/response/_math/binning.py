"""Bins of one variable that tell most about a yes-or-no outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["Cells", "information", "merge_cells", "number_cells"]

# A bin without events, or with nothing else, counts half a customer of the missing kind.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Cells:
    """Customers and events per cell of an ordered variable.

    ``edges`` (m - 1,) separate the cells: cell i holds edges[i - 1] <= x < edges[i].
    ``events`` and ``others`` have shape (m,).
    """

    edges: Floats
    events: Floats
    others: Floats


def number_cells(values: Floats, event_values: Floats, n_cells: int) -> Cells:
    """Cut numbers (n,) at their quantiles; `event_values` are those of customers with the event.

    A value held by more than 1 / n_cells of all gets a cell of its own, and a variable of few
    values gets one cell per value. Only order statistics are needed, so the numbers are
    partitioned, not sorted.
    """
    n = values.size
    positions = np.arange(1, n_cells) * n // n_cells
    tied = n <= 4 * n_cells
    if not tied:
        parts = np.partition(values, positions)
        edges = parts[positions]
        tied = bool((edges[1:] == edges[:-1]).any())
    if not tied:
        before, after = _equals(parts, positions)
        tied = bool(((before + after) * n_cells > n).any())
        below = positions - before
    if tied:
        edges, below = _tied_edges(values, positions, n_cells)
    ends = np.searchsorted(np.sort(event_values), edges, side="left")
    totals = np.diff(np.r_[0, below, n]).astype(np.float64)
    events = np.diff(np.r_[0, ends, event_values.size]).astype(np.float64)
    keep = totals > 0
    # An edge at the lowest value of all leaves nothing below it.
    return Cells(edges[keep[:-1]], events[keep], (totals - events)[keep])


def _equals(parts: Floats, positions: Ints) -> tuple[Ints, Ints]:
    """Count the values left and right of each position that equal the value there.

    All values at positions differ, so equals lie between the neighbouring positions.
    """
    starts = np.r_[0, positions]
    lengths = np.diff(np.r_[starts, parts.size])
    at = parts[positions]
    left = parts[: positions[-1]] == np.repeat(at, lengths[:-1])
    right = parts[positions[0] :] == np.repeat(at, lengths[1:])
    before = np.add.reduceat(left, starts[:-1], dtype=np.int64)
    after = np.add.reduceat(right, positions - positions[0], dtype=np.int64)
    return before, after


def _tied_edges(values: Floats, positions: Ints, n_cells: int) -> tuple[Floats, Ints]:
    """Return edges, and the numbers of values below them, where values repeat."""
    ordered = np.sort(values)
    change = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    if change.size < n_cells:
        return ordered[change], change
    cut = np.unique(ordered[positions])
    left = np.searchsorted(ordered, cut, side="left")
    right = np.searchsorted(ordered, cut, side="right")
    heavy = (right - left) * n_cells > ordered.size
    below = np.unique(np.r_[left, right[heavy]])
    below = below[(below > 0) & (below < ordered.size)]
    return ordered[below], below


def information(events: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Return weight of evidence and information value per bin, (m,) each.

    WoE = ln((events / all events) / (others / all others)); the bins' information values add
    up to the variable's, Jeffreys' divergence of the two distributions (Kullback and Leibler
    1951; Siddiqi 2006, ch. 6). A positive WoE marks more events than on average.
    """
    share_events = np.maximum(events, _HALF) / max(events.sum(), _HALF)
    share_others = np.maximum(others, _HALF) / max(others.sum(), _HALF)
    empty = events + others == 0
    woe = np.where(empty, 0.0, np.log(share_events / share_others))
    return woe, np.where(empty, 0.0, (share_events - share_others) * woe)


def merge_cells(
    events: Floats,
    others: Floats,
    *,
    max_bins: int,
    min_size: float,
    monotone: bool = False,
    whole: tuple[float, float] | None = None,
) -> Ints:
    """Merge neighbouring cells into bins of the greatest information value, exactly.

    Dynamic programming over the last bin's borders (Fisher 1958, J. Am. Stat. Assoc. 53, 789):
    best[k, j] = max over i of best[k - 1, i] + iv[i, j], each bin holding at least `min_size`
    customers. With `monotone` the event rate rises from bin to bin, or falls, whichever tells
    more. `whole` are all events and all others, where some are in no cell. Returns the starts of
    the bins, shape (b,), first 0. Of equally good solutions the one with fewest bins is taken.
    """
    m = events.size
    e = np.r_[0.0, np.cumsum(events)]
    o = np.r_[0.0, np.cumsum(others)]
    in_events, in_others = e[None, :] - e[:, None], o[None, :] - o[:, None]
    total_e, total_o = (max(total, _HALF) for total in whole or (e[-1], o[-1]))
    share_e = np.maximum(in_events, _HALF) / total_e
    share_o = np.maximum(in_others, _HALF) / total_o
    gain = (share_e - share_o) * np.log(share_e / share_o)
    size = in_events + in_others
    least = min(min_size, e[-1] + o[-1])
    fits = (np.arange(m + 1)[:, None] < np.arange(m + 1)[None, :]) & (size >= max(least, 1e-9))
    gain = np.where(fits, gain, -np.inf)
    if not monotone:
        return _best_starts(gain, min(max_bins, m))
    rate = np.divide(in_events, size, out=np.zeros_like(size), where=size > 0)
    rising, up = _best_monotone(gain, rate, min(max_bins, m))
    falling, down = _best_monotone(gain, -rate, min(max_bins, m))
    return rising if up >= down else falling


def _best_starts(gain: Floats, max_bins: int) -> Ints:
    """Return the starts of the best division into at most `max_bins` bins; `gain` is (m+1, m+1)."""
    last = gain.shape[0] - 1
    best, choices = gain[0].copy(), [np.zeros(last + 1, dtype=np.int64)]
    top, at = best[last], 1
    for bins in range(2, max_bins + 1):
        through = best[:, None] + gain
        choice = np.argmax(through, axis=0)
        best = np.take_along_axis(through, choice[None, :], axis=0)[0]
        choices.append(choice)
        if best[last] > top + 1e-12:
            top, at = best[last], bins
    starts, end = [], last
    for bins in range(at, 0, -1):
        end = int(choices[bins - 1][end])
        starts.append(end)
    return np.array(starts[::-1], dtype=np.int64)


def _best_monotone(gain: Floats, rate: Floats, max_bins: int) -> tuple[Ints, float]:
    """Return starts and information of the best division with rising rates.

    The state is the last bin (i, j), because the next bin's rate is held against its rate.
    """
    size = gain.shape[0]
    last = size - 1
    state = np.where(np.arange(size)[:, None] == 0, gain, -np.inf)
    states, choices = [state], [np.full((size, size), -1)]
    for _ in range(2, max_bins + 1):
        following = np.full((size, size), -np.inf)
        choice = np.full((size, size), -1)
        for i in range(1, last):
            # Every bin (h, i) that ends where the new ones (i, j) start.
            through = np.where(rate[:, i, None] <= rate[i, None, :], state[:, i, None], -np.inf)
            h = np.argmax(through, axis=0)
            following[i] = through[h, np.arange(size)] + gain[i]
            choice[i] = h
        state = following
        states.append(state)
        choices.append(choice)
    tops = np.array([s[:, last].max() for s in states])
    at = int(np.argmax(tops >= tops.max() - 1e-12))
    start, end = int(np.argmax(states[at][:, last])), last
    starts = [start]
    for bins in range(at, 0, -1):
        start, end = int(choices[bins][start, end]), start
        starts.append(start)
    return np.array(starts[::-1], dtype=np.int64), float(tops[at])
