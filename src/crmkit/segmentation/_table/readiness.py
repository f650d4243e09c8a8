"""How ready each customer is for contact: how it answers, what it allows, when it was last met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns
from crmkit._checks import Problems, number_array, require_columns
from crmkit._frames import (
    day_numbers,
    parse_day,
    read_consent,
    read_customers,
    sorted_codes,
    table_columns,
    with_account,
)
from crmkit._learn.levels import level_text
from crmkit._log import count_purchases, distinct_per_group, read_log
from crmkit._periods import day_text
from crmkit.errors import InputError
from crmkit.segmentation._math import shrink_shares
from crmkit.segmentation._table.costs import lowered_and_refunded
from crmkit.segmentation._table.everybody import everybody, seated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._log import PurchaseLog
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["readiness_table"]

USUAL = ("opened", "clicked", "responded", "complained", "referred")
RESPONDED = "responded"


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts of the days asked for: rows of a table, and the day of each, shape (n,)."""

    frame: pd.DataFrame
    day: Ints
    answers: list[str]
    as_of: int
    rows_after_as_of: int
    rows_before_since: int


def readiness_table(
    contacts: Any,
    transactions: Any = None,
    *,
    customers: Any = None,
    answers: Sequence[str] | None = None,
    since: Any = None,
    as_of: Any = None,
) -> pd.DataFrame:
    """Describe each customer by how it answers contact, and which contact it allows.

    Parameters
    ----------
    contacts : DataFrame
        One row per contact: ``customer_id``, ``date`` and, as far as known, ``channel`` and what
        came of it, in columns of 1 or 0, True or False (missing where nobody can tell, as whether
        a letter was opened).
    transactions : DataFrame, optional
        The log, for how often orders are sent back.
    customers : DataFrame, optional
        Further customers, by ``customer_id``. Its columns ``consent`` and ``<channel>_consent`` are
        what they allow; missing consent is no consent.
    answers : list of str, optional
        Columns of `contacts` with what came of it. The default is those of ``opened``,
        ``clicked``, ``responded``, ``complained`` and ``referred`` that are there.
    since : date-like, optional
        First day counted, inclusive. The default is the first day of each table.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in `contacts` and
        `transactions`.

    Returns
    -------
    pandas.DataFrame
        One row per customer of any of the tables, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``times_contacted`` (int) - number of contacts.
        * ``contact_recency_days`` (float) - days since the last contact; missing without one.
        * ``response_recency_days`` (float) - days since the last contact that was answered by a
          response, missing without one; only where `contacts` has ``responded``.
        * ``<answer>_rate`` (float) - share of contacts with this answer, drawn towards that of all
          customers, the more the fewer are known.
        * ``<channel>_responded_rate`` (float) - the same of responses by channel; only where
          `contacts` has ``channel`` and ``responded``.
        * ``returned_rate`` (float) - returns per order, at most 1, drawn towards that of all; only
          with `transactions`.
        * ``<channel>_consent`` (bool) - whether the customer allows it; only with `customers`.

        ``attrs["base"]`` is a list with one entry per rate, a table with ``pandas.DataFrame``: its
        ``variable``, the ``base``, which is the rate of all, and ``base_weight``, how many contacts
        (or orders) of a customer's own the base weighs as much as. ``attrs["account"]`` counts
        customers of one table that the other lacks.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value cannot be used, or there is no contact in the days asked for.

    See Also
    --------
    preference_table : What each customer buys, where and when.
    crmkit.response.select_targets : Who is contacted, within consent.

    Notes
    -----
    A rate is (answers + ``base_weight`` x base) / (contacts + ``base_weight``), the mean a
    posteriori where customers' rates scatter around the base by a beta distribution; how much they
    scatter is learned from all of them [1]_. Who was never contacted has the base, because nothing
    else is known.

    References
    ----------
    .. [1] Ridout, M. S., Demetrio, C. G. B. and Firth, D. (1999). Estimating intraclass correlation
       for binary data. *Biometrics*, 55(1), 137-148.

    Examples
    --------
    >>> import pandas as pd
    >>> contacts = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann"] * 3 + ["bob"] * 3,
    ...         "date": pd.to_datetime(["2025-01-10", "2025-02-10", "2025-03-10"] * 2),
    ...         "responded": [1, 1, 0, 0, 0, 0],
    ...     }
    ... )
    >>> people = pd.DataFrame(
    ...     {"customer_id": ["ann", "bob", "cid"], "email_consent": [True, None, True]}
    ... )
    >>> ready = readiness_table(contacts, customers=people, as_of="2025-03-31")
    >>> ready[["customer_id", "contact_recency_days", "responded_rate", "email_consent"]].round(2)
      customer_id  contact_recency_days  responded_rate  email_consent
    0         ann                  21.0            0.58           True
    1         bob                  21.0            0.08          False
    2         cid                   NaN            0.33           True
    """
    log = None if transactions is None else _read_log(transactions, since, as_of)
    read = _read_contacts(contacts, answers, since, as_of, log)
    codes, ids = sorted_codes(read.frame["customer_id"])
    tables = {}
    if log is not None:
        tables["transactions"] = pd.DataFrame({"customer_id": log.rows.customer_ids})
    if customers is not None:
        tables["customers"] = read_customers(customers)
    account: dict[str, Any] = {} if log is None else dict(log.account)
    everyone, places = everybody(ids, tables, account, name="contacts")
    who, n = places["contacts"][codes], len(everyone)
    table = pd.DataFrame({"customer_id": everyone})
    table["times_contacted"] = np.bincount(who, minlength=n)
    table["contact_recency_days"] = _days_since(who, read.day, read.as_of, n)
    rates: dict[str, tuple[Floats, Floats]] = _answers(read, who, n)
    if RESPONDED in read.answers:
        yes = read.frame[RESPONDED].to_numpy() == 1
        table["response_recency_days"] = _days_since(who[yes], read.day[yes], read.as_of, n)
    if log is not None:
        orders, returns = _returns(log, "order_id" in table_columns(transactions, "transactions"))
        seats = places["transactions"]
        rates["returned"] = (seated(returns, seats, n), seated(orders, seats, n))
    base = []
    for name, (yes_, of) in rates.items():
        shrunk = shrink_shares(np.column_stack([of - yes_, yes_]))
        table[f"{name}_rate"] = shrunk.shares[:, 1]
        base.append({"variable": name, "base": float(shrunk.base[1]), "base_weight": shrunk.weight})
    if customers is not None:
        for column, allowed in _consents(tables["customers"]).items():
            table[column] = seated(allowed, places["customers"], n) == 1
    table.attrs["as_of"] = day_text(read.as_of)
    table.attrs["rows_after_as_of"] = read.rows_after_as_of
    table.attrs["rows_before_since"] = read.rows_before_since
    table.attrs["base"] = base
    return with_account(table, account)


def _read_log(transactions: Any, since: Any, as_of: Any) -> PurchaseLog:
    """Read the log, for its orders and refunds."""
    optional = ("order_id", "amount", "quantity")
    return read_log(transactions, optional=optional, since=since, as_of=as_of)


def _read_contacts(
    contacts: Any, answers: Sequence[str] | None, since: Any, as_of: Any, log: PurchaseLog | None
) -> Contacts:
    """Read the contacts of the days asked for, their answers as 1, 0 and missing."""
    frame = read_customers(contacts, needs=["date"], name="contacts", unique=False)
    if answers is None:
        named = [column for column in USUAL if column in frame.columns]
    else:
        named = check_columns(answers, "answers", empty=True)
        require_columns(frame.columns, named, "contacts")
    problems = Problems("contacts")
    day = day_numbers(frame["date"], problems, "date")
    for column in named:
        values = number_array(frame[column], problems, column, allow_missing=True)
        wrong = np.isfinite(values) & (values != 0) & (values != 1)
        problems.rows(
            wrong,
            f"column {column!r} must be 1 or 0 but is not",
            do="Write what came of each contact as 1, 0 or missing.",
            values=values.tolist() if wrong.any() else None,
        )
        frame[column] = values
    problems.raise_if_any()
    last = max(int(day.max()), -(10**9) if log is None else log.rows.as_of)
    last = last if as_of is None else parse_day(as_of, "as_of")
    first = int(day.min()) if since is None else parse_day(since, "since")
    seen = (day >= first) & (day <= last)
    if not seen.any():
        raise InputError(
            f"`contacts` has no row from {day_text(first)} to `as_of` ({day_text(last)}). Choose "
            "other days."
        )
    kept = frame[seen].reset_index(drop=True)
    after, before = int((day > last).sum()), int((day < first).sum())
    return Contacts(kept, day[seen], named, last, after, before)


def _answers(read: Contacts, who: Ints, n: int) -> dict[str, tuple[Floats, Floats]]:
    """Return, by rate, each customer's answers and the contacts of which they are known."""

    def counts(name: str, rows: Bools) -> tuple[Floats, Floats]:
        values = read.frame[name].to_numpy()
        rows = rows & ~np.isnan(values)
        yes = np.bincount(who[rows & (values == 1)], minlength=n)
        return yes.astype(np.float64), np.bincount(who[rows], minlength=n).astype(np.float64)

    every = np.ones(len(read.frame), dtype=bool)
    rates = {name: counts(name, every) for name in read.answers}
    if "channel" in read.frame.columns and RESPONDED in read.answers:
        channel, names = sorted_codes(read.frame["channel"])
        for at, name in enumerate(names):
            rate = f"{level_text(name)}_{RESPONDED}"
            if rate in rates:
                raise InputError(
                    f"`answers` names {rate!r}, which is the rate of a channel. Rename the column."
                )
            rates[rate] = counts(RESPONDED, channel == at)
    return rates


def _returns(log: PurchaseLog, named: bool) -> tuple[Ints, Ints]:
    """Return orders and returns, at most as many, of each customer of the log."""
    rows = log.rows
    _, back = lowered_and_refunded(rows, log.bought, named=named)
    returns = distinct_per_group(
        rows.customer[back], rows.order_code[back], rows.n_customers, rows.order_span
    )
    orders = count_purchases(rows, "orders", log.bought)
    return orders, np.minimum(returns, orders)


def _consents(people: pd.DataFrame) -> dict[str, Floats]:
    """Return the columns of consent as 1, 0 and missing."""
    problems = Problems("customers")
    found = {
        str(column): read_consent(people[column], problems, str(column))
        for column in people.columns
        if str(column) == "consent" or str(column).endswith("_consent")
    }
    problems.raise_if_any()
    return found


def _days_since(who: Ints, day: Ints, as_of: int, n: int) -> Floats:
    """Return the days since each customer's last of some days; missing without one."""
    last = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(last, who, day)
    return np.where(last > np.iinfo(np.int64).min, (as_of - last).astype(np.float64), np.nan)
