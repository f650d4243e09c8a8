"""What share of the amounts a customer earns us, from few orders: credibility theory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["Credibility", "learn_credibility"]


@dataclass(frozen=True, slots=True)
class Credibility:
    """How ratios differ: around ``mean``, with variance ``between`` customers.

    And ``within`` over its weight for one order of a customer.
    """

    mean: float
    within: float
    between: float

    def expected(self, ratio: Floats, weight: Floats) -> Floats:
        """Return the best linear estimates of n customers, drawn to the mean where little is known.

        ``Z m + (1 - Z) mean``, Z = weight / (weight + within / between); NaN counts as unknown.
        """
        known = weight * self.between
        total = known + self.within
        trust = np.divide(known, total, out=np.zeros_like(total), where=total > 0.0)
        own = np.where(np.isnan(ratio), self.mean, ratio)
        return trust * own + (1.0 - trust) * self.mean


def learn_credibility(
    ratio: Floats, weight: Floats, squares: Floats, freedom: Floats, money: Floats, times: Floats
) -> Credibility:
    """Estimate how the mean ratios of customers differ (Buhlmann and Straub 1970), arrays (n,).

    `squares` adds up how far a customer's orders lie from their mean, with so many degrees of
    `freedom`; each row stands for `times` customers. The mean is the one by which the estimates,
    each times its `money`, add up to what was observed; of money in proportion to the weights it
    is that of the paper.
    """
    total = float(times @ weight)
    within = float(times @ squares) / max(float(times @ freedom), 1.0)
    plain = float(times @ (weight * ratio)) / total
    apart = float(times @ (weight * (ratio - plain) ** 2)) - (float(times.sum()) - 1.0) * within
    lone = total - float(times @ weight**2) / total
    between = max(apart / lone, 0.0) if lone > 0.0 else 0.0
    doubt = money * times
    if between > 0.0:
        doubt = doubt * within / (weight * between + within)
    whole = float(doubt.sum())
    return Credibility(float(doubt @ ratio) / whole if whole > 0.0 else plain, within, between)
