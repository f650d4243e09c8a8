"""What a result tells of itself beside its rows: what met nobody, was left out or assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["ACCOUNT", "with_account"]

ACCOUNT = "account"


def with_account(result: pd.DataFrame, account: Mapping[str, Any]) -> pd.DataFrame:
    """Add plain values to ``result.attrs["account"]`` and return the result, a table of our own."""
    result.attrs[ACCOUNT] = {**result.attrs.get(ACCOUNT, {}), **account}
    return result
