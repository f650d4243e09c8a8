"""How ready each customer is for contact: how it answers, what it allows, when it was last met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems
from crmkit._frames import (
    read_consent,
    read_customers,
    sorted_codes,
    table_columns,
    with_account,
)
from crmkit._learn.levels import level_text
from crmkit._log import count_purchases, distinct_per_group, read_log
from crmkit._two_steps import in_two_steps
from crmkit.errors import InputError
from crmkit.segmentation._math import shrink_shares
from crmkit.segmentation._table.contacts import RESPONDED, count_contacts
from crmkit.segmentation._table.costs import lowered_and_refunded
from crmkit.segmentation._table.everybody import everybody, seated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints

__all__ = ["readiness_table"]


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
    log = None
    if transactions is not None:
        optional = ("order_id", "amount", "quantity")
        log = read_log(transactions, optional=optional, since=since, as_of=as_of)
    named = log is not None and "order_id" in table_columns(transactions, "transactions")
    met = count_contacts(contacts, answers=answers, since=since, as_of=as_of, log=log)
    return _ready(met, customers=customers, log=log, named=named)


def _ready(
    met: pd.DataFrame, *, customers: Any, log: PurchaseLog | None = None, named: bool = False
) -> pd.DataFrame:
    """Draw the rates of everybody towards those of all, and add what each allows."""
    codes, ids = sorted_codes(met["customer_id"])
    tables = {}
    if log is not None:
        tables["transactions"] = pd.DataFrame({"customer_id": log.rows.customer_ids})
    if customers is not None:
        tables["customers"] = read_customers(customers)
    account: dict[str, Any] = {} if log is None else dict(log.account)
    everyone, places = everybody(ids, tables, account, name="contacts")
    who, n = places["contacts"][codes], len(everyone)
    table = pd.DataFrame({"customer_id": everyone})
    table["times_contacted"] = _sums(who, met["times_contacted"], n).astype(np.int64)
    table["contact_recency_days"] = _least(who, met["contact_recency_days"], n)
    rates: dict[str, tuple[Floats, Floats]] = _answers(met, who, n)
    if RESPONDED in rates:
        table["response_recency_days"] = _least(who, met["response_recency_days"], n)
    if log is not None:
        orders, returns = _returns(log, named)
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
    table.attrs = {**met.attrs, "base": base}
    return with_account(table, account)


in_two_steps(readiness_table, first=count_contacts, rest=_ready)


def _answers(met: pd.DataFrame, who: Ints, n: int) -> dict[str, tuple[Floats, Floats]]:
    """Return, by rate, each customer's answers and the contacts of which they are known."""

    def counts(name: str, rows: Any) -> tuple[Floats, Floats]:
        yes, of = (_sums(who[rows], met[f"{kind} {name}"][rows], n) for kind in ("yes", "of"))
        return yes, of

    answers = [name.removeprefix("yes ") for name in met.columns if name.startswith("yes ")]
    rates = {name: counts(name, slice(None)) for name in answers}
    if "channel" in met.columns and RESPONDED in answers:
        channel, names = sorted_codes(met["channel"])
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


def _least(who: Ints, days: pd.Series[Any], n: int) -> Floats:
    """Return each customer's fewest of some days, of which some are missing."""
    least = np.full(n, np.inf)
    np.minimum.at(least, who, days.fillna(np.inf).to_numpy())
    return np.where(np.isfinite(least), least, np.nan)


def _sums(who: Ints, counts: pd.Series[Any], n: int) -> Floats:
    """Return each customer's sum of counts."""
    return np.bincount(who, weights=counts, minlength=n).astype(np.float64)
