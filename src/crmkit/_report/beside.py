"""The tables beside the log: read once, matched with it by id, and who met nobody counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._frames import read_customers, rows_of, to_pandas, without

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["UNMATCHED", "take_tables"]

# What each number of the account says on the page.
UNMATCHED = {
    "customers_unmatched": "customers of the customer table are not in the log",
    "transactions_unmatched": "customers of the log are not in the customer table",
    "products_unmatched": "products of the log are not in the list of products",
    "campaigns_unmatched": "customers who were mailed are not in the log",
    "redemptions_unmatched": "customers who redeemed were not mailed",
    "redeemed_campaigns_unmatched": "campaigns that were redeemed were sent to nobody",
}
_MAILING = ["customer_id", "campaign_id"]


def take_tables(
    story: Story, *, customers: Any, products: Any, campaigns: Any, redemptions: Any
) -> None:
    """Read the tables that are there; ids and products are written as the log writes them."""
    account = story.account
    if customers is not None:
        frame, ids = read_customers(customers), story.log.ids()
        story.customers, row = _aligned(frame, ids, "customers", "transactions", account)
        account["transactions_unmatched"] = without(row, len(ids))
    if products is not None:
        products = to_pandas(products, "products", needs=["product"])
    if products is not None and story.has("product"):
        sold = story.facts.products
        row = rows_of(
            sold,
            products["product"],
            name="transactions",
            other="products",
            account=account,
            key="products_unmatched",
            what="product",
        )
        known = row >= 0
        story.products = products.iloc[row[known]].assign(product=sold[known].to_numpy())
    mailed, redeemed = _mailings(campaigns, "campaigns"), _mailings(redemptions, "redemptions")
    if mailed is not None and redeemed is not None:
        mailed, _ = _aligned(mailed, story.log.ids(), "campaigns", "transactions", account)
        received = pd.Series(mailed["customer_id"].unique())
        redeemed, _ = _aligned(redeemed, received, "redemptions", "campaigns", account)
        rows_of(
            redeemed["campaign_id"].unique(),
            mailed["campaign_id"].unique(),
            name="redemptions",
            other="campaigns",
            account=account,
            key="redeemed_campaigns_unmatched",
            what="campaign_id",
        )
        story.campaigns, story.redemptions = mailed, redeemed


def _mailings(table: Any, name: str) -> pd.DataFrame | None:
    """Read who was mailed, or who redeemed, each campaign once; None where there is no table."""
    if table is None:
        return None
    frame = read_customers(table, needs=["campaign_id"], name=name, unique=False)
    return frame.drop_duplicates(_MAILING, ignore_index=True)


def _aligned(
    frame: pd.DataFrame, theirs: pd.Series[Any], name: str, other: str, account: dict[str, Any]
) -> tuple[pd.DataFrame, Any]:
    """Write ids as another table does, as far as it has them; return their rows there, too."""
    row = rows_of(frame["customer_id"], theirs, name=name, other=other, account=account)
    ids = frame["customer_id"].astype(object).to_numpy(copy=True)
    ids[row >= 0] = theirs.astype(object).to_numpy()[row[row >= 0]]
    return frame.assign(customer_id=pd.Series(ids).infer_objects()), row
