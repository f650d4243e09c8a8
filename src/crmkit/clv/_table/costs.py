"""Acquisition cost per customer, given as one number, per customer or per channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import read_customers, to_pandas
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["acquisition_costs", "lookup"]

COST = "acquisition_cost"


def acquisition_costs(
    ids: pd.Series[Any], acquisition_cost: Any, *, customers: Any = None
) -> Floats:
    """Cost of winning each customer in `ids`; shape (n,)."""
    if isinstance(acquisition_cost, (int, float, np.number)):
        return np.full(len(ids), check_number(acquisition_cost, COST))
    costs = to_pandas(acquisition_cost, COST, needs=[COST])
    keys = [column for column in costs.columns if column != COST]
    key = "customer_id" if "customer_id" in keys else keys[0] if len(keys) == 1 else None
    if key is None:
        raise InputError(
            f"`{COST}` must be a number or a table of `{COST}` and one more column that says whom "
            f"it is for (`customer_id` or a column of `customers`); it has {list(costs.columns)}."
        )
    problems = Problems(COST)
    values = number_array(costs[COST], problems, COST, low=0.0)
    problems.rows(
        costs[key].duplicated().to_numpy(),
        f"column {key!r} repeats",
        do="Give one cost for each.",
    )
    problems.raise_if_any()
    wanted = ids if key == "customer_id" else lookup(ids, customers, key)
    row = pd.Index(costs[key]).get_indexer(pd.Index(wanted))
    absent = row < 0
    if absent.any():
        missing = pd.Series(pd.unique(pd.Series(wanted)[absent]))
        raise InputError(
            f"`{COST}` has no cost for {len(missing):,} values of {key!r} (first: "
            f"{missing.head(3).tolist()!r}). Add them; a cost of 0 is allowed."
        )
    found: Floats = values[row]
    return found


def lookup(ids: pd.Series[Any], customers: Any, column: str) -> pd.Series[Any]:
    """Value of a column of `customers` for each id in `ids`, in their order."""
    if customers is None:
        raise InputError(
            f"`customers` is needed: the table in which column {column!r} stands for each customer."
        )
    table = read_customers(customers, needs=(column,))
    row = pd.Index(table["customer_id"]).get_indexer(pd.Index(ids))
    absent = row < 0
    if absent.any():
        raise InputError(
            f"`customers` lacks {int(absent.sum()):,} of {len(ids):,} customers (first: "
            f"{ids[absent].head(3).tolist()!r}). Add them with their {column!r}."
        )
    found: pd.Series[Any] = table[column].iloc[row].reset_index(drop=True)
    return found
