"""What a customer could earn us beyond what it earns now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, check_number, number_array
from crmkit._frames import read_customers, rows_of, with_account, without
from crmkit._periods import day_text
from crmkit.errors import InputError
from crmkit.segmentation._table.outlook import (
    Method,
    Offers,
    Outlook,
    available,
    judge,
)
from crmkit.segmentation._table.trade import read_trade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.segmentation._table.outlook import Judged
    from crmkit.segmentation._table.trade import Trade

__all__ = ["backtests", "check_method", "potential_table"]

Choice = Literal["auto", "reach", "white_space", "wallet"]
_ERROR = 0.05  # of the intervals by which a method is chosen, all together


def potential_table(
    transactions: Any,
    *,
    method: Choice = "auto",
    category: str | None = None,
    customers: Any = None,
    by: str | Sequence[str] | None = None,
    wallet: str | None = None,
    chances: Any = None,
    margin: float | None = None,
    horizon_days: int = 90,
    as_of: Any = None,
) -> pd.DataFrame:
    """Say what each customer could earn us in a horizon beyond what it earns now, and by what.

    Parameters
    ----------
    transactions : DataFrame
        The log, with ``customer_id``, ``date`` and ``amount``; ``order_id``, ``product`` and
        ``cost`` are used where they are there. All of it counts: leave out years that no longer
        tell.
    method : {"auto", "reach", "white_space", "wallet"}, default "auto"
        ``reach``: what the best half of look-alikes went on to bring, at the customer's own
        basket, beyond what it is on course for. Look-alikes had placed as many orders in a
        horizon and been silent as long, a horizon ago. ``white_space``: categories that its
        peers buy and it does not: the share of peers who buy each x its profit per order of
        those who do x the orders expected of the customer. ``wallet``: the part of a known
        wallet that it spends elsewhere. ``auto`` takes the one that foretold best on the log's
        own last horizon, as :func:`potential_backtest` judges.
    category : str, optional
        Column of `transactions` that says what kind of thing was bought, for ``white_space``.
        The default is ``product``. Of more than 1,000 kinds, without `chances`, the most bought
        are looked at.
    customers : DataFrame, optional
        One row per customer of the log, with the columns that `by` and `wallet` name.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own.
        Customers of a group, such as a trade or a household, are peers. Numbers with more than
        ten values are taken in five groups of about equal size. For ``reach``, look-alikes are
        then those of the same group. The default for ``white_space`` is peers who buy what the
        customer buys, whatever it spends.
    wallet : str, optional
        Column of `customers` with all that a customer spends on such goods in `horizon_days`,
        with us and elsewhere, above 0: from a survey, or estimated from income and household.
    chances : DataFrame, optional
        Chances that a customer buys a category if it is offered, in place of the share of peers,
        for ``method="white_space"``: ``customer_id``, ``item`` (the category) and ``score``, at
        least 0, as of :meth:`crmkit.basket.NextItem.predict`. Scores of which some are above 1 are
        divided by the largest, and the account says so. What is not listed has none, what the
        customer buys already does not count.
    margin : float, optional
        Share of amounts that is profit, for a log without ``cost``. Without both, profit is
        the amount.
    horizon_days : int, default 90
        Days after `as_of` that potential is about.
    as_of : str or datetime-like, optional
        Last day observed, inclusive. The default is the last date in `transactions`.

    Returns
    -------
    pandas.DataFrame
        One row per customer with a purchase, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``method`` (str) - by which method; the same in all rows.
        * ``current`` (float) - profit per `horizon_days`, on average over the log.
        * ``potential`` (float) - profit that the horizon could bring beyond that, at least 0.
        * ``lever`` (str) - what most of it would come from: ``orders`` or ``basket``, the
          category, ``share of wallet``, or ``none`` where there is no potential.
        * ``share_of_wallet`` (float) - spend / wallet; above 1 the wallet was underestimated; only
          with ``method="wallet"``.

        ``attrs["account"]`` has, for ``auto``, the back-test of the method taken: its
        ``backtest_estimate``, and a ``backtest_verdict`` that allows for the choice.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value cannot be used, the log is too short to learn from, or a method lacks what it
        needs.

    See Also
    --------
    potential_backtest : Whether potential foretold growth, for each method.
    value_matrix : Current value against potential.

    Notes
    -----
    Peers are never told by what they spend, so potential is no mirror of current value: heavy
    buyers have some, too. It is what could be won, not what will come: the best half of
    look-alikes is half of them. Means of few look-alikes are drawn towards those of more (10
    customers' worth), baskets of few orders towards the mean one (2 orders' worth).

    References
    ----------
    .. [1] Kumar, V. and Reinartz, W. (2018). *Customer Relationship Management*, 3rd ed.
       Springer, on size of wallet and share of wallet.
    .. [2] Sarwar, B., Karypis, G., Konstan, J. and Riedl, J. (2001). Item-based collaborative
       filtering recommendation algorithms. *WWW 10*, 285-295, on peers by what they buy.

    Examples
    --------
    >>> from crmkit import datasets
    >>> log = datasets.make_transactions(500, random_state=0)["transactions"]
    >>> table = potential_table(log, method="reach")
    >>> list(table.columns)
    ['customer_id', 'method', 'current', 'potential', 'lever']
    >>> bool((table["potential"] >= 0).all())
    True
    """
    check_choice(method, "method", Choice)
    horizon = check_number(horizon_days, "horizon_days")
    trade, account = read_trade(
        transactions,
        category=category,
        customers=customers,
        by=by,
        wallet=wallet,
        margin=margin,
        as_of=as_of,
        all_categories=chances is not None,
    )
    offers = None
    if chances is not None:
        if method != "white_space":
            raise InputError(
                "`chances` are for method='white_space'; those of one day cannot be back-tested "
                f"on an earlier one. Got method={method!r}."
            )
        offers = _read_chances(chances, trade, account)
    if method == "auto":
        chosen = _best(trade, horizon, account)
    else:
        check_method(method, trade)
        chosen = method
    outlook = Outlook(trade, horizon)
    values, lever = outlook.potential(chosen, offers)
    account["method"] = chosen
    table = pd.DataFrame(
        {
            "customer_id": trade.log.customer_ids,
            "method": pd.Series([chosen] * trade.n).astype(str),
            "current": outlook.current,
            "potential": values,
            "lever": pd.Series(lever).astype(str),
        }
    )
    if chosen == "wallet" and trade.wallet is not None:
        table["share_of_wallet"] = outlook.spend / trade.wallet
    table.attrs["as_of"] = day_text(trade.log.as_of)
    return with_account(table, account)


def check_method(method: Method, trade: Trade) -> None:
    """Say what a method lacks."""
    if method == "white_space":
        if trade.category is None:
            raise InputError(
                "`category`: `transactions` has no column 'product' with values, so "
                "method='white_space' does not know what was bought. Name the column of categories."
            )
    elif method == "wallet" and trade.wallet is None:
        raise InputError(
            "`wallet` is needed for method='wallet': the column of `customers` with all that a "
            "customer spends on such goods."
        )


def backtests(
    trade: Trade, day: int, horizon: int, methods: Sequence[Method], confidence_level: float
) -> tuple[Outlook, Floats, dict[str, Judged]]:
    """Return the outlook on a day, the profit of the horizon after it, and how each told that."""
    past = Outlook(trade.until(day), horizon)
    later = trade.profit(day, day + horizon)[past.trade.place]
    return (
        past,
        later,
        {
            method: judge(past.potential(method)[0], past.current, later, confidence_level)
            for method in methods
        },
    )


def _best(trade: Trade, horizon: int, account: dict[str, Any]) -> Method:
    """Return the method that foretold best on the log's own last days; the first if none can."""
    methods = available(trade)
    length = min(horizon, (trade.days - 1) // 2)
    level = 1 - _ERROR / len(methods)
    try:
        *_, judged = backtests(trade, trade.log.as_of - length, length, methods, level)
    except InputError:
        account["backtest_verdict"] = "no: the log is too short to be divided"
        return methods[0]
    known = {name: found for name, found in judged.items() if found.correlation.value > -1}
    best = max(known, key=lambda name: known[name].correlation.value, default=methods[0])
    account["backtest_days"] = length
    account["backtest_verdict"] = judged[best].verdict
    account["backtest_estimate"] = judged[best].correlation.value
    return next(method for method in methods if method == best)


def _read_chances(chances: Any, trade: Trade, account: dict[str, Any]) -> Offers:
    """Return chances by code of customer and category."""
    if trade.category is None:
        check_method("white_space", trade)
    frame = read_customers(
        chances, needs=("item", "score"), optional=(), name="chances", unique=False
    )
    problems = Problems("chances")
    chance = number_array(frame["score"], problems, "score", low=0)
    problems.raise_if_any()
    if (largest := float(chance.max())) > 1:
        chance = chance / largest
        account["scores_divided_by"] = largest
    customer = rows_of(
        frame["customer_id"],
        trade.log.customer_ids,
        name="chances",
        other="transactions",
        account=account,
    )
    category = rows_of(
        frame["item"],
        trade.categories,
        name="chances",
        other="transactions",
        account=account,
        key="items_unmatched",
        what="item",
    )
    account["customers_without_chances"] = without(customer, trade.n)
    met = (customer >= 0) & (category >= 0)
    key = customer[met] * len(trade.categories) + category[met]
    if np.unique(key).size < key.size:
        raise InputError("`chances` has several rows for one customer and item. Keep one.")
    return Offers(customer[met], category[met], chance[met])
