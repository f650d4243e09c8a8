"""The next basket: crmkit.basket.NextItem beside TIFU-KNN and a household's own favourites.

Products of the Complete Journey that 60 households bought or more. Each method sees all orders up
to a day and offers ten items; a hit is one that the household's next order, within 30 days, holds.
TIFU-KNN (Hu, He, Zhang and Gao 2020) is written out here: personal frequencies that decay within
and between groups of baskets, mixed with the mean of the nearest households. Three settings like
those of the paper are shown, so that its best is chosen on the days that are scored, an advantage
that crmkit does not have.

Usage: basket_next_basket.py
"""

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit import basket, datasets

SETTINGS = ((900, 3, 0.9, 0.6, 0.2), (900, 3, 0.9, 0.6, 0.7), (300, 7, 0.9, 0.7, 0.7))


def tifu_knn(past, n_near, n_groups, within, between, own, n_items=10):
    """Return ten items per household."""
    orders = past.drop_duplicates("order_id").sort_values(["customer_id", "date", "order_id"])
    owner = orders["customer_id"]
    size = orders.groupby("customer_id")["order_id"].transform("size")
    groups = np.minimum(n_groups, size)
    group = orders.groupby("customer_id").cumcount() * groups // size
    each = [owner, group.rename("group")]
    age = orders.groupby(each).cumcount(ascending=False)
    in_group = orders.groupby(each)["order_id"].transform("size")
    weight = within**age / in_group * between ** (groups - 1 - group) / groups
    lines = past.drop_duplicates(["order_id", "product"])
    who, households = pd.factorize(lines["customer_id"], sort=True)
    what, items = pd.factorize(lines["product"], sort=True)
    value = lines["order_id"].map(pd.Series(weight.to_numpy(), orders["order_id"])).to_numpy()
    taste = sparse.csr_array((value, (who, what))).toarray()
    square = (taste**2).sum(axis=1)
    distance = square[:, None] + square - 2 * taste @ taste.T
    np.fill_diagonal(distance, np.inf)
    near = np.argpartition(distance, n_near, axis=1)[:, :n_near]
    score = own * taste + (1 - own) * np.stack([taste[rows].mean(axis=0) for rows in near])
    best = np.argsort(-score, axis=1, kind="stable")[:, :n_items]
    return pd.DataFrame(
        {"customer_id": np.repeat(households, n_items), "item": items[best.ravel()]}
    )


def favourites(past):
    """Return the items that a household bought in most orders."""
    bought = past.drop_duplicates(["customer_id", "product", "order_id"])
    count = bought.groupby(["customer_id", "product"]).size().rename("n").reset_index()
    count = count.sort_values(["customer_id", "n"], ascending=[True, False], kind="stable")
    return count.groupby("customer_id").head(10).rename(columns={"product": "item"})


def next_item(past):
    """Return what crmkit offers."""
    return basket.NextItem().fit(past).predict(past, exclude_owned=False)


def main():
    log = datasets.load_complete_journey()["transactions"].query("quantity > 0")
    log = log[log.groupby("product")["customer_id"].transform("nunique") >= 60]
    day = pd.to_datetime(log["date"]).dt.normalize()
    methods = {"own favourites": favourites, "crmkit": next_item}
    for setting in SETTINGS:
        methods[f"TIFU-KNN {setting}"] = lambda past, setting=setting: tifu_knn(past, *setting)
    print("| days before the end | method | households | hit |\n|---|---|---|---|")
    for back in (30, 60):
        split = day.max() - pd.Timedelta(days=back)
        past, later = log[day <= split], log[(day > split) & (day <= split + pd.Timedelta(days=30))]
        later = later[later["customer_id"].isin(past["customer_id"])]
        first = later.sort_values(["date", "order_id"]).drop_duplicates("customer_id")["order_id"]
        wanted = later[later["order_id"].isin(first)].groupby("customer_id")["product"].agg(set)
        for name, method in methods.items():
            offers = method(past).groupby("customer_id")["item"].agg(set).reindex(wanted.index)
            hits = [bool(a & b) for a, b in zip(offers, wanted, strict=True)]
            print(f"| {back} | {name} | {len(hits):,} | {np.mean(hits):.4f} |", flush=True)


if __name__ == "__main__":
    main()
