"""Reading a file step by step: each infers one thing, notes it, or asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed
from crmkit._frames import ACCOUNT, as_transactions, parse_day, with_account
from crmkit._periods import day_text
from crmkit._reading import (
    columns,
    dates,
    ids,
    money,
    numbers,
    packed,
    refunds,
    rows,
    states,
    totals,
    traps,
)
from crmkit._reading.account import HOW_READ, Account
from crmkit._reading.asked import Asked, asked_of
from crmkit._reading.source import Opening
from crmkit._reading.together import open_files
from crmkit._reading.words import about_people, in_cents
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.numbers import Written
    from crmkit._reading.together import Files
    from crmkit._typing import Ints

__all__ = [
    "Begun",
    "begin",
    "days_of",
    "read_begun",
    "read_file",
    "refuse_no_guests",
    "since_day",
    "without",
]

# Of columns that may be one thing, so many are looked at.
_LOOKED_AT = 4
_NUMBERS = ("amount", "price", "quantity", "cost", "refunded")


def read_file(path: Any, account: Account, **given: Any) -> pd.DataFrame:
    """Read a file as `read_transactions` does, noting each step in an account; `as_of` stays."""
    return read_begun(begin(path, account, **given), account)


def read_begun(begun: Begun, account: Account) -> pd.DataFrame:
    """Read files that are opened in one piece."""
    log = begun.log(begun.files.read(begun.wanted), account)
    asked = begun.asked
    days = days_of(log)
    traps.refuse_far(*np.unique(days, return_counts=True), asked.as_of, asked.since)
    log = since_day(log, asked, account)
    of = log.groupby("customer_id", sort=False)
    traps.largest(
        log.attrs[ACCOUNT],
        lambda: of.size().idxmax(),
        lambda: of["amount"].sum().idxmax(),
        account,
    )
    if asked.as_of is None:
        traps.half_months(np.unique(days_of(log)), account)
    return with_account(log, {HOW_READ: account.lines})


@dataclass(frozen=True)
class Begun:
    """Files that are opened: what was said of them, and which of their columns may be what."""

    asked: Asked
    files: Files
    found: dict[str, list[str]]

    @property
    def wanted(self) -> list[str]:
        """Return the columns that are read."""
        names = [name for names in self.found.values() for name in names]
        return list(dict.fromkeys([*names, *self.asked.where]))

    def saying(self, said: dict[str, str]) -> Begun:
        """Return the same with options said that were inferred elsewhere."""
        asked = asked_of({**self.asked.given, **said})
        found = self.found | {role: [name] for role, name in said.items() if role in self.found}
        for role, other in (("amount", "price"), ("price", "amount")):
            if role in said and asked.amount_per != "order":
                found[other] = []
        return Begun(asked, self.files, found)

    def log(self, frame: pd.DataFrame, account: Account, *, whole: bool = True) -> pd.DataFrame:
        """Make a log of the rows of the files: of all of them, or of those of some customers."""
        # What is left out below is left out here alone.
        found, asked = {role: list(names) for role, names in self.found.items()}, self.asked
        must = found["date"] + (found["amount"] + found["price"] or found["customer_id"])
        frame = rows.without_footers(frame, list(dict.fromkeys(must)), account)
        order = next(iter(found["order_id"]), None)
        frame = self.files.without_repeats(frame, order, asked.duplicates, account)
        if order is not None:
            once = [name for role in ("status", "currency", "date") for name in found[role]]
            frame = rows.fill_orders(frame, order, once, account)
        frame = rows.keep_where(frame, asked.where, account)
        told = [name for name in found["status"] if name not in asked.where]
        kinds = [name for name in found["row_kind"] if name not in asked.where]
        states.one_kind(frame, kinds, account)
        frame, back = states.sold(frame, told, account)
        if frame.empty:
            raise InputError("LOG has no rows that count. Say which do with `where`.")
        return _log(frame.reset_index(drop=True), back, found, asked, account, whole=whole)


def begin(path: Any, account: Account, **given: Any) -> Begun:
    """Open a file, or several, check what is said of them, and find what their columns may be."""
    asked = asked_of(given)
    account.asked(given)
    none = asked.roles["refunded"] == "none"
    if none:
        asked.roles["refunded"] = None
    opening = Opening(
        asked.encoding, asked.separator, asked.header_line, asked.table,
        tuple(name for name in [*asked.roles.values(), *asked.where] if name),
    )  # fmt: skip
    source = open_files(path, opening, asked.duplicates, account)
    if source.sample.empty:
        raise InputError("LOG has no rows.")
    found = columns.may_be(source, asked.roles)
    if none:
        found["refunded"] = []
    if asked.roles["amount"] is not None and asked.amount_per != "order":
        found["price"] = []  # of an order, prices tell the share of each line
    found = {role: names[:_LOOKED_AT] for role, names in found.items()}
    found["people"] = about_people(source.names)
    return Begun(asked, source, found)


def _log(
    frame: pd.DataFrame,
    back: Any,
    found: dict[str, list[str]],
    asked: Asked,
    account: Account,
    *,
    whole: bool,
) -> pd.DataFrame:
    """Make the log of the rows that count."""
    texts = {name: numbers.written(frame[name]) for role in _NUMBERS for name in found[role]}
    marks = numbers.gather(texts.values())
    point, between = numbers.settle(marks, account, asked.decimal, asked.thousands)
    values = {name: text.read(point, between) for name, text in texts.items()}
    for name in filter(in_cents, values):
        account.note("amounts", f"column {name!r} / 100", "its name says cents", "certain")
        values[name] = values[name] / 100
    sums = {name: values[name] for name in found["amount"] if np.isfinite(values[name]).any()}
    words = [name for role in ("customer_id", "order_id", "product") for name in found[role]]
    keep = totals.without_totals(frame, sums, words + found["date"], account)
    keep &= traps.repeated(frame, asked.duplicates, account)
    frame, back = frame[keep].reset_index(drop=True), back[keep]
    values = {name: numbers_of[keep] for name, numbers_of in values.items()}
    _readable(texts, keep, found)
    chosen = columns.settle(frame, found, asked.roles, account)
    clear = traps.one_currency(
        frame,
        [name for name in found["currency"] if name not in asked.where],
        {code: cell for text in texts.values() for code, cell in text.currencies.items()},
        account,
    )
    account.currency = clear
    out = {role: frame[name] for role, name in chosen.items() if role not in _NUMBERS}
    out["customer_id"] = ids.one_way(out["customer_id"], asked.ignore_case, account)
    quantity = next(iter(found["quantity"]), None)
    taken = money.Money(
        values, [name for name in found["amount"] if name in values], found["price"], quantity,
        next(iter(found["refunded"]), None), _codes(frame, chosen.get("order_id")),
        _codes(frame, chosen.get("product")),
    )  # fmt: skip
    said = asked.roles["amount"] is not None or asked.roles["price"] is not None
    worth = money.amounts(taken, asked.amount_per, account, said=said)
    if quantity is not None:
        out["quantity"] = pd.Series(values[quantity])
    if "cost" in chosen:
        out["cost"] = pd.Series(values[chosen["cost"]])
    if worth is not None:
        off = np.nan_to_num(values[taken.refunded]) if taken.refunded else np.zeros(len(worth))
        units = None if quantity is None else values[quantity]
        net = asked.given["refunded"] == "none"
        worth = refunds.signs(worth, back, units, off != 0, taken.order, account, net=net)
        out["amount"] = pd.Series(worth)
    else:
        why = "no column is known to hold amounts or prices"
        account.note("amount", "none", why, "likely", amount=None)
    # Who customers are and what they allow goes with the log, for lists of them.
    out |= {name: frame[name] for name in found["people"] if name not in (*chosen.values(), *out)}
    out["date"], form = dates.find_dates(out["date"], account, asked.date_format, asked.tz)
    log = packed.unpack(pd.DataFrame(out), asked.product_separator, account)
    return _through_the_door(log, form, asked, account, whole=whole)


def _readable(texts: dict[str, Written], keep: Any, found: dict[str, list[str]]) -> None:
    """Leave out columns that hold words instead of numbers, or say so where none is left."""
    for role in _NUMBERS:
        for name in list(found[role]):
            bad = texts[name].unreadable() & keep if texts[name].cores else np.zeros(1, dtype=bool)
            if not bad.any():
                continue
            if len(found[role]) > 1:
                found[role].remove(name)
                continue
            text, places = texts[name], np.flatnonzero(bad)
            cells = [text.cells[text.codes[place]] for place in places[:3]]
            raise InputError(
                f"Column {name!r} of LOG holds what is not a number in {len(places):,} of "
                f"{len(bad):,} rows (first at row {places[0]:,}): {listed(cells)}. Correct these "
                "cells, or say how numbers are written with `decimal` and `thousands`."
            )


def _codes(frame: pd.DataFrame, name: str | None) -> Any:
    """Return a code for each distinct cell of a column."""
    return None if name is None else pd.factorize(frame[name])[0]


def _through_the_door(
    frame: pd.DataFrame, form: str | None, asked: Asked, account: Account, *, whole: bool
) -> pd.DataFrame:
    """Check the log as every log is checked."""
    left = 0
    if asked.guests is not None and asked.guests != ["none"]:
        guests = frame["customer_id"].astype(object).map(str).isin(asked.guests).to_numpy()
        left = int(guests.sum())
        if whole:
            refuse_no_guests(left, len(frame), asked)
        if left:
            account.note(
                "rows", f"{left:,} left out", "of customers who did not say who they are",
                "as said", guests=asked.guests[0],
            )  # fmt: skip
        frame = frame[~guests].reset_index(drop=True)
    elif asked.guests is None and whole:
        counts = frame["customer_id"].value_counts()
        traps.refuse_guests(counts, len(counts), len(frame))
    policies = ("missing_customers", "missing_dates", "missing_amounts", "refunds")
    return as_transactions(
        frame,
        date_format=form,
        tz=asked.tz,
        duplicates="keep" if asked.duplicates in (None, "files") else asked.duplicates,
        **{name: asked.given[name] for name in policies},
    )


def refuse_no_guests(left: int, rows: int, asked: Asked) -> None:
    """Raise unless some rows, and not all, are of those who stand for nobody."""
    if not left or left == rows:
        raise InputError(
            f"`guests` names {listed(asked.guests or ())}, which is the customer of {left:,} of "
            f"{rows:,} rows of LOG. Name the ids that stand for nobody."
        )


def since_day(log: pd.DataFrame, asked: Asked, account: Account) -> pd.DataFrame:
    """Leave out what is dated before the first day to read."""
    if asked.since is None:
        return log
    days, first = days_of(log), parse_day(asked.since, "since")
    if (days < first).any():
        log = without(log, days < first, "before_since")
        account.note(
            "rows", f"{log.attrs[ACCOUNT]['before_since_dropped']:,} left out",
            f"dated before {day_text(first)}", "as said", since=day_text(first),
        )  # fmt: skip
    return log


def days_of(log: pd.DataFrame) -> Ints:
    """Return the days of a log, since 1970."""
    return log["date"].to_numpy().astype("datetime64[D]").astype(np.int64)


def without(log: pd.DataFrame, leave: Any, reason: str) -> pd.DataFrame:
    """Leave rows of a log out, counted in its account."""
    if leave.all():
        raise InputError(f"`{reason.partition('_')[2]}` leaves no row of LOG. Choose another day.")
    kept = log[~leave].reset_index(drop=True)
    note: dict[str, float] = {f"{reason}_dropped": int(leave.sum())}
    if "amount" in log.columns:
        note[f"{reason}_dropped_amount"] = float(log["amount"][leave].sum())
    return with_account(kept, note)
