"""Ids of customers that are one and the same, but written in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit._kinds import may_hold_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.account import Account

__all__ = ["one_way"]


def one_way(ids: pd.Series[Any], ignore_case: str | None, account: Account) -> pd.Series[Any]:
    """Return ids without blanks around them; addresses of e-mail, and others if asked, in one case.

    Blanks around an id name nobody, and mail reaches an address in capitals alike. Whether other
    ids that differ by case alone are one customer is asked.
    """
    if not may_hold_text(ids):
        return ids
    codes, distinct = pd.factorize(ids.astype(object))
    bare = [" ".join(cell.split()) if isinstance(cell, str) else cell for cell in distinct]
    spaced = [cell for cell, one in zip(distinct, bare, strict=True) if cell != one]
    if spaced:
        account.note(
            "ids", f"{len(spaced):,} written without blanks around them", f"such as "
            f"{quoted(spaced[0])}", "certain",
        )  # fmt: skip
    lower = [one.casefold() if isinstance(one, str) else one for one in bare]
    merged = len(set(bare)) - len(set(lower))
    mail = sum("@" in one for one in bare if isinstance(one, str)) > 0.9 * len(bare)
    if merged and ignore_case is None and not mail:
        groups = pd.Series(bare, dtype=object).groupby(pd.Series(lower, dtype=object))
        alike = next(group.tolist() for _, group in groups if group.nunique() > 1)
        raise InputError(
            f"Customers of LOG differ by capitals alone, such as {quoted(alike[0])} and "
            f"{quoted(alike[1])}: {merged:,} more ids than without. Say ignore_case='yes' if they "
            "are the same, or ignore_case='no' if not."
        )
    fold = merged > 0 and (mail if ignore_case is None else ignore_case == "yes")
    if fold:
        account.note(
            "ids", f"{merged:,} fewer, written without capitals",
            "addresses of e-mail" if ignore_case is None else "as said", "certain",
            ignore_case="yes",
        )  # fmt: skip
    figures = [one for one in bare if isinstance(one, str) and one.isdigit()]
    cut = {one for one in figures if one[0] != "0"} & {
        one.lstrip("0") for one in figures if one[0] == "0"
    }
    if cut:
        account.note(
            "ids", f"{len(cut):,} also stand there with zeros in front", f"such as "
            f"{quoted(min(cut))}: a spreadsheet takes zeros off; correct the file if they are the "
            "same customers", "not known",
        )  # fmt: skip
    if not spaced and not fold:
        return ids
    cells = np.array([*(lower if fold else bare), None], dtype=object)
    return pd.Series(cells[codes], index=ids.index, name=ids.name, dtype=object)
