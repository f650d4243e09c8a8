"""What the state of a row says of its money: earned, given back, never paid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed
from crmkit._reading.refunds import STATES
from crmkit._reading.words import plain, words_for
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._reading.account import Account
    from crmkit._typing import Ints

__all__ = ["answers_of", "one_kind", "sold"]

_UNKNOWN_SHOWN = 3
# Names of columns that speak of states, and not of a place or a kind.
_STATUS = re.compile("stat[ui]|estado|état", re.I)


def answers_of(name: str, cells: Iterable[Any]) -> list[str]:
    """Return what yes and no mean in a column named by a state, such as ``Cancelled``; else []."""
    meaning = words_for("value").get(
        plain(re.sub(r"^(is|was)[ _]", "", name.strip().casefold())), ""
    )
    answers = [words_for("answer").get(plain(str(cell))) for cell in cells]
    if meaning not in (*STATES, "unsold") or not answers or None in answers:
        return []
    other = "unsold" if meaning == "sold" else "sold"
    return [meaning if answer == "yes" else other for answer in answers]


def one_kind(frame: pd.DataFrame, columns: list[str], account: Account) -> None:
    """Ask which rows are lines, where a column says that rows are of several kinds."""
    for name in columns:
        kinds = list(pd.unique(frame[name].dropna()))
        if len(kinds) > 1:
            lines = [kind for kind in kinds if words_for("line").get(plain(str(kind))) is not None]
            raise InputError(
                f"Column {name!r} of LOG says that its rows are of several kinds, "
                f"{listed(kinds)}: an order may stand there as a whole, as lines and as payments. "
                f"Say which rows count, such as where='{name}={(lines or kinds)[0]}'."
            )
        account.note("lines", f"column {name!r}", f"all rows are {listed(kinds)}", "certain")


def sold(frame: pd.DataFrame, columns: list[str], account: Account) -> tuple[pd.DataFrame, Ints]:
    """Keep what was sold by the words of a state, and tell which rows money went back for."""
    states = np.zeros(len(frame), dtype=np.int64)
    meaning_of = words_for("value")
    for name in columns:
        codes, distinct = pd.factorize(frame[name].astype(object))
        means = answers_of(name, distinct) or [
            meaning_of.get(plain(str(cell)), "") for cell in distinct
        ]
        known = [m for m in means if m in (*STATES, "unsold")]
        if not known:
            if _STATUS.search(name) and len(distinct) > 1:
                account.note(
                    "state", f"column {name!r} is not used", f"it says {listed(distinct[:4])}, "
                    "which are no known states: all rows count", "not known", where=None,
                )  # fmt: skip
            continue
        unknown = [cell for cell, m in zip(distinct, means, strict=True) if m not in set(known)]
        words = [str(c) for c, m in zip(distinct, means, strict=True) if m in STATES]
        if unknown:
            raise InputError(
                f"Column {name!r} of LOG says {listed(unknown[:_UNKNOWN_SHOWN])} in "
                f"{int(np.isin(codes, [list(distinct).index(c) for c in unknown]).sum()):,} rows, "
                f"and it is not known whether that is money earned. Say which rows count, such as "
                f"where='{name}={','.join(words) or unknown[0]}'."
            )
        table = np.array([*means, "sold"], dtype=object)[codes]
        lost = table == "unsold"
        if lost.any():
            left = sorted(str(c) for c, m in zip(distinct, means, strict=True) if m == "unsold")
            account.note(
                "rows", f"{int(lost.sum()):,} left out", f"column {name!r} says {listed(left)}: no "
                "money was earned", "certain", where=f"{name}={','.join(words)}",
            )  # fmt: skip
        else:
            account.note(
                "state", f"all rows of column {name!r} count", f"it says {listed(words)}",
                "certain", where=None,
            )  # fmt: skip
        of_rows = np.array([STATES.index(m) if m in STATES else 0 for m in table], dtype=np.int64)
        states = np.maximum(states, of_rows)[~lost]
        frame = frame[~lost]
    return frame, states
