"""Which column of a raw table is what: crmkit's names for the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_column
from crmkit._checks import listed, require_columns
from crmkit._frames.engines import as_given
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["check_price", "in_roles", "price_times_quantity"]


def in_roles(raw: Any, names: dict[str, str | None], *, also: str | None = None) -> pd.DataFrame:
    """Return `raw` as pandas under crmkit's names, with a RangeIndex, never the caller's own."""
    frame = as_given(raw, "raw")
    always = ("customer_id", "date")
    given: dict[str, Any] = {
        column: source for column, source in names.items() if source is not None or column in always
    }
    named = given if also is None else given | {"price": also}
    for column, source in named.items():
        check_column(source, column)
    how = ", ".join(f"{column}='...'" for column in given if column not in frame.columns)
    do = f"Say what the table calls it: {how}." if how else ""
    wanted = list(named.values())
    require_columns(frame.columns, wanted, "raw", do=do)
    twice = sorted({source for source in wanted if wanted.count(source) > 1})
    if twice:
        roles = [column for column, source in named.items() if source in twice]
        raise InputError(
            f"`raw`: one column cannot be several things: {listed(twice)} is named for "
            f"{' and '.join(roles)}. Name another one for all but one of them."
        )
    taken = [c for c, source in given.items() if source != c and c in frame.columns]
    taken = [column for column in taken if column not in given.values()]
    if taken:
        raise InputError(
            f"`raw` has a column named {taken} beside the one you name for it. "
            "Drop or rename one of the two."
        )
    if frame.empty:
        raise InputError("`raw` has no rows.")
    frame = frame.rename(columns={source: column for column, source in given.items()})
    return frame.reset_index(drop=True)


def check_price(frame: pd.DataFrame, amount: str | None, price: str) -> None:
    """Raise unless an amount can be made of a price and nothing else says it."""
    if amount is not None or "amount" in frame.columns:
        raise InputError(
            "`price` and `amount` say the same thing: amount is price x quantity. Name one of them"
            + ("." if amount is not None else ", or drop the column 'amount'.")
        )
    if "quantity" not in frame.columns:
        raise InputError(
            "`price` needs `quantity`: amount is price x quantity. Name the column of units, or "
            f"say amount={price!r} if every row is one unit."
        )


def price_times_quantity(price: Floats, quantity: Floats) -> Floats:
    """Return price x quantity, as the decimal number that is meant: 3 x 0.1 is 0.3."""
    amount = price * quantity
    near = np.round(amount, 6)
    return np.where(np.abs(amount - near) <= 4 * np.spacing(np.abs(amount)), near, amount)
