"""What simulated customers buy: a catalogue, and the lines of every order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct, ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints

__all__ = ["draw_baskets", "draw_catalogue", "split_lines"]

_DEPARTMENTS = ["bakery", "coffee", "dairy", "fruit", "household", "kitchen", "pets", "snacks"]


def draw_catalogue(rng: np.random.Generator, n_products: int) -> pd.DataFrame:
    """Return products with prices, the most popular first, and disjoint bundles among them."""
    number = np.arange(n_products)
    department = np.array(_DEPARTMENTS, dtype=object)[number % len(_DEPARTMENTS)]
    width = len(str(number[-1] // len(_DEPARTMENTS) + 1))
    names = [
        f"{name} {code // len(_DEPARTMENTS) + 1:0{width}d}" for code, name in enumerate(department)
    ]
    price = np.round(3 * rng.lognormal(0.0, 0.6, n_products) + 0.5, 2)
    bundle = np.zeros(n_products, dtype=np.int64)
    n_bundles = max(2, n_products // 12)
    members = rng.permutation(np.arange(n_products // 8, n_products))  # not the best sellers
    members = members[: n_bundles * 5 // 2]
    bundle[members] = np.arange(len(members)) % n_bundles + 1
    return pd.DataFrame(
        {
            "product": names,
            "department": department.tolist(),
            "list_price": price,
            "unit_cost": np.round(price * rng.uniform(0.45, 0.8, n_products), 2),
            "true_bundle": bundle,
        }
    )


def draw_baskets(
    rng: np.random.Generator, n_orders: int, products: pd.DataFrame, bundle_share: float
) -> tuple[Ints, Ints]:
    """Return order and product of every line: popular products by chance, bundles on purpose."""
    n_products = len(products)
    popularity = 1 / np.arange(1, n_products + 1) ** 0.7
    single = np.repeat(np.arange(n_orders), 1 + rng.poisson(1.0, n_orders))
    chance = rng.choice(n_products, size=len(single), p=popularity / popularity.sum())

    bundle = products["true_bundle"].to_numpy()
    members = np.argsort(bundle, kind="stable")[np.count_nonzero(bundle == 0) :]
    sizes = np.bincount(bundle)[1:]
    starts = np.cumsum(sizes) - sizes
    order = np.flatnonzero(rng.random(n_orders) < bundle_share)
    chosen = rng.integers(len(sizes), size=len(order))
    count = sizes[chosen]
    bundled = members[ranges(starts[chosen], count)[1]]
    taken = rng.random(len(bundled)) < 0.85  # not everyone takes the whole bundle
    line = np.concatenate([single, np.repeat(order, count)[taken]])
    key = distinct(line * n_products + np.concatenate([chance, bundled[taken]]))
    order, product = np.divmod(key, n_products)
    return order, product


def split_lines(
    value: Floats,
    order: Ints,
    product: Ints,
    products: pd.DataFrame,
) -> dict[str, NDArray[Any]]:
    """Split the value of each order over its lines, in cents, near the list price per unit."""
    price = products["list_price"].to_numpy()[product]
    share = price / np.bincount(order, weights=price)[order]
    amount = np.maximum((value[order] * share).round(2), 0.01)
    quantity = np.maximum(np.rint(amount / price), 1).astype(np.int64)
    cost = (quantity * products["unit_cost"].to_numpy()[product]).round(2)
    return {"quantity": quantity, "amount": amount, "cost": cost}
