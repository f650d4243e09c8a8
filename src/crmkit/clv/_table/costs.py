"""Acquisition cost per customer, given as one number, per customer or per channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import customer_columns, rows_of, to_pandas, without
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["acquisition_costs"]

COST = "acquisition_cost"


def acquisition_costs(
    ids: pd.Series[Any], acquisition_cost: Any, *, customers: Any, account: dict[str, Any]
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
    wanted, name = ids, "transactions"
    if key != "customer_id":
        wanted, name = customer_columns(ids, customers, [key], account)[key], "customers"
    row = rows_of(
        wanted, costs[key], name=name, other=COST, what=key, do="Add them; a cost of 0 is allowed."
    )
    account[f"{COST}_unmatched"] = without(row, len(costs))
    found: Floats = values[row]
    return found
