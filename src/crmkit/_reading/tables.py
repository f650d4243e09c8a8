"""A table beside a log, read from a file of any kind: customers, products, campaigns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import listed
from crmkit._files import file_to_read
from crmkit._reading.account import Account
from crmkit._reading.files import read_parquet
from crmkit._reading.source import Opening, open_source
from crmkit._reading.words import plain, roles_of
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_beside"]

_ROLES = ("customer_id", "product")


def read_beside(path: Any, needs: Iterable[str], *, like: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the columns `needs`, whatever the file calls them.

    Ids and products stay as they stand in the file, as far as those of the log `like` are text;
    other columns of nothing but numbers become numbers.
    """
    if file_to_read(path, "LOG").read_bytes()[:4] == b"PAR1":
        frame = read_parquet(Path(path), [], None, "")
    else:
        source = open_source(path, Opening(), Account())
        frame = source.read(source.names)
    names = list(map(str, frame.columns))
    roles = roles_of(names)
    new = {}
    for need in needs:
        if need in names:
            continue
        ranks = {
            name: role[need] for name, role in zip(names, roles, strict=True) if need in role
        } or {name: 0 for name in names if plain(name) == plain(need)}
        if not ranks:
            raise InputError(
                f"The table {str(path)!r} has no column {need!r}; it has {listed(names)}. Rename "
                "the one that holds it."
            )
        new[min(ranks, key=lambda name: ranks[name])] = need
    frame = frame.rename(columns=new)
    for name in frame.columns:
        text = name not in _ROLES or (name in like and pd.api.types.is_numeric_dtype(like[name]))
        if text and not pd.api.types.is_numeric_dtype(frame[name].dtype):
            numbers = pd.to_numeric(frame[name], errors="coerce")
            if (numbers.notna() == frame[name].notna()).all() and numbers.notna().any():
                frame[name] = numbers
    return frame
