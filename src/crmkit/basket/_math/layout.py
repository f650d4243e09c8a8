"""Places of items in a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]


def circle(
    edges: NDArray[np.int64], strength: FloatArray, n_nodes: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Place nodes on the unit circle so that strongly joined ones are neighbours.

    The order follows the Fiedler vector of the graph [1]_, which keeps joined nodes close.

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

    References
    ----------
    .. [1] Fiedler, M. (1973). Algebraic connectivity of graphs. *Czechoslovak Mathematical Journal*
       23(98), 298-305.
    """
    joined = np.full((n_nodes, n_nodes), 1e-6)  # keeps the parts of the graph apart but connected
    np.add.at(joined, (edges[:, 0], edges[:, 1]), strength)
    np.add.at(joined, (edges[:, 1], edges[:, 0]), strength)
    np.fill_diagonal(joined, 0.0)
    laplacian = np.diag(joined.sum(axis=1)) - joined
    vector = np.linalg.eigh(laplacian)[1][:, min(1, n_nodes - 1)]
    largest = int(np.argmax(np.abs(vector).round(9)))
    vector = np.round(vector * np.sign(vector[largest]), 9)  # the sign of the vector is arbitrary
    turn = np.empty(n_nodes)
    turn[np.argsort(vector, kind="stable")] = np.arange(n_nodes) / n_nodes
    return np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn), 360 * turn
