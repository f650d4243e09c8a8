"""Customers of whom we know what they could buy and do not."""

import numpy as np
import pandas as pd


def white_space_world(seed, n=500, kinds=4, per_kind=10, days=360):
    """Return a log and, by customer id, the money a year that each leaves with others.

    Every customer is of one kind, whose goods it wants; it buys a part of them from us, as often
    as it comes, which has nothing to do with that part.
    """
    rng = np.random.default_rng(seed)
    price = rng.uniform(5, 50, kinds * per_kind)
    kind, rate = rng.integers(0, kinds, n), 1 + rng.gamma(1.5, 4, n)
    taken = rng.random((n, per_kind)) < rng.uniform(0.2, 0.95, (n, 1))
    taken[np.arange(n), rng.integers(0, per_kind, n)] = True
    parts = []
    for customer in range(n):
        goods = kind[customer] * per_kind + np.flatnonzero(taken[customer])
        for order, day in enumerate(rng.integers(0, days, max(rng.poisson(rate[customer]), 2))):
            some = goods[rng.random(goods.size) < 0.5]
            some = some if some.size else goods[:1]
            parts.append(
                pd.DataFrame({"customer_id": customer, "order_id": 1000 * customer + order,
                              "day": day, "product": some})
            )  # fmt: skip
    log = pd.concat(parts, ignore_index=True)
    log["date"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(log.pop("day"), unit="D")
    log["amount"] = np.round(price[log["product"]] * rng.lognormal(0, 0.2, len(log)), 2)
    open_goods = (~taken * price.reshape(kinds, per_kind)[kind]).sum(axis=1)
    people = pd.DataFrame({"customer_id": np.arange(n), "kind": kind})
    return log, pd.Series(rate * open_goods), people
