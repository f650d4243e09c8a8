"""Small logs and brute-force answers."""

from itertools import chain, combinations

import pandas as pd
from hypothesis import strategies as st


def log_of(baskets):
    """Return a log with one order, of one customer, per list of items."""
    lines = [(number, item) for number, items in enumerate(baskets) for item in items]
    return pd.DataFrame(
        {
            "customer_id": [number for number, _ in lines],
            "date": pd.Timestamp("2025-06-30"),
            "product": pd.Series([item for _, item in lines], dtype=object),
        }
    )


def brute_force(baskets, min_count, max_length=None):
    """Count every subset of every basket."""
    counts = {}
    for items in baskets:
        distinct = sorted(set(items))
        longest = len(distinct) if max_length is None else min(max_length, len(distinct))
        subsets = (combinations(distinct, k) for k in range(1, longest + 1))
        for subset in chain.from_iterable(subsets):
            counts[subset] = counts.get(subset, 0) + 1
    return {subset: count for subset, count in counts.items() if count >= min_count}


def baskets_of(n_items=8, max_orders=25):
    """Return lists of non-empty baskets, with repeats inside them."""
    items = st.integers(0, n_items - 1).map(lambda i: f"item {i}")
    return st.lists(st.lists(items, min_size=1, max_size=9), min_size=1, max_size=max_orders)
