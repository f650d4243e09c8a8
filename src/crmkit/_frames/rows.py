"""Which rows of a raw table stay, and how many went for which reason with which amount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames.dates import note_far
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._checks import Problems
    from crmkit._typing import Bools, Floats

__all__ = ["Rows"]

_POLICIES = {
    "customer_id": "missing_customers",
    "date": "missing_dates",
    "amount": "missing_amounts",
}


class Rows:
    """The rows of a raw table, as reasons to leave some out are found one after the other.

    A row that has gone for one reason is not asked for the next. What a policy does not take out
    is noted in `problems`.
    """

    def __init__(self, n: int, problems: Problems) -> None:
        self.keep = np.ones(n, dtype=bool)
        self._problems = problems
        self._lost: dict[str, Bools] = {}
        self._found: dict[str, int] = {}

    def take_out(self, rows: Bools, reason: str) -> None:
        """Take rows out, counted under a reason if they were still there."""
        self._lost[reason] = rows & self.keep
        self.keep &= ~rows

    def count(self, rows: Bools, what: str) -> None:
        """Count rows of a kind that may stay."""
        self._found[f"{what}_found"] = int(np.count_nonzero(rows & self.keep))

    def take_out_missing(self, missing: Bools, policy: str, column: str) -> None:
        """Take out rows without a value in a column, if its policy is to drop them."""
        name = _POLICIES[column]
        if policy == "drop":
            self.take_out(missing, name)
            return
        self._problems.rows(
            missing & self.keep,
            f"column {column!r} is missing",
            do=f"Fill these rows, or leave them out with {name}='drop'.",
        )

    def take_out_dates(
        self,
        given: pd.Series[Any],
        found: NDArray[np.datetime64],
        unread: Bools,
        policy: str,
        date_format: str | None,
    ) -> None:
        """Take out rows without a date that can be read, and note dates no calendar holds."""
        self.take_out_missing(np.isnat(found) & ~unread, policy, "date")
        wrong = unread & self.keep
        # A format that fails so often is not the one in which the dates are written.
        if policy == "raise" or 2 * np.count_nonzero(wrong) > np.count_nonzero(self.keep):
            self._problems.rows(
                wrong,
                "column 'date' is not a date "
                + (f"of the format {date_format!r}" if date_format else "in ISO form (2025-06-30)"),
                do="Correct these rows or say how dates are written with `date_format`.",
                values=given,
            )
        else:
            self.take_out(wrong, "unreadable_dates")
        days = found.astype("datetime64[D]").astype(np.int64)
        note_far(days, self.keep & ~np.isnat(found), self._problems, "date")

    def take_out_repeated(self, frame: pd.DataFrame, policy: str) -> None:
        """Take out rows that repeat an earlier one in every column, or note them."""
        repeated = np.zeros(len(frame), dtype=bool)
        kept = frame if self.keep.all() else frame.loc[self.keep]
        try:
            repeated[self.keep] = kept.duplicated().to_numpy()
        except TypeError:
            # Cells that cannot be hashed, such as lists, are compared as they are written.
            repeated[self.keep] = kept.astype(str).duplicated().to_numpy()
        if policy == "drop":
            self.take_out(repeated, "duplicates")
            return
        self._problems.rows(
            repeated, "a row repeats an earlier one", do="Say duplicates='keep' or 'drop'."
        )

    def kept(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that stay, with a RangeIndex and whole ids as integers."""
        if not self.keep.any():
            raise InputError("`raw` has no row left after dropping what was asked.")
        kept = frame if self.keep.all() else frame.loc[self.keep].reset_index(drop=True)
        return kept.assign(customer_id=_whole_ids(kept["customer_id"]))

    def account(self, amount: Floats | None) -> dict[str, Any]:
        """Return rows and money read, found, dropped by reason, and kept."""
        account: dict[str, Any] = {"rows_read": len(self.keep)}
        if amount is not None:
            account["amount_read"] = _total(amount)
        account |= self._found
        for reason, rows in self._lost.items():
            account[f"{reason}_dropped"] = int(np.count_nonzero(rows))
            if amount is not None:
                account[f"{reason}_dropped_amount"] = _total(amount[rows])
        account["rows_kept"] = int(np.count_nonzero(self.keep))
        if amount is not None:
            account["amount_kept"] = _total(amount[self.keep])
        return account


def _total(amount: Floats) -> float:
    """Return a sum of money, what is missing left out, without the noise of adding floats."""
    return round(float(np.nansum(amount)), 6)


def _whole_ids(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Return float ids as integers where they are whole and exact, else as they are."""
    if not pd.api.types.is_float_dtype(ids.dtype):
        return ids
    values = ids.to_numpy(dtype=np.float64)
    whole = np.isfinite(values).all() and (np.abs(values) < 2**53).all() and (values % 1 == 0).all()
    return ids.astype(np.int64) if whole else ids
