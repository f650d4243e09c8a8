"""A shop simulated from the purchase and spend models, with its truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import check_mapping
from crmkit._checks import check_choice, check_number, listed, quoted, random_generator
from crmkit._frames import day_column, parse_day
from crmkit.datasets._baskets import draw_baskets, draw_catalogue, split_lines
from crmkit.datasets._histories import Histories, draw_histories, order_days
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit._typing import Floats

__all__ = ["make_transactions"]

ShopModel = Literal["bgnbd", "paretonbd"]
_PURCHASES: dict[ShopModel, dict[str, float]] = {
    "bgnbd": {"r": 0.8, "alpha": 60.0, "a": 0.8, "b": 3.0},
    "paretonbd": {"r": 0.8, "alpha": 60.0, "s": 0.6, "beta": 120.0},
}
_SPEND = {"p": 6.0, "q": 4.0, "v": 15.0}
_CHANNELS = {  # share of customers, mean acquisition cost; from the most to the least loyal
    "referral": (0.15, 4.0),
    "shop": (0.30, 6.0),
    "search": (0.30, 12.0),
    "social": (0.25, 9.0),
}
_REGIONS = ["east", "north", "south", "west"]


def make_transactions(
    n_customers: int = 1000,
    *,
    random_state: int | None = None,
    start_date: Any = "2024-01-01",
    n_days: int = 730,
    acquisition_days: int = 180,
    purchase_model: ShopModel = "bgnbd",
    purchase_parameters: Mapping[str, float] | None = None,
    spend_parameters: Mapping[str, float] | None = None,
    n_products: int = 64,
    bundle_share: float = 0.3,
    refund_share: float = 0.0,
) -> dict[str, pd.DataFrame]:
    """Simulate a shop whose customers follow the purchase and spend models exactly.

    Each customer makes a first purchase on a random day of the first `acquisition_days` and then
    buys and leaves as `purchase_model` says, in days. The value of an order follows the
    gamma-gamma model. Its lines share it; some orders contain a bundle of products that belong
    together, so that there is something for basket analysis to find.

    Parameters
    ----------
    n_customers : int, default 1000
        Number of customers.
    random_state : int, optional
        Seed of the draw; the same seed gives the same.
    start_date : date-like, default "2024-01-01"
        First day of the log.
    n_days : int, default 730
        Length of the log in days.
    acquisition_days : int, default 180
        First purchases are spread evenly over this many days.
    purchase_model : {"bgnbd", "paretonbd"}
        How customers buy and leave.
    purchase_parameters : mapping, optional
        Replaces parameters of the purchase model, per day: ``r, alpha, a, b`` (default 0.8, 60,
        0.8, 3) or ``r, alpha, s, beta`` (default 0.8, 60, 0.6, 120).
    spend_parameters : mapping, optional
        Replaces parameters of the gamma-gamma model: ``p, q, v`` (default 6, 4, 15, a mean of 30
        per order).
    n_products : int, default 64
        Number of products.
    bundle_share : float, default 0.3
        Share of orders that contain one of the planted bundles.
    refund_share : float, default 0
        Share of order lines that are returned up to 14 days later; a return is a row of its own
        with negative amount, quantity and cost and a new order id.

    Returns
    -------
    dict of pandas.DataFrame
        ``transactions``: one row per order line, by date. ``customer_id``, ``order_id``, ``date``
        (whole days), ``product``, ``quantity``, ``amount``, ``cost``.

        ``customers``: ``customer_id``, ``channel`` (loyal customers come more often by referral),
        ``region``, ``age`` (rises a little with spend), ``consent`` (bool: may be contacted),
        ``acquisition_cost``, ``service_calls``, and the truth: ``true_purchase_rate`` (purchases
        per day while a customer), ``true_dropout`` (probability to leave after a repeat purchase
        for "bgnbd", rate of leaving per day for "paretonbd"), ``true_alive`` (bool: still a
        customer after the last day), ``true_mean_amount`` (expected value of an order).

        ``products``: ``product``, ``department``, ``list_price``, ``unit_cost`` and
        ``true_bundle`` (number of the planted bundle, 0 for none).

    Raises
    ------
    InputError
        If an argument is out of range or a parameter is unknown.

    Notes
    -----
    Two purchases of a customer on one day are one order, and a purchase at time t after the first
    falls on the day t ends in, so rates measured in whole days are a little lower than simulated.
    A return is left out where it would fall after the log ends.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the easy
       way: an alternative to the Pareto/NBD model. *Marketing Science* 24(2), 275-284.
    .. [2] Schmittlein, D. C., Morrison, D. G. and Colombo, R. (1987). Counting your customers: who
       are they and what will they do next? *Management Science* 33(1), 1-24.
    .. [3] Fader, P. S. and Hardie, B. G. S. (2013). The gamma-gamma model of monetary value.
       http://www.brucehardie.com/notes/025/

    Examples
    --------
    >>> from crmkit import datasets
    >>> shop = datasets.make_transactions(500, random_state=1)
    >>> shop["transactions"]["customer_id"].nunique()
    500
    """
    n_customers = check_number(n_customers, "n_customers")
    n_days = check_number(n_days, "n_days")
    acquisition_days = check_number(acquisition_days, "acquisition_days", high=n_days)
    n_products = check_number(n_products, "n_products")
    bundle_share = check_number(bundle_share, "bundle_share")
    refund_share = check_number(refund_share, "refund_share")
    check_choice(purchase_model, "purchase_model", ShopModel)
    purchase = _parameters(_PURCHASES[purchase_model], purchase_parameters, "purchase_parameters")
    spend = _parameters(_SPEND, spend_parameters, "spend_parameters")
    first_day = parse_day(start_date, "start_date")

    rng = random_generator(random_state)
    first = rng.integers(acquisition_days, size=n_customers)
    history = draw_histories(rng, purchase_model, purchase, last=n_days - 1 - first)
    customer, day = order_days(first, history)
    p, q, v = spend["p"], spend["q"], spend["v"]
    scale = rng.gamma(q, 1 / v, n_customers)  # nu of the gamma-gamma model
    value = np.maximum(rng.gamma(p, 1 / scale[customer]).round(2), 0.01)

    products = draw_catalogue(rng, n_products)
    order, product = draw_baskets(rng, len(customer), products, bundle_share)
    lines = split_lines(value, order, product, products)
    log = pd.DataFrame(
        {
            "customer_id": customer[order] + 1,
            "order_id": order + 1,
            "date": day[order],
            "product": products["product"].take(product).array,
            **lines,
        }
    )
    if refund_share:
        log = _with_refunds(rng, log, refund_share, n_days)
    log["date"] = day_column(log["date"].to_numpy() + first_day)
    customers = _traits(rng, history, p / scale)
    return {"transactions": log, "customers": customers, "products": products}


def _parameters(
    default: dict[str, float], given: Mapping[str, float] | None, name: str
) -> dict[str, float]:
    """Return the default parameters with the given ones in their place."""
    given = {} if given is None else check_mapping(given, name, "parameters to numbers")
    unknown = [key for key in given if key not in default]
    if unknown:
        raise InputError(
            f"`{name}` has unknown parameter(s) {listed(unknown)}; known: {list(default)}."
        )
    checked = {key: check_number(value, f"{name}[{quoted(key)}]") for key, value in given.items()}
    return default | checked


def _with_refunds(
    rng: np.random.Generator, log: pd.DataFrame, refund_share: float, n_days: int
) -> pd.DataFrame:
    """Return the log with some lines returned up to two weeks later."""
    back = log[rng.random(len(log)) < refund_share].copy()
    back["date"] += rng.integers(1, 15, len(back))
    back = back[back["date"] < n_days]
    back[["quantity", "amount", "cost"]] *= -1
    back["order_id"] = log["order_id"].max() + 1 + np.arange(len(back))
    both = pd.concat([log, back], ignore_index=True)
    return both.sort_values(["date", "order_id", "product"], ignore_index=True)


def _traits(rng: np.random.Generator, history: Histories, mean_amount: Floats) -> pd.DataFrame:
    """Return what is known of each customer, and the truth."""
    n = len(mean_amount)
    loyal_rank = np.argsort(np.argsort(history.dropout)) / n
    noisy = loyal_rank + rng.normal(0.0, 0.4, n)
    shares = np.cumsum([share for share, _ in _CHANNELS.values()])[:-1]
    channel = np.searchsorted(np.quantile(noisy, shares), noisy)
    spend_rank = np.argsort(np.argsort(mean_amount)) / n
    age = np.clip(np.rint(36 + 16 * spend_rank + rng.normal(0, 12, n)), 18, 90)
    cost = np.array([mean for _, mean in _CHANNELS.values()])[channel]
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "channel": pd.Series(list(_CHANNELS)).take(channel).array,
            "region": pd.Series(_REGIONS).take(rng.integers(len(_REGIONS), size=n)).array,
            "age": age.astype(np.int64),
            "consent": rng.random(n) < 0.7,
            "acquisition_cost": (cost * rng.gamma(4.0, 0.25, n)).round(2),
            "service_calls": rng.negative_binomial(0.5, 0.25, n),
            "true_purchase_rate": history.rate,
            "true_dropout": history.dropout,
            "true_alive": history.alive,
            "true_mean_amount": mean_amount,
        }
    )
