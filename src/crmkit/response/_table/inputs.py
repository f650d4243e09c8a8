"""How the room reads groups, ids and numbers from customer tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit._frames import sorted_codes
from crmkit._parameters import RULES
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crmkit._typing import Floats, Ints


__all__ = [
    "Groups",
    "as_list",
    "number_or_column",
    "positions",
    "read_groups",
]


def as_list(names: str | Iterable[str]) -> list[str]:
    """Return one name or several as a list."""
    return [names] if isinstance(names, str) else list(names)


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of rows by the levels of one or more columns.

    ``codes`` (n,) index the rows of ``levels``, a table with one column per grouping column,
    sorted, missing last.
    """

    codes: Ints
    levels: pd.DataFrame


def read_groups(
    customers: pd.DataFrame,
    by: Sequence[str],
    *,
    reserved: Iterable[str] = (),
    name: str = "customers",
) -> Groups:
    """Group rows by crossed columns; a missing value is a level of its own.

    `reserved` are the columns that the result will have beside those of `by`.
    """
    require_columns(customers.columns, by, name)
    taken = sorted(set(by) & set(reserved))
    if taken or not by:
        raise InputError(
            f"`by` names {taken}, which the result uses itself. Rename the column first."
            if taken
            else "`by` is empty: name at least one column."
        )
    cell = np.zeros(len(customers), dtype=np.int64)
    known: list[pd.Index[Any]] = []
    for column in by:
        codes, distinct = sorted_codes(customers[column])
        known.append(distinct)
        cell = cell * (len(distinct) + 1) + np.where(codes < 0, len(distinct), codes)
    cells, codes = np.unique(cell, return_inverse=True)
    levels: dict[str, pd.Series[Any]] = {}
    for column, distinct in zip(reversed(by), reversed(known), strict=True):
        cells, place = np.divmod(cells, len(distinct) + 1)
        # The place behind the last level is the missing one, which reindex fills as missing.
        levels[column] = pd.Series(distinct).reindex(place).reset_index(drop=True)
    return Groups(codes.astype(np.int64), pd.DataFrame({column: levels[column] for column in by}))


def number_or_column(value: Any, customers: pd.DataFrame, name: str) -> Floats:
    """Return one number for all or a column's numbers, shape (n,)."""
    if isinstance(value, str):
        require_columns(customers.columns, [value], "customers")
        problems = Problems("customers")
        values = number_array(customers[value], problems, value, low=RULES[name].low)
        problems.raise_if_any()
        return values
    return np.full(len(customers), check_number(value, name))


def positions(ids: pd.Series[Any], others: pd.Series[Any], table: str) -> Ints:
    """Return the row in `ids` (distinct) of each of the other ids, -1 where it is not there.

    Ids of another kind are refused: a list of text ids finds nobody in a table of numbers, and
    would for instance suppress nobody.
    """
    if len(others) and _is_number(ids) != _is_number(others):
        kinds = ["numbers" if _is_number(one) else "text" for one in (ids, others)]
        raise InputError(
            f"`{table}` has a customer_id of another kind: `customers` holds {kinds[0]}, "
            f"`{table}` holds {kinds[1]}, so no id could match. Convert one of them."
        )
    if ids.dtype != others.dtype:
        ids, others = ids.astype(object), others.astype(object)
    return np.asarray(pd.Index(ids).get_indexer(pd.Index(others)), dtype=np.int64)


def _is_number(ids: pd.Series[Any]) -> bool:
    """Tell whether ids are numbers, whatever their storage."""
    if isinstance(ids.dtype, pd.CategoricalDtype):
        ids = pd.Series(ids.cat.categories)
    kind = pd.api.types.infer_dtype(ids, skipna=True)
    return kind in {"integer", "floating", "mixed-integer-float", "decimal"}
