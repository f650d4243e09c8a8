"""Bringing tables of customers together by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Ints


__all__ = ["id_index", "positions"]


def id_index(ids: pd.Series[Any]) -> pd.Index[Any]:
    """Return ids as an index to look up, categories as the values they stand for."""
    if isinstance(ids.dtype, pd.CategoricalDtype):
        ids = ids.astype(ids.dtype.categories.dtype)
    return pd.Index(ids)


def positions(
    ids: pd.Series[Any], among: pd.Series[Any], *, name: str, other: str, partial: bool = False
) -> Ints:
    """Return the row in `among` of each id; -1 for an unknown one, where `partial` allows it.

    `name` is the argument that holds `ids`, `other` the one that holds `among`.
    """
    found = id_index(among).get_indexer(id_index(ids)).astype(np.int64)
    missing = np.flatnonzero(found < 0)
    if missing.size and (not partial or missing.size == len(ids)):
        first = ids.iloc[missing[:3]].tolist()
        raise InputError(
            f"`{other}` lacks {missing.size:,} of the {len(ids):,} customers of `{name}` (first "
            f"{first!r}). Pass tables of the same customers, with ids of one type."
        )
    return found
