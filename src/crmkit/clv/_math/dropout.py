"""Expectations over the dropout probability p of beta-geometric customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from crmkit._typing import Floats, Ints
from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._math.smooth import smooth
from crmkit.clv._math.special import beta_rule

__all__ = ["Given", "Quadrature", "over_dropout"]


_RULES = 512  # customers for whom the nodes are kept at a time
_CELLS = 16_384  # numbers of a block that fits the cache


class State(Protocol):
    """Kinds of customers given alive: Gamma(shape, rate) and Beta(a, b), arrays (n,)."""

    @property
    def shape(self) -> Floats: ...
    @property
    def rate(self) -> Floats: ...
    @property
    def a(self) -> Floats: ...
    @property
    def b(self) -> Floats: ...
    @property
    def group(self) -> Ints | None: ...


@dataclass(frozen=True, slots=True)
class Quadrature:
    """Nodes p, 1 - p and weights of the customers of a block, (n, nodes); Gamma(n, A) as columns.

    ``shape`` and ``rate`` have shape (n, 1).
    """

    p: Floats
    q: Floats
    weight: Floats
    shape: Floats
    rate: Floats

    def mean(self, values: Floats) -> Floats:
        """Return the expectation of values at the nodes: (n, nodes) -> (n,)."""
        result: Floats = np.einsum("ij,ij->i", self.weight, values)
        return result


Given = Callable[[Quadrature], Floats]


def over_dropout(expectation: Given, state: State, *, cost: int) -> Floats:
    """Return an expectation over p ~ Beta(a, b) for all kinds of customers, shape (q, n).

    `expectation` takes it for the customers of a block, (m,) or (q, m); it is smooth in ln(rate).
    `cost` is the size of its temporaries per customer and node.
    """
    group = state.group
    if group is None:
        group = distinct_rows([state.a, state.b, state.shape])[1]

    def computed(rows: Ints, log_rate: Floats) -> Floats:
        order = np.argsort(group[rows], kind="stable")
        parts = [np.empty((1, 0))]
        for start in range(0, rows.size, _RULES):
            block = order[start : start + _RULES]
            _, first, position = np.unique(
                group[rows[block]], return_index=True, return_inverse=True
            )
            one = rows[block][first]
            p, q, weight = beta_rule(state.a[one], state.b[one])
            step = max(1, _CELLS // (cost * p.shape[1]))
            for begin in range(0, block.size, step):
                now, which = block[begin : begin + step], position[begin : begin + step]
                nodes = Quadrature(
                    p[which],
                    q[which],
                    weight[which],
                    state.shape[rows[now], None],
                    np.exp(log_rate[now])[:, None],
                )
                parts.append(np.atleast_2d(expectation(nodes)))
        found = np.concatenate(parts[1:] or parts, axis=1)
        result = np.empty_like(found)
        result[:, order] = found
        return result

    return smooth(computed, group, np.log(state.rate))
