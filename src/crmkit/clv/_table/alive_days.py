"""Each customer's purchase history as it stood on one day after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import ranges
from crmkit._checks import check_number
from crmkit._frames import day_column
from crmkit._log import read_log

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["alive_days"]


def alive_days(
    transactions: Any, *, as_of: Any, every_days: int
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """Return a row per customer and day from the first purchase to `as_of`, and what a model needs.

    That is ``frequency``, ``recency`` and ``T`` as they stood at the end of that day.
    """
    step = check_number(every_days, "every_days")
    log = read_log(transactions, as_of=as_of)
    days, end = log.days(), log.rows.as_of
    first = days.day[days.first]
    owner, number = ranges(0, (end - first) // step + 1)
    moment = first[owner] + number * step
    # Days since the first one: the keys of all customers ascend.
    origin, span = int(first.min()), end - int(first.min()) + 1
    key: Ints = days.customer * span + (days.day - origin)
    last = np.searchsorted(key, owner * span + (moment - origin), side="right") - 1
    history = {
        "frequency": (last - days.first[owner]).astype(np.float64),
        "recency": (days.day[last] - first[owner]).astype(np.float64),
        "T": (moment - first[owner]).astype(np.float64),
    }
    table = pd.DataFrame(
        {
            "customer_id": log.rows.customer_ids[owner],
            "date": day_column(moment),
            "frequency": history["frequency"].astype(np.int64),
        }
    )
    return log.noted(table), history
