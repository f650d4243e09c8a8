"""Read how long customers stayed, or have stayed so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import columns_named, optional_columns
from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers
from crmkit.churn._math.tenures import Tenures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from crmkit._typing import Ints


__all__ = ["read_tenures", "split", "tenures_of"]


def read_tenures(
    customers: Any,
    duration: str,
    event: str,
    *,
    entry: str | None = None,
    weights: str | None = None,
    columns: Sequence[str] = (),
) -> tuple[Tenures, pd.DataFrame]:
    """Return the tenures of a table of customers or contracts, and the table with `columns`."""
    needs = [*columns_named(duration=duration, event=event), *columns]
    needs += optional_columns(entry=entry, weights=weights)
    frame = read_customers(customers, needs=needs, optional=(), unique=False)
    return tenures_of(frame, duration, event, entry=entry, weights=weights), frame


def tenures_of(
    frame: pd.DataFrame,
    duration: str,
    event: str,
    *,
    entry: str | None = None,
    weights: str | None = None,
) -> Tenures:
    """Return the tenures in a table that was read."""
    problems = Problems("customers")
    time = number_array(frame[duration], problems, duration, low=0)
    left = number_array(frame[event], problems, event)
    neither = np.isfinite(left) & (left != 0) & (left != 1)
    problems.rows(
        neither,
        f"column {event!r} is neither 0 (still here) nor 1 (left)",
        do="Recode it first.",
        values=left.tolist() if neither.any() else None,
    )
    begin = weight = None
    if entry is not None:
        begin = number_array(frame[entry], problems, entry, low=0)
        problems.rows(
            (begin >= time) & (begin > 0),
            f"column {entry!r} is not below {duration!r}",
            do="Drop these rows: they ended before anybody watched.",
            values=frame[entry],
        )
    if weights is not None:
        weight = number_array(frame[weights], problems, weights, low=0, low_open=True)
    problems.raise_if_any()
    return Tenures(time, left == 1, begin, weight)


def split(group: Ints, n_groups: int) -> Iterator[Any]:
    """Yield what selects the rows of each group, in turn."""
    if n_groups == 1:
        yield slice(None)
        return
    order = np.argsort(group, kind="stable")
    yield from np.split(order, np.searchsorted(group[order], np.arange(1, n_groups)))
