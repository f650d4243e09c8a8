"""The exports of one shop by many systems, where they are at hand."""

import os
from pathlib import Path

import pytest

import crmkit
from crmkit.errors import InputError

FOLDER = os.environ.get("CRMKIT_EXPORTS")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="CRMKIT_EXPORTS names no folder")

WHOLE = (1398, 801, 60, 50_273.25)
TRUTH = {
    "amazon_all_orders.txt": (1330, 763, 60, 48_516.90),
    "nederlands.csv": WHOLE,
    "preamble.csv": WHOLE,
    "quoted_newlines.csv": WHOLE,
    "salesforce_report.csv": (612, 612, 60, 36_092.40),
    "shopify_orders_export.csv": (1371, 774, 60, 50_850.60),
    "stripe_payments.csv": (733, 733, 60, 45_304.20),
    "thousands.csv": WHOLE,
    "totals_dated.csv": WHOLE,
    "us_dates.csv": WHOLE,
    "utf16.txt": WHOLE,
    "woocommerce_orders.csv": (1371, 774, 60, 50_850.60),
}
ASKS = {
    "online_retail.csv": "missing_customers='drop'",
    "online_retail.xlsx": "missing_customers='drop'",
    "trap_future_typo.csv": "as_of='2025-06-29'",
    "trap_guest_id.csv": "guests='0'",
    "trap_whole_file_twice.csv": "duplicates='drop'",
}


@pytest.mark.parametrize("name", TRUTH)
def test_an_export_is_read_with_no_flags(name):
    log = crmkit.read_transactions(Path(FOLDER) / name)
    lines, orders, customers, money = TRUTH[name]
    assert len(log) == lines
    assert log["order_id"].nunique() == orders
    assert log["customer_id"].nunique() == customers
    assert log["amount"].sum() == pytest.approx(money, abs=0.005)
    assert str(log["date"].max().date()) == "2025-06-29"


@pytest.mark.parametrize("name", ASKS)
def test_an_export_with_a_trap_asks(name):
    if name.endswith(".xlsx"):
        pytest.importorskip("python_calamine")
    with pytest.raises(InputError, match=ASKS[name]):
        crmkit.read_transactions(Path(FOLDER) / name)
