"""Which numbers of a file are the money of a row: a line's, a unit's, or a whole order's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit._reading.orders import among_lines, once
from crmkit._reading.units import unit_or_line
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.account import Account
    from crmkit._typing import Floats, Ints

__all__ = ["PER", "Money", "amounts"]

PER = ("line", "unit", "order")
_CENT = 0.0051
# Shares of rows or orders that must say the same, and the fewest that say anything.
_MOST, _SOME, _LEAST = 0.9, 0.4, 3
_ORDERS = 5


@dataclass(frozen=True)
class Money:
    """The numbers that the amount of a row may come from, by the names of their columns."""

    columns: dict[str, Floats]
    amount: list[str]
    price: list[str]
    quantity: str | None
    refunded: str | None
    order: Ints | None  # a code per row, -1 where missing
    product: Ints | None


def amounts(money: Money, per: str | None, account: Account, *, said: bool) -> Floats | None:
    """Return the amount of each row, or None where the file has no money.

    `per` says what an amount is the money of; `said` tells that the caller named its column.
    """
    lines = money.amount and _per(money, money.amount[0], per)
    if lines == "line" or (said and money.amount):
        return _named(money, per, account, said=said)
    line = [name for name in money.amount if _per(money, name, per) == "line"]
    if line and per is None:
        money = _first(money, line[0])
        return _named(money, per, account, said=said)
    if money.price and (money.quantity is not None or not money.amount):
        return _priced(money, account, said=said)
    if money.amount:
        return _named(money, per, account, said=said)
    return None


def _first(money: Money, name: str) -> Money:
    """Return the same numbers with another column of amounts in front."""
    rest = [other for other in money.amount if other != name]
    return Money(
        money.columns, [name, *rest], money.price, money.quantity, money.refunded, money.order,
        money.product,
    )  # fmt: skip


def _per(money: Money, name: str, per: str | None) -> str:
    """Tell whether the amounts of a column are of lines, or of orders told again and again."""
    if per is not None:
        return per
    values = money.columns[name]
    if money.order is None:
        return "line"
    size = np.bincount(money.order[money.order >= 0])
    many = (money.order >= 0) & (size[money.order] > 1)
    if np.count_nonzero(size > 1) < _ORDERS or not np.isfinite(values[many]).any():
        return "line"
    first = ~pd.Series(money.order).duplicated().to_numpy()
    known = np.isfinite(values)
    if not known[many & ~first].any() and known[many & first].mean() > _MOST:
        return "order"
    table = pd.Series(values[many]).groupby(money.order[many])
    same = (table.max() - table.min() < _CENT) & (table.count() > 1)
    # Where all rows are alike, or orders hold one thing at one price, a repeat says nothing.
    other = money.columns.get(money.price[0]) if money.price else None
    codes = money.product if money.product is not None else other
    differ = (
        pd.Series(codes[many]).groupby(money.order[many]).nunique() > 1
        if codes is not None
        else same
    )
    told = same[differ.to_numpy(dtype=bool)]
    alike = len(np.unique(values[known])) < _LEAST
    return "order" if not alike and len(told) >= _ORDERS and told.mean() > 0.97 else "line"


def _named(money: Money, per: str | None, account: Account, *, said: bool) -> Floats:
    """Return the amounts of the likeliest column, checked against prices and orders."""
    name = money.amount[0]
    values, per_found = money.columns[name], _per(money, name, per)
    option = {"amount": name}
    if per == "unit":
        return _times(money, name, account)
    if per_found == "order" and money.order is not None:
        return _shared(money, name, account, per)
    unit = None if per is not None else unit_or_line(values, *_units(money))
    if unit is not None and unit[0] == "unit":
        raise InputError(
            f"Column {name!r} of LOG does not grow with the quantity ({unit[1]}): it looks like "
            f"the price of one unit. Say amount_per='unit' to multiply it, or amount_per='line'."
        )
    _same_as_others(money, name, said=said or per is not None)
    why = "its name says so"
    if unit is not None:
        why += f", and it grows with the quantity ({unit[1]})"
    if per is not None:
        why = "as said"
        account.note("amount per", per, why, why, amount_per=per)
    account.note(
        "amount", f"column {name!r}", why, "certain" if unit or said else "likely", **option
    )
    return _less_refunds(money, values, account)


def _same_as_others(money: Money, name: str, *, said: bool) -> None:
    """Ask which of several columns is meant, where equally good names hold other amounts."""
    if said:
        return
    values = money.columns[name]
    for other in money.amount[1:]:
        theirs = money.columns[other]
        if money.order is not None and _per(money, other, None) == "order":
            theirs = once(theirs, money.order)
        both = np.isfinite(values) & np.isfinite(theirs)
        if both.any() and np.abs(values[both].sum() - theirs[both].sum()) > max(
            1.0, 0.001 * np.abs(values[both]).sum()
        ):
            raise InputError(
                f"LOG has amounts in {name!r} ({np.nansum(values):,.2f} in all) and in {other!r} "
                f"({np.nansum(theirs):,.2f}). Say which is meant: amount={name!r} or "
                f"amount={other!r}."
            )


def _priced(money: Money, account: Account, *, said: bool) -> Floats:
    """Return price x quantity, or the price where it is that of the whole line."""
    name = money.price[0]
    price = money.columns[name]
    if money.quantity is None:
        if said:
            raise InputError(
                "`price` needs `quantity`: amount is price x quantity. Name the column of units, "
                f"or say amount={name!r} if every row is one unit."
            )
        account.note(
            "amount", f"column {name!r}", "a price, and no column of quantities: each row is one "
            "unit", "likely", amount=name,
        )  # fmt: skip
        return _less_refunds(money, price, account)
    found = None if said else unit_or_line(price, *_units(money))
    if found is not None and found[0] == "line":
        account.note(
            "amount", f"column {name!r}", f"it grows with the quantity ({found[1]}), so it is the "
            "price of the line", "certain", amount=name,
        )  # fmt: skip
        return _less_refunds(money, price, account)
    values = _product(price, money.columns[money.quantity])
    why, sure = "as said" if said else "price of a unit by its name", "likely"
    if found is not None:
        why, sure = f"the price is the same whatever the quantity ({found[1]})", "certain"
    agrees = [other for other in money.amount if _adds_up(money, other, values)]
    if agrees:
        why, sure = f"its sum in each order is column {agrees[0]!r}", "certain"
    elif money.amount and not said:
        less = [other for other in money.amount if _discounted(money, other, values)]
        if less:
            return _shared(money, less[0], account, None)
        other = money.amount[0]
        raise InputError(
            f"LOG has {name!r} x {money.quantity!r} ({np.nansum(values):,.2f} in all) and whole "
            f"orders in {other!r} ({np.nansum(_once(money, other)):,.2f}). Say which is meant: "
            f"price={name!r} for the lines, or amount={other!r}."
        )
    account.note(
        "amount", f"{name!r} x {money.quantity!r}", why, "as said" if said else sure, price=name
    )
    return _less_refunds(money, values, account)


def _times(money: Money, name: str, account: Account) -> Floats:
    """Return an amount that the caller says is that of a unit, times the quantity."""
    if money.quantity is None:
        raise InputError(
            "`amount_per`='unit' needs `quantity`: the amount is then price x quantity. Name the "
            "column of units."
        )
    account.note("amount", f"{name!r} x {money.quantity!r}", "as said", "as said", price=name)
    values = _product(money.columns[name], money.columns[money.quantity])
    return _less_refunds(money, values, account)


def _product(price: Floats, quantity: Floats) -> Floats:
    """Return price x quantity to a millionth, with the sign of one of them."""
    both = (price < 0) & (quantity < 0)
    return np.where(both, -1.0, 1.0) * np.round(price * quantity, 6)


def _units(money: Money) -> tuple[Floats | None, Ints | None]:
    """Return the units of each row and a code for its product, as far as there are any."""
    return None if money.quantity is None else money.columns[money.quantity], money.product


def _once(money: Money, name: str) -> Floats:
    """Return an amount told on one or all lines of an order, on the first line only."""
    values = money.columns[name]
    return values if money.order is None else once(values, money.order)


def _adds_up(money: Money, name: str, values: Floats) -> bool:
    """Tell whether lines add up to the amounts of the orders, in nearly all of them."""
    if money.order is None:
        return bool(np.nanmean(np.abs(values - money.columns[name]) < _CENT) > 0.99)
    if _per(money, name, None) == "line":
        return bool(np.nanmean(np.abs(values - money.columns[name]) < _CENT) > 0.99)
    known = money.order >= 0
    lines = pd.Series(values[known]).groupby(money.order[known]).sum()
    whole = pd.Series(_once(money, name)[known]).groupby(money.order[known]).sum()
    return bool((np.abs(lines - whole) < _CENT).mean() > 0.99)


def _discounted(money: Money, name: str, values: Floats) -> bool:
    """Tell whether amounts of orders are those of their lines, or less where there was a discount.

    Amounts with costs of sending or taxes would be more.
    """
    if money.order is None or _per(money, name, None) == "line":
        return False
    known = money.order >= 0
    lines = np.bincount(money.order[known], weights=np.nan_to_num(values)[known])
    whole = np.bincount(money.order[known], weights=np.nan_to_num(_once(money, name))[known])
    equal = (np.abs(lines - whole) < _CENT).mean()
    return bool(equal > _SOME and (whole < lines + _CENT).mean() > 0.99 and (whole >= 0).all())


def _shared(money: Money, name: str, account: Account, per: str | None) -> Floats:
    """Share the amount of each order among its lines, by price x quantity where there are any."""
    order = money.order
    assert order is not None
    values = _once(money, name)
    weight = np.ones(len(order))
    if money.price and money.quantity is not None:
        found = _product(money.columns[money.price[0]], money.columns[money.quantity])
        weight = np.where(np.isfinite(found) & (found > 0), found, 0.0)
    again = np.count_nonzero(np.bincount(order[order >= 0]) > 1)
    why = "as said" if per else f"the same on all lines of {again:,} orders: counted once"
    account.note("amount", f"column {name!r}", "its name says so", "likely", amount=name)
    account.note(
        "amount per", "order, shared among its lines", why, "as said" if per else "certain",
        amount_per="order",
    )  # fmt: skip
    return _less_refunds(money, among_lines(order, values, weight), account)


def _less_refunds(money: Money, values: Floats, account: Account) -> Floats:
    """Take off what a column of its own says was given back."""
    if money.refunded is None:
        return values
    back = np.abs(np.nan_to_num(money.columns[money.refunded]))
    if not back.any():
        return values
    if money.order is not None and _per(money, money.refunded, None) == "order":
        of_orders = np.abs(np.nan_to_num(_once(money, money.refunded)))
        back = np.nan_to_num(among_lines(money.order, of_orders, np.abs(np.nan_to_num(values))))
    if np.count_nonzero(back > np.abs(np.nan_to_num(values)) + _CENT) and money.order is None:
        rows = int(np.count_nonzero(back > np.abs(np.nan_to_num(values)) + _CENT))
        raise InputError(
            f"Column {money.refunded!r} of LOG gives back more than was paid in {rows:,} rows. Say "
            "refunded='none' if it is something else."
        )
    account.note(
        "refunds", f"column {money.refunded!r} is taken off",
        f"{back.sum():,.2f} in {np.count_nonzero(back):,} rows", "certain", refunded=money.refunded,
    )  # fmt: skip
    return values - back
