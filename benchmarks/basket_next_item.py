"""Next best products for a million customers: crmkit.basket.NextItem, fit, predict and evaluate.

The log is simulated: every customer has one of 50 tastes, takes half of the items from it and half
from the whole range, both by Zipf's law. Beside it implicit's item-item neighbours
(CosineRecommender) on the same customers and items: it takes a matrix, made before the clock
starts, and knows neither decay nor habits nor popularity, so that the offers differ.

CPU seconds; memory is the growth of the peak resident size.

Needs: implicit. Usage: basket_next_item.py [customers] [lines per customer] [products]
"""

import resource
import sys
import time

import numpy as np
import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from scipy import sparse

from crmkit import basket

N_TASTES = 50


def simulate(n_customers, lines_each, n_products, seed=0):
    """Return a log in which customers share tastes."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(lines_each, n_customers) + 1
    customer = np.repeat(np.arange(n_customers, dtype=np.int32), n)
    share = 1 / np.arange(1, n_products + 1)
    every = rng.choice(n_products, len(customer), p=share / share.sum()).astype(np.int32)
    share = 1 / np.arange(1, n_products // N_TASTES + 1)
    own = rng.choice(len(share), len(customer), p=share / share.sum()).astype(np.int32)
    own = own * N_TASTES + customer % N_TASTES  # each taste has frequent and rare items
    product = np.where(rng.random(len(customer)) < 0.5, own, every)
    day = rng.integers(0, 365, len(customer), dtype=np.int32)
    return pd.DataFrame(
        {
            "customer_id": customer,
            "date": np.datetime64("2025-01-01", "s") + day.astype("timedelta64[D]"),
            "product": product,
        }
    )


def timed(name, function):
    """Run, print CPU seconds and the growth of the peak memory, return the result."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    result = function()
    seconds = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    print(f"| {name} | {seconds:.0f} | {grown:.1f} |", flush=True)
    return result


def main():
    sizes = [int(value) for value in sys.argv[1:]]
    n_customers, lines_each, n_products = (*sizes, *(1_000_000, 12, 5_000)[len(sizes) :])
    log = simulate(n_customers, lines_each, n_products)
    print(f"{n_customers:,} customers, {len(log):,} lines, {n_products:,} products")
    print("| step | CPU s | GB more |\n|---|---|---|")
    model = timed("fit", lambda: basket.NextItem().fit(log))
    offers = timed("predict 10 each", lambda: model.predict(log, progress=True))
    print(f"{len(offers):,} offers")
    del offers
    verdict = timed("evaluate", lambda: model.evaluate(log, horizon_days=60, progress=True))
    print(verdict.pivot(index="measure", columns="recommender", values="estimate").round(4))
    matrix = sparse.csr_matrix(
        (np.ones(len(log), np.float32), (log["customer_id"], log["product"])),
        shape=(n_customers, n_products),
    )
    matrix.data[:] = 1.0
    peer = CosineRecommender(K=100, num_threads=1)
    print("implicit\n| step | CPU s | GB more |\n|---|---|---|")
    timed("fit", lambda: peer.fit(matrix, show_progress=False))
    timed("recommend 10 each", lambda: peer.recommend(np.arange(n_customers), matrix, N=10))


if __name__ == "__main__":
    main()
