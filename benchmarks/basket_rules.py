"""Rules from given itemsets: crmkit.basket.association_rules beside mlxtend.association_rules.

Both get their own itemset frame, made before the clock starts, and return a frame of all rules with
their measures (crmkit adds Fisher's test, adjustment and redundancy). CPU seconds, best of some
repeats.

Needs: mlxtend. Usage: basket_rules.py FOLDER [repeats], FOLDER with groceries.parquet,
fimi_retail.parquet and fimi_mushroom.parquet (columns transaction_id and item).
"""

import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import association_rules

from crmkit import basket

CASES = [  # log, smallest count, smallest confidence
    ("groceries", 10, 0.3),
    ("groceries", 5, 0.1003),  # no rule on the edge, where mlxtend's rounding loses some
    ("fimi_retail", 45, 0.5),
    ("fimi_mushroom", 2437, 0.8),
]


def best_of(function, repeats):
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        best = min(best, time.process_time() - start)
    return best, len(result)


def main():
    folder, repeats = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print("| itemsets of | count | confidence | rules | crmkit | mlxtend | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, min_count, confidence in CASES:
        lines = pd.read_parquet(folder / f"{name}.parquet")
        log = pd.DataFrame(
            {
                "customer_id": lines["transaction_id"],
                "date": pd.Timestamp("2025-01-01"),
                "product": lines["item"],
            }
        )
        itemsets = basket.frequent_itemsets(log, min_support=min_count)
        theirs = pd.DataFrame(
            {"support": itemsets["support"], "itemsets": itemsets["itemset"].map(frozenset)}
        )
        ours = partial(
            basket.association_rules, itemsets, min_confidence=confidence, max_consequent=None
        )
        peers = partial(association_rules, theirs, metric="confidence", min_threshold=confidence)
        own, n_own = best_of(ours, repeats)
        other, n_other = best_of(peers, repeats)
        if n_own != n_other:
            sys.exit(f"{name}: {n_own} rules here, {n_other} there")
        print(
            f"| {name} | {min_count} | {confidence} | {n_own:,} | {own:.2f} | {other:.2f} | "
            f"{other / own:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
