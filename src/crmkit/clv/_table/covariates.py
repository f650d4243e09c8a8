"""Covariates that vary over time: a long table read into one path per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, number_array, quoted
from crmkit._frames import day_numbers, read_customers, rows_of, table_columns, to_pandas
from crmkit._periods import day_text
from crmkit.clv._math.varying_paths import Paths, make_paths
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Bools, Ints


__all__ = ["covariate_paths"]

_NAME = "covariates"


def covariate_paths(
    covariates: Any,
    *,
    columns: Sequence[str],
    customer_ids: pd.Index[Any],
    first: Ints,
    until: int,
    other: str,
    account: dict[str, Any],
) -> tuple[Paths, Ints]:
    """Return the distinct paths of covariates and which of them each customer has, (n,).

    Every customer must be covered from day `first` (n,) through day `until`. A table without
    ``customer_id`` is one path for everybody. `other` is the argument that holds the customers.
    """
    shared = "customer_id" not in table_columns(covariates, _NAME)
    if shared:
        frame = to_pandas(covariates, _NAME, needs=["date", *columns], optional=[])
    else:
        frame = read_customers(covariates, needs=["date", *columns], name=_NAME, unique=False)
    if frame.empty:
        raise InputError(f"`{_NAME}` has no rows.")
    problems = Problems(_NAME)
    day = day_numbers(frame["date"], problems, "date")
    values = [number_array(frame[name], problems, name) for name in columns]
    problems.raise_if_any()

    if shared:
        owner, ids, needed = np.zeros(day.size, dtype=np.int64), None, first.min(keepdims=True)
    else:
        owner = rows_of(
            frame["customer_id"], customer_ids, name=_NAME, other=other, account=account
        )
        ids, needed = customer_ids, first
    span = int(day.max() - day.min()) + 1
    key = owner * span + (day - day.min())
    order = np.argsort(key, kind="stable")
    order = order[owner[order] >= 0]
    owner, day = owner[order], day[order]
    _check_days(problems, owner, day, order, len(frame), shared=shared)
    _check_cover(problems, owner, day, ids, needed, until)
    problems.raise_if_any()

    seen = day <= until
    paths, which = make_paths(owner[seen], day[seen], [column[order[seen]] for column in values])
    return paths, np.zeros(first.size, dtype=np.int64) if shared else which


def _check_days(
    problems: Problems, owner: Ints, day: Ints, order: Ints, n: int, *, shared: bool
) -> None:
    """Note days that a customer has twice; rows are sorted by customer and day."""
    repeated = np.zeros(n, dtype=bool)
    repeated[order[1:]] = (owner[1:] == owner[:-1]) & (day[1:] == day[:-1])
    problems.rows(
        repeated,
        "column 'date' repeats a day" + ("" if shared else " of the same customer"),
        do="Keep one row per day; a table with values of each customer needs `customer_id`."
        if shared
        else "Keep one row per customer and day.",
    )


def _check_cover(
    problems: Problems,
    owner: Ints,
    day: Ints,
    ids: pd.Index[Any] | None,
    needed: Ints,
    until: int,
) -> None:
    """Note whose rows begin too late or end too early.

    A last row holds for as long as the longest period of the table, or for good where nobody has
    a second row.
    """
    present = np.bincount(owner, minlength=needed.size) > 0
    begins, ends = needed.copy(), np.full(needed.size, until)
    new = np.diff(owner, prepend=-1) > 0
    begins[owner[new]] = day[new]
    gap = np.diff(day)[~new[1:]]
    longest = int(gap.max()) if gap.size else 0
    if longest:
        final = np.append(new[1:], True)
        ends[owner[final]] = day[final] + longest - 1

    def whose(mask: Bools) -> tuple[int, str]:
        at = int(np.flatnonzero(mask)[0])
        who = "the rows" if ids is None else f"the rows of {int(mask.sum()):,} customers"
        return at, who + ("" if ids is None else f" (first: {quoted(ids[[at]].tolist()[0])})")

    if ids is not None and not present.all():
        absent = ids[~present]
        problems.add(
            f"{len(absent):,} of {len(ids):,} customers in the log have no row (first: "
            f"{quoted(absent[:3].tolist())}). Add their rows from their first purchase on."
        )
    late = begins > needed
    if late.any():
        at, who = whose(late)
        problems.add(
            f"{who} begin after the first purchase: on {day_text(begins[at])}, needed from "
            f"{day_text(needed[at])}. Add the values that held before."
        )
    early = ends < until
    if early.any():
        at, who = whose(early)
        problems.add(
            f"{who} end too early: they cover time through {day_text(ends[at])}, needed through "
            f"{day_text(until)}. Add rows up to there, or look less far ahead. A last row holds "
            f"for as long as the longest period in the table, {longest:,} days."
        )
