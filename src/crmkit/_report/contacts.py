"""What makes a list of customers fit for use: names, addresses to reach them, and consent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, listed
from crmkit._frames import column_kind, read_consent
from crmkit._frames.engines import as_given
from crmkit._reading.words import about_people, plain, words_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._report.story import Story
    from crmkit._typing import Floats

__all__ = ["Contacts", "consent_flags", "read_contacts"]


@dataclass(frozen=True, slots=True)
class Contacts:
    """One row per customer: ``customer_id``, contact columns as named, ``consent`` 1, 0 or NaN.

    ``unread`` tells of columns of consent that could not be read.
    """

    table: pd.DataFrame
    columns: tuple[str, ...]
    consent: str
    unread: str = ""


def read_contacts(story: Story) -> Contacts:
    """Take names and consent from the table of customers, and what it lacks from the log."""
    log, people = story.log, story.customers
    table = pd.DataFrame({"customer_id": log.ids()})
    given = [] if people is None else _named(people.columns)
    if people is not None:
        table = table.merge(people[["customer_id", *given]], on="customer_id", how="left")
    told = [name for name in _named(log.columns) if name not in given]
    if told:
        table = table.merge(log.ask(partial(_last_said, names=told)), on="customer_id", how="left")
    kinds = words_for("consent")
    shown = [name for name in (*given, *told) if plain(name) not in kinds]
    said: dict[str, Floats] = {}
    unread = []
    for name in (*given, *told):
        if name in shown:
            continue
        problems = Problems("customers")
        flags = read_consent(_answers(table[name]), problems, name)
        if name in given:
            problems.raise_if_any()
        if len(problems):
            unread.append(f"{name!r} ({listed(table[name].dropna().unique())})")
        else:
            said[name] = 1.0 - flags if kinds[plain(name)] == "no" else flags
    contacts = table[["customer_id", *shown]]
    if said:
        # A no in one place is a no: it is not known which channel a list is for.
        every = np.column_stack(list(said.values()))
        sure = np.isfinite(every)
        least = np.where(sure, every, 1.0).min(axis=1)
        contacts = contacts.assign(consent=np.where(sure.any(axis=1), least, np.nan))
    return Contacts(contacts, tuple(shown), ", ".join(said), "; ".join(unread))


def _named(columns: Iterable[str]) -> list[str]:
    """Return the columns that say who customers are and what they allow."""
    return [name for name in about_people(columns) if name != "customer_id"]


def _last_said(log: Any, names: list[str]) -> pd.DataFrame:
    """Return what the latest row that says anything says of each customer."""
    log = as_given(log, "transactions", needs=["customer_id", "date", *names], optional=())
    rows = log[["customer_id", *names]].iloc[np.argsort(log["date"].to_numpy(), kind="stable")]
    filled = {name: rows[name].mask(rows[name].astype(str).str.strip() == "") for name in names}
    return rows.assign(**filled).groupby("customer_id", sort=False)[names].last().reset_index()


def _answers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Write answers of other languages and systems as yes and no; the rest stays as it stands."""
    if column_kind(column) != "levels":
        return column
    words = words_for("answer")
    known = {value: words.get(plain(str(value)), value) for value in column.dropna().unique()}
    return column.map(known) if known else column


def consent_flags(contacts: Contacts) -> Any:
    """Return consent as yes, no or missing; yes for all where nothing is known of anybody."""
    if not contacts.consent:
        return pd.Series(True, index=contacts.table.index, dtype="boolean")
    return contacts.table["consent"].astype("boolean")
