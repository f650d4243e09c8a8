"""P(alive) through a history: how confidence falls while a customer is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import ranges
from crmkit._checks import check_number
from crmkit._frames import day_column, read_transactions
from crmkit.clv._model.rows import parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit.clv._model.purchases import PurchaseModel

__all__ = ["alive_path"]


def alive_path(
    model: PurchaseModel, transactions: Any, *, as_of: Any, every_days: int
) -> pd.DataFrame:
    """Return customer_id, date, frequency and p_alive for every day since the first purchase."""
    model._check_fitted()
    if model._columns != ("frequency", "recency", "T") or any(model._covariates()):
        raise InputError(
            f"This {type(model).__name__} cannot draw a path from a log alone: it needs covariates "
            "or counts whole periods. Use predict() on a table for each moment."
        )
    step = check_number(every_days, "every_days")
    log = read_transactions(transactions, as_of=as_of)
    bought = np.ones(log.day.size, dtype=bool)
    if log.has("amount"):
        bought = log.amount >= 0.0
    days = pd.DataFrame({"customer": log.customer[bought], "day": log.day[bought]})
    days = days.drop_duplicates().sort_values(["customer", "day"], ignore_index=True)
    customer, day = days["customer"].to_numpy(), days["day"].to_numpy()
    start = np.flatnonzero(np.diff(customer, prepend=-1))
    first = day[start]
    length = (log.as_of - first) // step + 1
    owner, number = ranges(0, length)
    moment = first[owner] + number * step
    # The last purchase at or before each moment: customers are sorted, days within them too.
    span = log.as_of - int(day.min()) + 1
    key = customer * span + (day - day.min())
    found = np.searchsorted(key, customer[start][owner] * span + (moment - day.min()), "right") - 1
    columns = {
        "frequency": (found - start[owner]).astype(np.float64),
        "recency": (day[found] - first[owner]).astype(np.float64),
        "T": (moment - first[owner]).astype(np.float64),
    }
    theta = parameters_at(model.coefficients_, [None] * len(model._names))
    return pd.DataFrame(
        {
            "customer_id": log.customer_ids[customer[start][owner]],
            "date": day_column(moment),
            "frequency": columns["frequency"].astype(np.int64),
            "p_alive": model._future(theta, columns).p_alive,
        }
    )
