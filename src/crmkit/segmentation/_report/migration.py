"""Who moved from which segment to which, and how much money moved along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import optional_columns
from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers, rows_of, sorted_codes, with_account, without
from crmkit._money import decimal_sums

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["GONE", "NOT_YET", "segment_migration"]

NOT_YET, GONE = "not yet", "gone"


def segment_migration(before: Any, after: Any, *, value: str | None = None) -> pd.DataFrame:
    """Count customers by the segment they were in and the one they are in now.

    Parameters
    ----------
    before, after : DataFrame
        Customers of two dates with ``customer_id`` and ``segment``, from any function that gives
        segments. A customer of `after` only was not yet there; one of `before` only is gone.
    value : str, optional
        Column of money in both tables, such as ``total_amount`` of the period before each date.

    Returns
    -------
    pandas.DataFrame
        One row per pair of segments with customers:

        * ``from_segment`` (str) - segment in `before`, or ``not yet``.
        * ``to_segment`` (str) - segment in `after`, or ``gone``.
        * ``customers`` (int) - customers who made this move.
        * ``share`` (float) - share of the customers of ``from_segment``.
        * ``value_before`` (float) - their money in `before`; only with `value`.
        * ``value_after`` (float) - their money in `after`; only with `value`.
        * ``value_change`` (float) - the difference; only with `value`. Over all rows it adds up
          to the change of all money.

        ``attrs["account"]`` counts the customers of one table that the other lacks.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a segment or a value is missing, or the tables have no customer in common.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"customer_id": [1, 2, 3], "segment": ["a", "a", "b"]})
    >>> after = pd.DataFrame({"customer_id": [2, 3, 4], "segment": ["b", "b", "a"]})
    >>> segment_migration(before, after)
      from_segment to_segment  customers  share
    0            a          b          1    0.5
    1            a       gone          1    0.5
    2            b          b          1    1.0
    3      not yet          a          1    1.0
    """
    was, was_worth = _read(before, "before", value)
    now, now_worth = _read(after, "after", value)
    account: dict[str, Any] = {}
    found = rows_of(
        was["customer_id"], now["customer_id"], name="before", other="after", account=account
    )
    n_new = account["after_unmatched"] = without(found, len(now))
    new = np.ones(len(now), dtype=bool)
    new[found[found >= 0]] = False
    stayed = found >= 0
    codes, distinct = sorted_codes(pd.concat([was["segment"], now["segment"]], ignore_index=True))
    old_code, new_code = codes[: len(was)], codes[len(was) :]
    # Who was not there yet and who left stand after all segments.
    absent, names = len(distinct), [str(name) for name in distinct]
    first = np.concatenate((old_code, np.full(n_new, absent)))
    second = np.concatenate((np.where(stayed, new_code[found], absent), new_code[new]))
    n = absent + 1
    pairs, codes = np.unique(first * n + second, return_inverse=True)
    customers = np.bincount(codes)
    total = np.bincount(first, minlength=n)
    table = pd.DataFrame(
        {
            "from_segment": [[*names, NOT_YET][pair] for pair in pairs // n],
            "to_segment": [[*names, GONE][pair] for pair in pairs % n],
            "customers": customers,
            "share": customers / total[pairs // n],
        }
    )
    if value is not None:
        old = np.concatenate((was_worth, np.zeros(n_new)))
        fresh = np.zeros(len(was))
        fresh[stayed] = now_worth[found[stayed]]
        fresh = np.concatenate((fresh, now_worth[new]))
        table["value_before"] = decimal_sums(codes, old, len(pairs))
        table["value_after"] = decimal_sums(codes, fresh, len(pairs))
        table["value_change"] = decimal_sums(codes, fresh - old, len(pairs))
    return with_account(table, account)


def _read(table: Any, name: str, value: str | None) -> tuple[pd.DataFrame, Floats]:
    """Return ids and segments as text, and the money or zeros."""
    needs = ["segment", *optional_columns(value=value)]
    frame = read_customers(table, needs=needs, optional=(), name=name)
    problems = Problems(name)
    problems.rows(
        frame["segment"].isna().to_numpy(),
        "column 'segment' is missing",
        do="Drop these rows or give them a segment.",
    )
    taken = frame["segment"].isin([NOT_YET, GONE]).to_numpy(dtype=bool)
    problems.rows(
        taken, f"column 'segment' says {NOT_YET!r} or {GONE!r}", do="Rename that segment."
    )
    worth = np.zeros(len(frame))
    if value is not None:
        worth = number_array(frame[value], problems, value)
    problems.raise_if_any()
    return frame, worth
