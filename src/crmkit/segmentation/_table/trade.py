"""A log as potential needs it: rows with profit and category, and it again as of an earlier day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column
from crmkit._arrays import rank_bins, starts
from crmkit._checks import Problems, check_optional, number_array
from crmkit._frames import (
    ROWWISE,
    customer_columns,
    group_codes,
    read_by,
    sorted_codes,
    table_columns,
)
from crmkit._log import distinct_per_group, first_and_last, read_log
from crmkit._money import decimal_sums
from crmkit.errors import InputError
from crmkit.segmentation._math import Pairs

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Trade", "read_trade"]

_MOST_CATEGORIES = 1000
_GROUPS_OF_NUMBERS = 5
_ENOUGH_NUMBERS = 10


@dataclass(frozen=True, slots=True)
class Trade:
    """The purchases and refunds of all who bought something up to a day, as arrays.

    ``bought``, ``money`` (profit) and ``category`` (-1 where unknown; None without categories)
    belong to the rows of ``log``; ``place`` (which customer of the whole log each one is),
    ``group`` and ``wallet`` to its customers, n of them. ``profit_share`` is profit per money.
    """

    log: Log
    bought: Bools
    money: Floats
    profit_share: float
    place: Ints
    first_day: int
    category: Ints | None
    categories: pd.Index[Any]
    group: Ints | None
    wallet: Floats | None

    @property
    def n(self) -> int:
        """Return the number of customers."""
        return self.log.n_customers

    @property
    def days(self) -> int:
        """Return how many days the log covers, from the first purchase on."""
        return self.log.as_of - self.first_day + 1

    @property
    def peers(self) -> tuple[Ints, int] | None:
        """Return each customer's group and how many groups there are."""
        return None if self.group is None else (self.group, int(self.group.max()) + 1)

    def until(self, day: int) -> Trade:
        """Return what was known on a day, of those who had bought something by then."""
        log = self.log
        seen = log.day <= day
        buys = np.bincount(log.customer[seen & self.bought], minlength=self.n) > 0
        rows = seen & buys[log.customer]
        if not buys.any():
            raise InputError("`transactions` has no purchase before the part that is held out.")
        return replace(
            self,
            log=replace(log.take(rows), as_of=day),
            bought=self.bought[rows],
            money=self.money[rows],
            place=self.place[buys],
            category=None if self.category is None else self.category[rows],
            group=None if self.group is None else self.group[buys],
            wallet=None if self.wallet is None else self.wallet[buys],
        )

    def orders(self, after: int | None = None, until: int | None = None) -> Ints:
        """Return each customer's orders on days after one and up to another."""
        rows = self.bought & self._between(after, until)
        log = self.log
        return distinct_per_group(log.customer[rows], log.order_code[rows], self.n, log.order_span)

    def profit(self, after: int | None = None, until: int | None = None) -> Floats:
        """Return each customer's profit, refunds subtracted, of the days after and up to."""
        rows = self._between(after, until)
        return decimal_sums(self.log.customer[rows], self.money[rows], self.n)

    def spend(self) -> Floats:
        """Return each customer's net money."""
        return decimal_sums(self.log.customer, self.log.amount, self.n)

    def last_day(self, until: int | None = None) -> Ints:
        """Return each customer's last purchase day up to a day; far in the past without one."""
        rows = self.bought & self._between(None, until)
        return first_and_last(self.log, rows)[1]

    def pairs(self) -> Pairs:
        """Return who bought which category, for how much."""
        assert self.category is not None
        rows = self.bought & (self.category >= 0)
        k = len(self.categories)
        key = self.log.customer[rows] * k + self.category[rows]
        order = np.argsort(key)
        new = starts(key[order])
        place = np.empty(key.size, dtype=np.int64)
        place[order] = np.cumsum(new) - 1
        pair = key[order][new]
        customer = pair // k
        money = decimal_sums(place, self.money[rows], pair.size)
        return Pairs(customer, pair - customer * k, money, self.n, k)

    def _between(self, after: int | None, until: int | None) -> Bools:
        """Tell which rows are of days after one and up to another."""
        day = self.log.day
        rows = np.ones(day.size, dtype=bool) if after is None else day > after
        return rows if until is None else rows & (day <= until)


def read_trade(
    transactions: Any,
    *,
    category: str | None,
    customers: Any,
    by: Any,
    wallet: str | None,
    margin: float | None,
    as_of: Any,
    all_categories: bool = False,
) -> tuple[Trade, dict[str, Any]]:
    """Read the log, and of the customers' table the groups and wallets; with an account.

    Of very many categories the rarest are left out, unless `all_categories` are asked for.
    """
    margin = check_optional(margin, "margin")
    kind = "product" if category is None else check_column(category, "category")
    columns = read_by(by, rowwise=ROWWISE)
    if wallet is not None:
        wallet = check_column(wallet, "wallet")
    present = kind in table_columns(transactions, "transactions") or category is not None
    read = read_log(
        transactions,
        needs=["amount", *([kind] if present else [])],
        optional=("order_id", "cost"),
        as_of=as_of,
    )
    log, account = read.rows, dict(read.account)
    bought = np.ones(log.day.size, dtype=bool) if read.bought is None else read.bought
    if margin is not None and log.has("cost"):
        raise InputError(
            "`margin` stands in for direct cost, and `transactions` has a column 'cost'. "
            "Leave one of the two out."
        )
    share = 1.0 if margin is None else margin
    money = log.amount - log.cost if log.has("cost") else log.amount * share
    if log.has("cost") and (total := float(log.amount.sum())) > 0:
        share = float(money.sum()) / total
    code, kinds = (
        (None, pd.Index([]))
        if not present
        else _categories(log, kind, account, None if all_categories else _MOST_CATEGORIES)
    )
    if code is not None and not (code[bought] >= 0).any():
        if category is not None:
            raise InputError(
                f"`category`: column {kind!r} of `transactions` is missing in every purchase."
            )
        code = None
    group = purse = None
    if columns or wallet is not None:
        wanted = list(dict.fromkeys([*columns, *([wallet] if wallet else [])]))
        table = customer_columns(log.customer_ids, customers, wanted, account)
        if wallet is not None:
            problems = Problems("customers")
            purse = number_array(table[wallet], problems, wallet, low=0, low_open=True)
            problems.raise_if_any()
        if columns:
            levels = pd.DataFrame({column: _levels(table[column]) for column in columns})
            group = group_codes(levels, columns)[0]
    return Trade(
        log=log,
        bought=bought,
        money=money,
        profit_share=share,
        place=np.arange(log.n_customers),
        first_day=int(log.day[bought].min()),
        category=code,
        categories=kinds,
        group=group,
        wallet=purse,
    ), account


def _categories(
    log: Log, kind: str, account: dict[str, Any], most: int | None
) -> tuple[Ints, pd.Index[Any]]:
    """Return each row's category, -1 where missing, and at most so many categories."""
    if kind == "product":
        code, kinds = log.product, log.product_ids
    else:
        code, kinds = sorted_codes(log.column(kind))
    if most is not None and len(kinds) > most:
        rows = np.bincount(code[code >= 0], minlength=len(kinds))
        kept = np.sort(np.argsort(-rows, kind="stable")[:most])
        number = np.full(len(kinds) + 1, -1)
        number[kept] = np.arange(kept.size)
        account["categories_left_out"] = len(kinds) - kept.size
        code, kinds = number[code], kinds[kept]
    return code, kinds


def _levels(column: pd.Series[Any]) -> Ints:
    """Return the group of each row in one column: -1 is missing."""
    codes, distinct = sorted_codes(column)
    if len(distinct) > _ENOUGH_NUMBERS and pd.api.types.is_numeric_dtype(distinct):
        known = codes >= 0
        codes = codes.copy()
        codes[known] = rank_bins(codes[known], _GROUPS_OF_NUMBERS)
    return codes
