"""How many purchases the customers of a table made, and how many of them stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import Problems, number_array

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["purchase_counts"]


def purchase_counts(frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
    """Return purchases and how many of them stay, (n,)."""
    x = number_array(frame["frequency"], problems, "frequency", low=0.0)
    first = number_array(frame["first_amount"], problems, "first_amount", allow_missing=True)
    kept = number_array(
        frame["kept_purchases"], problems, "kept_purchases", low=0.0, allow_missing=True
    )
    # Nothing is known of the first purchase of who has none: a new customer.
    new = np.isnan(first) & (x == 0.0)
    problems.rows(
        np.isnan(first) & ~new,
        "column 'first_amount' is missing although `frequency` is above 0",
        do="Give the amount of the first purchase, or choose first_purchase=False.",
    )
    kept = np.where(new, 0.0, kept)
    problems.rows(
        np.isnan(kept),
        "column 'kept_purchases' is missing",
        do="Give how many purchases were not returned, the first one counted.",
    )
    problems.rows(
        kept > x + 1.0,
        "`kept_purchases` is above `frequency` and one",
        do="It counts the purchases that were not returned, the first one with them.",
    )
    return {"bought": np.where(new, 0.0, x + 1.0), "kept": kept}
