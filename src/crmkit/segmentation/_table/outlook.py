"""What a customer could earn beyond what it earns now, by each method, and whether it came true."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from crmkit._frames.join import by_value
from crmkit.errors import InputError
from crmkit.segmentation._math import (
    Level,
    best_half,
    equal_groups,
    money_per_order,
    nested_mean,
    partial_rank_correlation,
    standing_bands,
    top_gain,
    white_space,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.segmentation._math import Estimate, Pairs
    from crmkit.segmentation._table.trade import Trade


__all__ = ["Judged", "Method", "Offers", "Outlook", "available", "judge"]

Method = Literal["reach", "white_space", "wallet"]

_PRIOR_ORDERS = 2.0  # orders of the mean customer in the profit per order of each
_LEAST_BASKET = 0.1  # of the mean profit per order, below which no basket is a measure of others


@dataclass(frozen=True, slots=True)
class Offers:
    """A table of chances: customer, category and chance, shape (p,)."""

    customer: Ints
    category: Ints
    chance: Floats

    def gain(self, pairs: Pairs, worth: Floats) -> tuple[Floats, Ints]:
        """Return the sum of chance x worth over what is not bought, and the largest; -1 if none."""
        k = pairs.n_categories
        owned = np.isin(self.customer * k + self.category, pairs.customer * k + pairs.category)
        customer, category = self.customer[~owned], self.category[~owned]
        gain = self.chance[~owned] * worth[category]
        total = np.bincount(customer, weights=gain, minlength=pairs.n_customers)
        best = np.full(pairs.n_customers, -1)
        order = np.lexsort((-category, gain))
        best[customer[order]] = category[order]
        return total.astype(np.float64), best


def available(trade: Trade) -> list[Method]:
    """Return the methods for which there is what they need."""
    found: list[Method] = ["reach"]
    if trade.category is not None:
        found.append("white_space")
    if trade.wallet is not None:
        found.append("wallet")
    return found


class Outlook:
    """What the customers of a log could earn in a horizon; what methods share is reckoned once."""

    def __init__(self, trade: Trade, horizon: int) -> None:
        self.trade = trade
        self.horizon = horizon

    @cached_property
    def current(self) -> Floats:
        """Profit of a horizon of average days of the log."""
        return self.trade.profit() * (self.horizon / self.trade.days)

    @cached_property
    def spend(self) -> Floats:
        """Net money of a horizon of average days of the log."""
        return self.trade.spend() * (self.horizon / self.trade.days)

    @cached_property
    def _alike(self) -> _LookAlikes:
        return _LookAlikes(self.trade, self.horizon, self.current)

    def potential(
        self, method: Method, offers: Offers | None = None
    ) -> tuple[Floats, NDArray[np.object_]]:
        """Return the profit beyond the present one that a horizon could bring, and by what.

        Where there is none, the lever is "none".
        """
        if method == "reach":
            could, lever = self._alike.reach()
        elif method == "white_space":
            could, lever = self._white_space(offers)
        else:
            assert self.trade.wallet is not None
            could = self.trade.profit_share * np.maximum(self.trade.wallet - self.spend, 0.0)
            lever = np.full(self.trade.n, "share of wallet", dtype=object)
        lever[could <= 0] = "none"
        return could, lever

    def _white_space(self, offers: Offers | None) -> tuple[Floats, NDArray[np.object_]]:
        """Return the profit of categories not bought over the orders to come, and the largest."""
        trade = self.trade
        pairs = trade.pairs()
        worth = money_per_order(pairs, trade.orders())
        if offers is None:
            per_order, best = white_space(pairs, worth, trade.peers)
        else:
            per_order, best = offers.gain(pairs, worth)
        names = np.append(by_value(trade.categories).astype(str).to_numpy(dtype=object), "none")
        return per_order * self._alike.expected_orders(), names[best]


class _LookAlikes:
    """What customers went on to who once stood where each customer stands now.

    Those who had bought something by a horizon ago (half the log ago, in a shorter log) are
    learned from: how many orders they had placed in the horizon before, how long ago the last one
    was, and what they brought in the horizon since, in baskets of their own.
    """

    def __init__(self, trade: Trade, horizon: int, current: Floats) -> None:
        today = trade.log.as_of
        length = min(horizon, (trade.days - 1) // 2)
        if length < 1:
            raise InputError(
                f"`transactions` covers {trade.days} day(s) before potential is told, from which "
                "nobody's later purchases can be learned. Give a longer log."
            )
        self._scale = horizon / length
        then = today - length
        orders, since = trade.orders(), trade.orders(then)
        known = orders > since
        before = trade.orders(then - length, then)[known]
        recency = (then - trade.last_day(then)[known], today - trade.last_day())
        self._levels = list(standing_bands((before, since), recency))
        if trade.peers is not None:
            group, groups = trade.peers
            cell = self._levels[-1]
            self._levels.append(
                Level(
                    cell.learned * groups + group[known],
                    cell.all * groups + group,
                    cell.size * groups,
                )
            )
        profit, late = trade.profit(), trade.profit(then)[known]
        mean = float(profit.sum()) / float(orders.sum())
        self._earns = mean > 0
        self._basket = np.maximum(_basket(profit, orders, mean), 0.0)
        then_basket = _basket(profit[known] - late, orders[known] - since[known], mean)
        self._baskets = late / np.maximum(then_basket, max(_LEAST_BASKET * mean, 1e-9))
        self._later = since[known].astype(np.float64)
        self._current = current

    def expected_orders(self) -> Floats:
        """Return how many orders look-alikes placed in a horizon, on average."""
        return nested_mean(self._later, self._levels) * self._scale

    def reach(self) -> tuple[Floats, NDArray[np.object_]]:
        """Return what the best half brought beyond what the customer is on course for.

        That is the lower of what it earns now and what look-alikes brought on average, at the
        customer's own basket.
        """
        half: list[Bools] = best_half(self._baskets, self._levels)
        if not self._earns:
            return np.zeros(self._basket.size), np.full(self._basket.size, "none", dtype=object)
        unit = self._basket * self._scale
        on_course = nested_mean(self._baskets, self._levels) * unit
        best = nested_mean(self._baskets, self._levels, half) * unit
        base = np.maximum(np.minimum(on_course, self._current), 0.0)
        more = nested_mean(self._later, self._levels, half) * unit - self.expected_orders() * (
            self._basket
        )
        lever = np.where(more * 2 >= best - on_course, "orders", "basket").astype(object)
        return np.maximum(best - base, 0.0), lever


def _basket(profit: Floats, orders: Ints, mean: float) -> Floats:
    """Return each customer's profit per order, drawn towards the mean of all orders."""
    return (profit + _PRIOR_ORDERS * mean) / (orders + _PRIOR_ORDERS)


@dataclass(frozen=True, slots=True)
class Judged:
    """How potential on a day foretold profit after it, beyond what profit until then foretold."""

    customers: int
    correlation: Estimate
    top_gain: Estimate
    verdict: str


def judge(values: Floats, current: Floats, later: Floats, confidence_level: float) -> Judged:
    """Compare potential with later profit among customers of equal current profit."""
    group = equal_groups(current)
    found = partial_rank_correlation(values, later, group, confidence_level)
    gain = top_gain(values, later, group, confidence_level)
    if found is None:
        nothing = type(gain)(np.nan, np.nan, np.nan)
        return Judged(values.size, nothing, nothing, "no: it follows from current value alone")
    if np.isnan(found.value):
        verdict = "no: too few customers, or none bought later"
    elif found.low > 0:
        verdict = "yes: of equal customers, those with more potential brought more later"
    elif found.high < 0:
        verdict = "no: of equal customers, those with more potential brought less later"
    else:
        verdict = "no: of equal customers, potential does not tell who brought more later"
    return Judged(values.size, found, gain, verdict)
