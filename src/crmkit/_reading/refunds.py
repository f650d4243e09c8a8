"""Money that went back: by the state of a row, or the sign of its quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.account import Account
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["STATES", "signs"]

# What the state of a row says of its money, as `rows.sold` codes it.
STATES = ("sold", "refund", "refunded", "partial")


def signs(
    values: Any,
    states: Ints,
    quantity: Any,
    taken_off: Bools,
    order: Ints | None,
    account: Account,
    *,
    net: bool,
) -> Floats:
    """Return amounts with what went back taken off, as the states of their rows say.

    A row that is a refund is negative. One that was refunded later is worth 0, unless the money
    is `taken_off` by a column already or stands in rows of its `order` that are negative; the
    purchase stays. `net` says that amounts of partial refunds are right as they are.
    """
    positive = (states == STATES.index("refund")) & (np.nan_to_num(values) > 0)
    if positive.any():
        account.note(
            "refunds", f"{np.count_nonzero(positive):,} rows made negative",
            "their state says that money went back", "certain", where=None,
        )  # fmt: skip
        values = np.where(positive, -values, values)
    told = _of_order(taken_off | (np.nan_to_num(values) < 0), order)
    whole = (states == STATES.index("refunded")) & ~told & (np.nan_to_num(values) > 0)
    if whole.any():
        account.note(
            "refunds", f"{np.count_nonzero(whole):,} rows count as 0", "their state says that they "
            f"were paid and given back ({values[whole].sum():,.2f}), and nothing else tells of it",
            "certain", where=None,
        )  # fmt: skip
        values = np.where(whole, 0.0, values)
    part = (states == STATES.index("partial")) & ~told & (np.nan_to_num(values) > 0)
    if part.any() and not net:
        raise InputError(
            f"{int(part.sum()):,} rows of LOG (first: row {int(part.argmax()) + 1:,}) were "
            f"refunded in part ({values[part].sum():,.2f} in all), and no column tells how much "
            "went back. Name the one that does with `refunded`, or say refunded='none' if the "
            "amounts are what is left."
        )
    if quantity is not None:
        odd = (quantity < 0) & (values > 0)
        if odd.any():
            raise InputError(
                f"LOG has {int(odd.sum()):,} rows (first: row {int(odd.argmax()) + 1:,}) of a "
                "negative quantity and a positive amount, so that it is not clear whether "
                "money went back. Correct the signs in the file."
            )
    return values


def _of_order(rows: Bools, order: Ints | None) -> Bools:
    """Return the rows of all orders of which one row is among these."""
    if order is None:
        return rows
    codes = np.where(order >= 0, order, order.max(initial=-1) + 1 + np.arange(len(order)))
    return np.bincount(codes, weights=rows)[codes] > 0
