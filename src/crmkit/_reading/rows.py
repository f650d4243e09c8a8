"""Which rows of a file are lines of a log: no footers, totals, lost deals, other currencies."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed, quoted, require_columns
from crmkit._reading.refunds import STATES
from crmkit._reading.words import is_word, plain, words_for
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._reading.account import Account
    from crmkit._typing import Bools, Ints

__all__ = ["fill_orders", "keep_where", "sold", "take_where", "without_footers", "without_totals"]

_UNKNOWN_SHOWN = 3
# No word for a total is longer, or begins with a figure.
_LONGEST = 40
_CENT = 0.005
# Among fewer rows one may be the sum of all others by chance.
_FEW = 20


def take_where(where: Any) -> dict[str, list[str]]:
    """Read conditions such as ``Currency=EUR`` or ``Status=paid,shipped``."""
    texts = [where] if isinstance(where, str) else list(where or ())
    found: dict[str, list[str]] = {}
    for text in texts:
        name, mark, values = str(text).partition("=")
        if not mark or not name.strip() or not values.strip():
            raise InputError(
                f"`where` must say a column and its values, such as 'Currency=EUR'; got "
                f"{quoted(text)}."
            )
        found[name.strip()] = [value.strip() for value in values.split(",")]
    return found


def keep_where(frame: pd.DataFrame, where: dict[str, list[str]], account: Account) -> pd.DataFrame:
    """Keep the rows in which columns hold one of the values asked for."""
    require_columns(frame.columns, where, "LOG")
    for name, values in where.items():
        cells = frame[name].astype(object).map(lambda cell: str(cell).strip(), na_action="ignore")
        kept = cells.isin(values).to_numpy()
        if not kept.any():
            raise InputError(
                f"`where` asks for {name}={','.join(values)}, which no row of LOG holds; it has "
                f"{listed(pd.unique(cells.dropna()))}."
            )
        account.note(
            "rows", f"{name} is {' or '.join(values)}", f"{int((~kept).sum()):,} rows are not",
            "as said", where=f"{name}={','.join(values)}",
        )  # fmt: skip
        frame = frame[kept]
    return frame


def fill_orders(
    frame: pd.DataFrame, order: str, columns: Iterable[str], account: Account
) -> pd.DataFrame:
    """Fill in what is told on the first line of each order only, such as its state."""
    ids = frame[order]
    again = ids.duplicated().to_numpy() & ids.notna().to_numpy()
    if not again.any():
        return frame
    filled = []
    for name in columns:
        known = frame[name].notna().to_numpy()
        if known[again].any() or not known[~again].any() or not again.any():
            continue
        if known[~again].mean() < 0.5:
            continue
        frame = frame.assign(**{name: frame.groupby(order)[name].transform("first")})
        filled.append(name)
    if filled:
        account.note(
            "lines of an order", "told once, on the first line", f"columns {listed(filled)} are "
            "blank on all further lines", "certain",
        )  # fmt: skip
    return frame


def without_footers(frame: pd.DataFrame, needed: list[str], account: Account) -> pd.DataFrame:
    """Leave out lines that are no rows: without any cell that a row must have."""
    nothing = frame[needed].isna().all(axis=1).to_numpy()
    # A header that is repeated on every page of a list.
    again = np.ones(len(frame), dtype=bool)
    for name in needed:
        text = not pd.api.types.is_numeric_dtype(frame[name].dtype) and again.any()
        again &= (frame[name] == name).fillna(False).to_numpy(dtype=bool) if text else False
    if again.any():
        account.note("rows", f"{int(again.sum()):,} left out", "they repeat the header", "certain")
    if nothing.any():
        cells = frame[nothing].iloc[0].dropna()
        example = f", such as {quoted(cells.iloc[0])}" if len(cells) else ""
        account.note(
            "rows", f"{int(nothing.sum()):,} left out", f"they hold none of {listed(needed)}"
            f"{example}", "certain",
        )  # fmt: skip
    return frame[~(nothing | again)]


def sold(frame: pd.DataFrame, columns: list[str], account: Account) -> tuple[pd.DataFrame, Ints]:
    """Keep what was sold by the words of a state, and tell which rows money went back for."""
    states = np.zeros(len(frame), dtype=np.int64)
    meanings = words_for("value")
    for name in columns:
        codes, distinct = pd.factorize(frame[name].astype(object))
        means = [meanings.get(plain(str(cell)), "") for cell in distinct]
        known = [m for m in means if m in (*STATES, "unsold")]
        if not known:
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


def without_totals(
    frame: pd.DataFrame, money: dict[str, Any], ids: list[str], account: Account
) -> Bools:
    """Return the rows to keep: those that add up the others are left out, or asked about.

    `money` holds the numbers of each column of amounts. A row is a total if one of `ids` says
    so; without such a word a row whose amount is that of all others cannot be told from one.
    """
    said = np.zeros(len(frame), dtype=bool)
    example = ""
    for name in ids:
        codes, distinct = pd.factorize(frame[name].astype(object))
        total = np.array([_is_total(cell) for cell in distinct] + [False], dtype=bool)
        said |= total[codes]
        example = example or next((str(c) for c in distinct[total[:-1]]), "")
    if said.any() and said.mean() < 0.2:
        exact = [
            name
            for name, values in money.items()
            if np.any(np.abs(values[said] - np.nansum(values[~said])) < _CENT)
        ]
        account.note(
            "rows", f"{int(said.sum()):,} left out", f"{example!r} is a total"
            + (f": column {exact[0]!r} holds the sum of all others" if exact else ""),
            "certain" if exact else "likely",
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


def _is_total(cell: Any) -> bool:
    """Tell whether a cell says that its row is a total: by a word, or as lists of SAP do."""
    if not isinstance(cell, str) or len(cell) > _LONGEST or cell[:1].isdigit():
        return False
    bare = cell.strip(" *:")
    if not bare:
        return "*" in cell
    return bare[:1].casefold() in _beginnings() and is_word(bare, "total")


@functools.cache
def _beginnings() -> frozenset[str]:
    """Return the letters with which words for totals begin."""
    return frozenset(word[0] for word, means in words_for("value").items() if means == "total")
