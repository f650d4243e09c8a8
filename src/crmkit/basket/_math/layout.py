"""Places of items in a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


def circle(edges: Ints, strength: Floats, n_nodes: int) -> tuple[Floats, Floats, Floats]:
    """Place nodes on the unit circle so that strongly joined ones are neighbours.

    Starting from the node with the strongest edges, the next one is always that with the strongest
    edges to those just placed; ties go to the lower number.

    Parameters
    ----------
    edges : int64 array, shape (e, 2)
    strength : float array, shape (e,)
    n_nodes : int

    Returns
    -------
    x, y : float arrays, shape (n_nodes,)
    angle : float array, shape (n_nodes,)
        In degrees, from 0 to 360.
    """
    joined = np.zeros((n_nodes, n_nodes))
    np.add.at(joined, (edges[:, 0], edges[:, 1]), strength)
    np.add.at(joined, (edges[:, 1], edges[:, 0]), strength)
    total = joined.sum(axis=1)
    pull = np.zeros(n_nodes)
    free = np.ones(n_nodes, dtype=bool)
    turn = np.empty(n_nodes)
    for step in range(n_nodes):
        wanted = np.where(free, pull if pull[free].any() else total, -1.0)
        node = int(np.argmax(wanted.round(9)))
        turn[node] = step / n_nodes
        free[node] = False
        pull = pull / 2 + joined[node]  # what was placed long ago pulls less
    return np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn), 360 * turn
