"""Online Retail (UCI, Chen 2015): what its 22,190 invoices with a customer are.

Counted from the raw table: numbers that begin with C are cancellations, 3,654 of the 22,190. They
are no orders, whoever counts; 33 of the 4,372 customers have nothing else.
"""

import pandas as pd
import pytest

import crmkit
from crmkit import basket, churn, clv, segmentation


@pytest.fixture(scope="module")
def raw(reference_data):
    frame = pd.read_parquet(reference_data / "online_retail.parquet")
    frame["StockCode"] = frame["StockCode"].astype(str)
    frame["InvoiceNo"] = frame["InvoiceNo"].astype(str)
    return frame.assign(paid=(frame["Quantity"] * frame["UnitPrice"]).round(2))


@pytest.fixture(scope="module")
def log(raw):
    return crmkit.as_transactions(
        raw,
        customer_id="CustomerID",
        date="InvoiceDate",
        amount="paid",
        order_id="InvoiceNo",
        product="StockCode",
        quantity="Quantity",
        missing_customers="drop",
    )


def test_cancellations_are_no_orders(raw, log):
    known = raw[raw["CustomerID"].notna()]
    sold = known[~known["InvoiceNo"].str.startswith("C")]
    assert known["InvoiceNo"].nunique() == 22_190
    assert sold["InvoiceNo"].nunique() == 18_536
    rfm = segmentation.rfm_table(log)
    assert rfm["frequency"].sum() == 18_536
    assert len(rfm) == sold["CustomerID"].nunique() == 4_339
    account = rfm.attrs["account"]
    assert account["customers_without_purchase"] == 33
    money = rfm["total_amount"].sum() + account["amount_without_purchase"]
    assert money == pytest.approx(known["paid"].sum())
    last = pd.to_datetime(sold.groupby("CustomerID")["InvoiceDate"].max()).dt.normalize()
    assert rfm["last_date"].tolist() == last.tolist()
    sets = basket.frequent_itemsets(log, min_support=0.02, max_length=2)
    assert (sets["count"] / sets["support"]).round().unique().tolist() == [18_536]
    assert (basket.item_pairs(log, min_support=0.01)["count"] <= 18_536).all()


def test_all_rooms_agree_on_who_bought_when(log):
    rfm = segmentation.rfm_table(log, frequency="days").set_index("customer_id")
    days = clv.purchase_table(log).set_index("customer_id")["frequency"] + 1
    features = churn.churn_table(log).set_index("customer_id")
    states = churn.lifecycle_table(log).set_index("customer_id")
    for counted in (days, features["purchase_days"], states["purchase_days"]):
        pd.testing.assert_series_equal(rfm["frequency"], counted, check_names=False)
    for silent in (features["recency_days"], states["recency_days"]):
        pd.testing.assert_series_equal(rfm["recency_days"], silent, check_names=False)


def test_the_same_log_without_its_cancellations_has_the_same_customers(log):
    sold = log[log["amount"] >= 0]
    as_of = log["date"].max()
    for function in (churn.cohort_table, churn.retention_table, churn.gap_table):
        whole, part = function(log, as_of=as_of), function(sold, as_of=as_of)
        counts = [
            name for name in whole if not name.startswith(("amount", "revenue", "net_", "gross_"))
        ]
        pd.testing.assert_frame_equal(whole[counts], part[counts])
    states = [churn.lifecycle_table(table, as_of=as_of) for table in (log, sold)]
    pd.testing.assert_frame_equal(*states)
