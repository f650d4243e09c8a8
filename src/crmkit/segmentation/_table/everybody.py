"""Customers of several tables as one: who is in any of them, and who in which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames import rows_of, sorted_codes, without
from crmkit._frames.join import by_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints

__all__ = ["everybody", "seated"]


def everybody(
    ids: Any,
    tables: dict[str, pd.DataFrame],
    account: dict[str, Any],
    *,
    name: str = "transactions",
) -> tuple[pd.Index[Any], dict[str, Ints]]:
    """Return all ids, sorted, and the places among them of `ids`, under `name`, and of each table.

    `account` counts who is in a table but not among `ids`, and the other way round.
    """
    known = pd.Series(ids)
    if not tables:
        return pd.Index(ids), {name: np.arange(len(known))}
    parts = {name: known}
    for other, table in tables.items():
        parts[other] = pd.Series(by_value(table["customer_id"]))
        row = rows_of(parts[other], known, name=other, other=name, account=account)
        key = "unmatched" if len(parts) == 2 else f"without_{other}"
        account[f"{name}_{key}"] = without(row, len(known))
    places, distinct = sorted_codes(pd.concat(list(parts.values()), ignore_index=True))
    ends = np.cumsum([len(part) for part in parts.values()])[:-1]
    return distinct, dict(zip(parts, np.split(places, ends), strict=True))


def seated(values: NDArray[Any], places: Ints, n: int, nothing: float = 0.0) -> Floats:
    """Spread one value per customer of a table over all `n` customers."""
    out = np.full(n, nothing)
    out[places] = values
    return out
