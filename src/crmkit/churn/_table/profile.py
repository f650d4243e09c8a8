"""Further columns of customers, as they were known on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems
from crmkit._frames import day_numbers, read_customers, rows_of, without
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._frames import Log
    from crmkit._typing import Ints


__all__ = ["known_columns", "read_profile"]


def read_profile(
    customers: Any, log: Log, account: dict[str, Any]
) -> tuple[pd.DataFrame, Ints, Ints]:
    """Return further columns with the log's customer code and first known day of each row."""
    frame = read_customers(customers, unique=False)
    code = rows_of(
        frame["customer_id"],
        log.customer_ids,
        name="customers",
        other="transactions",
        account=account,
    )
    account["transactions_unmatched"] = without(code, log.n_customers)
    problems = Problems("customers")
    known = np.full(len(frame), np.iinfo(np.int64).min)
    if "known_at" in frame.columns:
        known = day_numbers(frame["known_at"], problems, "known_at")
    repeated = pd.DataFrame({"code": code, "known": known}).duplicated().to_numpy() & (code >= 0)
    problems.rows(
        repeated,
        "column 'customer_id' repeats an earlier row of the same date",
        do="Keep one row per customer, or give each its date in a column 'known_at'.",
    )
    problems.raise_if_any()
    order = np.lexsort((known, code))
    order = order[code[order] >= 0]
    columns = [name for name in frame.columns if name not in ("customer_id", "known_at")]
    return frame[columns].iloc[order], code[order], known[order]


def known_columns(
    profile: tuple[pd.DataFrame, Ints, Ints],
    n_customers: int,
    day: int,
    found: Ints,
    taken: Iterable[str],
) -> dict[str, pd.Series[Any]]:
    """Return, for the customers found, what was known of them by a day."""
    frame, code, known = profile
    clash = [name for name in frame.columns if name in {*taken, "as_of", "churned", "stayed"}]
    if clash:
        raise InputError(f"`customers` has column(s) {clash} that churn_table makes. Rename them.")
    rows = np.flatnonzero(known <= day)
    # Rows are sorted by customer and date: the last write is the latest known.
    latest = np.full(n_customers, -1, dtype=np.int64)
    latest[code[rows]] = rows
    at = latest[found]
    # Reindexing by a label that is not there leaves the value missing in the column's own way.
    labelled = frame.set_axis(pd.RangeIndex(len(frame)), axis=0).reindex(at)
    return {name: labelled[name] for name in labelled.columns}
