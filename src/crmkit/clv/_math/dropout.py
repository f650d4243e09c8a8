"""Expectations over the dropout probability p of beta-geometric customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._math.smooth import smooth
from crmkit.clv._math.special import beta_rule

__all__ = ["Given", "Quadrature", "over_dropout"]

FloatArray = NDArray[np.float64]

_RULES = 512  # customers for whom the nodes are kept at a time
_CELLS = 16_384  # numbers of a block that fits the cache


class State(Protocol):
    """Kinds of customers given alive: Gamma(shape, rate) and Beta(a, b), arrays (n,)."""

    @property
    def shape(self) -> FloatArray: ...
    @property
    def rate(self) -> FloatArray: ...
    @property
    def a(self) -> FloatArray: ...
    @property
    def b(self) -> FloatArray: ...
    @property
    def group(self) -> NDArray[np.int64] | None: ...


@dataclass(frozen=True, slots=True)
class Quadrature:
    """Nodes p, 1 - p and weights of the customers of a block, (n, nodes); Gamma(n, A) as columns.

    ``shape`` and ``rate`` have shape (n, 1).
    """

    p: FloatArray
    q: FloatArray
    weight: FloatArray
    shape: FloatArray
    rate: FloatArray

    def mean(self, values: FloatArray) -> FloatArray:
        """Return the expectation of values at the nodes: (n, nodes) -> (n,)."""
        result: FloatArray = np.einsum("ij,ij->i", self.weight, values)
        return result


Given = Callable[[Quadrature], FloatArray]


def over_dropout(expectation: Given, state: State, *, cost: int) -> FloatArray:
    """Return an expectation over p ~ Beta(a, b) for all kinds of customers, shape (q, n).

    `expectation` takes it for the customers of a block, (m,) or (q, m); it is smooth in ln(rate).
    `cost` is the size of its temporaries per customer and node.
    """
    group = state.group
    if group is None:
        group = distinct_rows([state.a, state.b, state.shape])[1]

    def computed(rows: NDArray[np.int64], log_rate: FloatArray) -> FloatArray:
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
