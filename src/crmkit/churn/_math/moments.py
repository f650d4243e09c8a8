"""How customers fared after an event, against others who were like them on its day.

On each day of an event its customers are compared with those at risk of it who belong to the same
cell: as long since the last purchase, that day's included, and as many orders before. An event
that happens at a purchase is so compared with other purchases of that day, and one that follows a
purchase with as recent ones; without this, events pick those who buy often and seem to move them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["CELLS", "Comparison", "Effect", "cells_of", "choose_placebos", "recency_class"]

# Upper ends of the classes are one less than the next lower end.
_DAYS = np.array([0, 1, 4, 8, 15, 31, 61, 121, 241])
_ORDERS = np.array([1, 2, 3, 5, 8, 13, 21, 34, 55])
CELLS = (len(_DAYS) + 1) * (len(_ORDERS) + 1)


def recency_class(days_since: Ints) -> Ints:
    """Return the class of days since the last purchase, shape (n,); below 0 for none is class 0."""
    return np.searchsorted(_DAYS, days_since, side="right")


def cells_of(recency: Ints, orders: Floats) -> Ints:
    """Return the cell of each customer, shape (n,), from recency classes and orders before."""
    return recency * (len(_ORDERS) + 1) + np.searchsorted(_ORDERS, orders, side="right")


@dataclass(frozen=True, slots=True)
class Effect:
    """A mean effect with the means it is made of: ``effect = after - before - control_change``."""

    events: int
    before: float
    after: float
    control_change: float
    effect: float
    std_error: float


class Comparison:
    """Customers with an event against controls of their cell, added up day by day.

    What remains of differences before the event within a cell is taken out by regression on the
    controls. Those who have the event later stay controls: to be left out for what they do then
    would leave out who buys much. Their days after it are a dose of the event, and the effect is
    that per full dose: the event of the day is the instrument of a two-stage regression. The error
    is robust to customers who serve on several days, as control or treated: each one's parts are
    added before they are squared.
    """

    def __init__(self, n_customers: int) -> None:
        self.gap, self.past = np.zeros(n_customers), np.zeros(n_customers)
        self.dose, self.times = np.zeros(n_customers), np.zeros(n_customers)
        self.before = self.after = self.total_gap = self.total_past = self.total_dose = 0.0
        self.product = self.square = 0.0

    def add(
        self, people: Ints, cell: Ints, treated: Bools, was: Floats, now: Floats, dose: Floats
    ) -> _Day:
        """Add one day: the customers at risk, `people` (m,), with rates before and after (m,).

        `dose` (m,) is the share of the days after that followed the event: 1 for the treated.
        """
        day = _Day(cell, treated, was, now, dose)
        weight = np.where(day.matched, 1.0, -day.share[cell] * ~treated)
        # Controls lie closer to their own mean than to the true one, the treated further off: what
        # is uncertain about the mean is counted once, with the controls.
        n = day.n[cell]
        wide = np.sqrt(n / np.where(treated, n + 1, np.maximum(n - 1, 1)))
        self.gap[people] += weight * wide * day.gap
        self.past[people] += weight * wide * day.past
        self.dose[people] += weight * wide * day.dose
        self.times[people] += day.matched
        controls = -np.minimum(weight, 0)
        self.product += float(np.sum(controls * day.past * day.gap))
        self.square += float(np.sum(controls * day.past**2))
        self.before += float(was[day.matched].sum())
        self.after += float(now[day.matched].sum())
        self.total_gap += float(day.gap[day.matched].sum())
        self.total_past += float(day.past[day.matched].sum())
        self.total_dose += float(day.dose[day.matched].sum())
        return day

    @property
    def slope(self) -> float:
        """Return the change of the rate after per unit of the rate before, within cells."""
        return self.product / self.square if self.square > 0 else 0.0

    def effect(self) -> Effect:
        """Return the mean effect and its error; NaN without two customers to learn them from."""
        n = int(self.times.sum())
        if n == 0 or self.total_dose <= 0:
            return Effect(0, *[float("nan")] * 5)
        before, after = self.before / n, self.after / n
        effect = (self.total_gap - self.slope * self.total_past) / self.total_dose
        part = (self.gap - self.slope * self.past - effect * self.dose) / self.total_dose
        treated = np.count_nonzero(self.times)
        error = float("nan")
        if treated > 1:
            error = float(np.sqrt(np.sum(part**2) * treated / (treated - 1)))
        return Effect(n, before, after, after - before - effect, effect, error)


class _Day:
    """One day's customers at risk by cell, shapes (m,) and (CELLS,)."""

    def __init__(self, cell: Ints, treated: Bools, was: Floats, now: Floats, dose: Floats) -> None:
        self.cell, self.was, self.now = cell, was, now
        control = ~treated
        self.n = np.bincount(cell[control], minlength=CELLS).astype(np.float64)
        self.matched = treated & (self.n[cell] >= 2)
        self.share = np.bincount(cell[self.matched], minlength=CELLS) / np.maximum(self.n, 1)
        sums = [
            np.bincount(cell[control], weights=values[control], minlength=CELLS)
            for values in (was, now, dose)
        ]
        self.sum_was, self.sum_now, _ = sums
        means = [(total / np.maximum(self.n, 1))[cell] for total in sums]
        self.past, self.gap, self.dose = was - means[0], now - means[1], dose - means[2]

    def without(self, chosen: Ints) -> tuple[int, float, float]:
        """Take some controls for treated: their number, summed gaps before and after."""
        cell = self.cell[chosen]
        n = self.n - np.bincount(cell, minlength=CELLS)
        kept = n[cell] >= 2
        sums = []
        for total, values in ((self.sum_was, self.was), (self.sum_now, self.now)):
            rest = total - np.bincount(cell, weights=values[chosen], minlength=CELLS)
            mean = rest / np.maximum(n, 1)
            sums.append(float((values[chosen] - mean[cell])[kept].sum()))
        return int(kept.sum()), sums[0], sums[1]


def choose_placebos(
    rng: np.random.Generator, recency: Ints, treated: Bools, n_placebos: int
) -> list[Ints]:
    """Choose controls as recent as the treated, as many of each class, some times over.

    Their places are returned, as many arrays as `n_placebos`.
    """
    classes = [
        (wanted, np.flatnonzero((recency == kind) & ~treated))
        for kind, wanted in enumerate(np.bincount(recency[treated]).tolist())
        if wanted
    ]
    found = []
    for _ in range(n_placebos):
        chosen = [np.zeros(0, dtype=np.int64)]
        for wanted, controls in classes:
            if controls.size:
                # Without sorting all of them; what is drawn twice counts once.
                drawn = np.unique(controls[rng.integers(0, controls.size, 2 * wanted + 8)])
                chosen.append(rng.permutation(drawn)[: min(wanted, controls.size // 2)])
        found.append(np.concatenate(chosen))
    return found
