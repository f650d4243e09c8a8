"""Rows that add up others: of the whole file, of each customer, of each month."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._kinds import may_hold_text
from crmkit._reading.words import is_word, words_for
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.account import Account
    from crmkit._typing import Bools

__all__ = ["without_totals"]

# No word for a total is longer, or begins with a figure.
_LONGEST = 60
_CENT = 0.005
# Among fewer rows one may be the sum of all others by chance.
_FEW = 20
_MOST = 0.2  # of the rows at most, where a word alone says that they are totals


def without_totals(
    frame: pd.DataFrame, money: dict[str, Any], ids: list[str], account: Account
) -> Bools:
    """Return the rows to keep: those that add up the others are left out, or asked about.

    `money` holds the numbers of each column of amounts. A row is a total if one of `ids` says
    so: by a word alone, or beside what it is the total of, which stands in the same column or is
    proved by the sums. Without such a word a row whose amount is that of all others cannot be
    told from one.
    """
    said = np.zeros(len(frame), dtype=bool)
    parts = np.zeros(len(frame), dtype=bool)
    examples = []
    for name in ids:
        if not may_hold_text(frame[name]):
            continue
        codes, distinct = pd.factorize(frame[name].astype(object))
        whole = np.array([_is_total(cell) for cell in distinct] + [False], dtype=bool)
        of = [_total_of(cell) for cell in distinct]
        known = {str(cell) for cell in distinct} if any(of) else set()
        named = np.array([one in known for one in of] + [False], dtype=bool)
        other = np.array([bool(one) for one in of] + [False], dtype=bool) & ~named
        if other.any() and _adds_up((other | whole | named)[codes], other[codes], money):
            named |= other
        said |= whole[codes]
        parts |= named[codes]
        examples += [str(cell) for cell in distinct[(whole | named)[:-1]]]
    said = parts | (said if said.mean() < _MOST else False)
    if said.any():
        exact = [
            name
            for name, values in money.items()
            if np.any(np.abs(values[said] - np.nansum(values[~said])) < _CENT)
        ]
        account.note(
            "rows", f"{int(said.sum()):,} left out", f"{examples[0]!r} is a total"
            + (f": column {exact[0]!r} holds the sum of all others" if exact else ""),
            "certain" if exact or parts.any() else "likely",
        )  # fmt: skip
        return ~said
    for name, values in money.items():
        whole = np.nansum(values)
        place = int(np.nanargmax(np.abs(values))) if np.isfinite(values).any() else 0
        alone = len(values) >= _FEW and abs(values[place] - (whole - values[place])) < _CENT
        if alone and abs(values[place]) > 0:
            raise InputError(
                f"Row {place + 1:,} of LOG has {values[place]:,.2f} in column {name!r}, the sum of "
                "all other rows: it is a total. Take it out of the file."
            )
    return np.ones(len(frame), dtype=bool)


def _adds_up(totals: Bools, asked: Bools, money: dict[str, Any]) -> bool:
    """Tell whether rows hold the sum of what stands between them and the total before, twice."""
    for values in money.values():
        sums = np.cumsum(np.where(totals, 0.0, np.nan_to_num(values)))[totals]
        between = np.diff(sums, prepend=0.0)
        exact = (np.abs(values[totals] - between) < _CENT) | ~asked[totals]
        if exact.all() and np.count_nonzero(asked) > 1:
            return True
    return False


def _is_total(cell: Any) -> bool:
    """Tell whether a cell says that its row is a total: by a word, or as lists of SAP do."""
    if not isinstance(cell, str) or len(cell) > _LONGEST or cell[:1].isdigit():
        return False
    bare = cell.strip(" *:")
    if not bare:
        return "*" in cell
    return bare[:1].casefold() in _beginnings() and is_word(bare, "total")


def _total_of(cell: Any) -> str | None:
    """Return what a cell says to be the total of, such as the 7 of ``Total for 7``; None if not."""
    if not isinstance(cell, str) or len(cell) > _LONGEST or " " not in cell:
        return None
    words = cell.strip(" *:").split()
    if words and words[0][:1].casefold() in _beginnings():
        for size in (2, 1):
            if len(words) > size and is_word(" ".join(words[:size]), "total"):
                return " ".join(words[size:])
    return " ".join(words[:-1]) if len(words) > 1 and is_word(words[-1], "total") else None


@functools.cache
def _beginnings() -> frozenset[str]:
    """Return the letters with which words for totals begin."""
    return frozenset(word[0] for word, means in words_for("value").items() if means == "total")
