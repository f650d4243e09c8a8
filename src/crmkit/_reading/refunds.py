"""Money that went back: by the state of a row, or the sign of its quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.account import Account
    from crmkit._typing import Bools, Floats

__all__ = ["signs"]


def signs(values: Any, refunds: Bools, quantity: Any, account: Account) -> Floats:
    """Return amounts with the rows that are refunds by their state negative."""
    positive = refunds & (np.nan_to_num(values) > 0)
    if positive.any():
        account.note(
            "refunds", f"{np.count_nonzero(positive):,} rows made negative",
            "their state says that money went back", "certain", where=None,
        )  # fmt: skip
        values = np.where(positive, -values, values)
    if quantity is not None:
        odd = (quantity < 0) & (values > 0)
        if odd.any():
            raise InputError(
                f"LOG has {int(odd.sum()):,} rows (first: row {int(odd.argmax()) + 1:,}) of a "
                "negative quantity and a positive amount, so that it is not clear whether "
                "money went back. Correct the signs in the file."
            )
    return values
