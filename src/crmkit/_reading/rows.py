"""Which rows of a file are lines of a log: no footers, totals, lost deals, other currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed, quoted, require_columns
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._reading.account import Account

__all__ = ["fill_orders", "keep_where", "take_where", "without_footers"]


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
