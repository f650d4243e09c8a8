"""Who may be contacted: consent, suppression lists and the contacts of the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_column, is_level
from crmkit._checks import Problems, check_number, quoted, require_columns
from crmkit._frames import (
    day_numbers,
    is_far,
    parse_day,
    read_consent,
    read_customers,
    read_ids,
    rows_of,
    without,
)
from crmkit.errors import InputError
from crmkit.response._table.reasons import Reason

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.response._table.offers import Ways


__all__ = ["contact_rooms", "is_suppressed", "ways_permitted"]

_LONG_AGO, _NEVER = -(10**9), 10**9


def ways_permitted(
    people: pd.DataFrame, consent: Any, ways: Ways, *, channel: str | None, purpose: str | None,
    as_of: Any, account: dict[str, Any],
) -> Ints:  # fmt: skip
    """Return a `Reason` per customer and way of contact, shape (n, k): none where it is permitted.

    Where the scores have channels each is read by itself, from a table of consents or from the
    columns of `people` that a mapping names.
    """
    asked = {"channel": channel, "purpose": purpose, "as_of": as_of, "account": account}
    if ways.channels is None:
        if isinstance(consent, Mapping):
            raise InputError("`consent` per channel needs a column 'channel' in `scores`.")
        status = permission_status(people, consent, **asked)
        return np.repeat(status[:, None], ways.treatment.size, axis=1)
    names = ways.channels.tolist()
    if channel is not None:
        raise InputError(
            f"`scores` have a column 'channel' ({quoted(names)}): leave `channel` out."
        )
    if isinstance(consent, str):
        raise InputError(
            f"`scores` have the channels {quoted(names)}, but `consent` is one column: give a "
            "mapping of each channel to its column, or a table of consents."
        )
    if isinstance(consent, Mapping):
        if missing := [name for name in names if name not in consent]:
            raise InputError(f"`consent` lacks the channel(s) {quoted(missing)} of `scores`.")
        columns = [check_column(consent[name], "consent") for name in names]
        each = [permission_status(people, column, **asked) for column in columns]
    else:
        consents = _Consents.read(people, consent, account)
        asks = [consents.asking(channel=one, purpose=purpose) for one in names]
        each = [consents.status(rows, as_of) for rows in asks]
        account["customers_without_consent"] = consents.without(np.any(asks, axis=0))
    return np.stack(each, axis=1)[:, ways.channel]


def permission_status(
    people: pd.DataFrame,
    consent: Any,
    *,
    channel: str | None,
    purpose: str | None,
    as_of: Any,
    account: dict[str, Any],
) -> Ints:
    """Return a `Reason` per customer, shape (n,): none (selected) where consent is given.

    `consent` is the name of a column of `people`, or a table of consents. Of several consents
    for the channel and purpose the latest counts; of several of one day, or without days, an
    opt-out does. An opt-out without a day beside dated ones counts: it may be the latest.
    """
    wanted = {"channel": channel, "purpose": purpose}
    if isinstance(consent, str):
        if given := [name for name, asked in wanted.items() if asked is not None]:
            raise InputError(
                f"`{given[0]}` chooses rows of a table of consents, but `consent` is the column "
                f"{quoted(consent)} of `customers`, which knows none. Name the column that holds "
                f"the consent for it and leave `{given[0]}` out, or pass such a table."
            )
        require_columns(people.columns, [consent], "customers")
        return _status(_flags(people[consent], "customers", consent))
    consents = _Consents.read(people, consent, account)
    rows = consents.asking(**wanted)
    account["customers_without_consent"] = consents.without(rows)
    return consents.status(rows, as_of)


@dataclass(frozen=True, slots=True)
class _Consents:
    """A table of consents, read once for all channels; ``at`` is whose each row is, -1 nobody's."""

    table: pd.DataFrame
    at: Ints
    n_people: int

    @classmethod
    def read(cls, people: pd.DataFrame, consent: Any, account: dict[str, Any]) -> _Consents:
        """Read the table and find its customers."""
        table = read_customers(consent, needs=["consent"], name="consent", unique=False)
        at = _customer_rows(people, table["customer_id"], "consent", account)
        return cls(table, at, len(people))

    def asking(self, **wanted: str | None) -> Bools:
        """Tell which rows are for a channel and a purpose."""
        return np.all([_matching(self.table, *pair) for pair in wanted.items()], axis=0)

    def without(self, rows: Bools) -> int:
        """Return how many people have none of these rows."""
        return without(np.where(rows, self.at, -1), self.n_people)

    def status(self, rows: Bools, as_of: Any) -> Ints:
        """Return a `Reason` per customer by these rows, shape (n,)."""
        table, at = self.table, np.where(rows, self.at, -1)
        status = _status(_flags(table["consent"], "consent", "consent"))
        since = np.zeros(len(table), dtype=np.int64)
        if "since" in table.columns:
            today = _need_day(as_of, "consent", "since")
            since = _days(table["since"], "consent", "since", missing=_LONG_AGO)
            at = np.where(since > today, -1, at)
            since = np.where((since == _LONG_AGO) & (status == Reason.OPTED_OUT), _NEVER, since)
        if "valid_until" in table.columns:
            today = _need_day(as_of, "consent", "valid_until")
            ends = _days(table["valid_until"], "consent", "valid_until", missing=_NEVER)
            status = np.where(
                (status == Reason.SELECTED) & (ends < today), Reason.CONSENT_EXPIRED, status
            )
        result = np.full(self.n_people, Reason.NO_CONSENT, dtype=np.int64)
        # The last write wins: latest day last and, on one day, the most restrictive last.
        strictness = np.array([0, 3, 2, 1])[status]
        order = np.lexsort((strictness, since))
        order = order[at[order] >= 0]
        result[at[order]] = status[order]
        return result


def is_suppressed(people: pd.DataFrame, suppress: Any, account: dict[str, Any]) -> Bools:
    """Tell who is on a suppression list: a table with ``customer_id`` or any list of ids."""
    if suppress is None:
        return np.zeros(len(people), dtype=bool)
    at = _customer_rows(people, read_ids(suppress, "suppress"), "suppress", account)
    return np.bincount(at[at >= 0], minlength=len(people)) > 0


def contact_rooms(
    people: pd.DataFrame, contacts: Any, ways: Ways, *, each: int, max_contacts: Any,
    window_days: Any, as_of: Any, account: dict[str, Any],
) -> tuple[Ints, Bools]:  # fmt: skip
    """Return how many contacts the window still allows, and by which ways, (n, g) and (g, k).

    First by all ways together, no more than `each`, then by those of a channel with a limit.
    """
    n, k = len(people), ways.treatment.size
    room, group = [np.full(n, each)], [np.ones(k, dtype=bool)]
    if contacts is None:
        if max_contacts is not None or window_days is not None:
            raise InputError("`max_contacts` and `window_days` need `contacts`: the past contacts.")
        return np.stack(room, axis=1), np.stack(group)
    most = max_contacts if isinstance(max_contacts, Mapping) else {None: max_contacts}
    most = {name: check_number(number, "max_contacts") for name, number in most.items()}
    window = check_number(window_days, "window_days")
    by_channel = [name for name in most if name is not None]
    if by_channel and ways.channels is None:
        raise InputError("`max_contacts` per channel needs a column 'channel' in `scores`.")
    names = [] if ways.channels is None else ways.channels.tolist()
    if unknown := [name for name in by_channel if not is_level(name, names)]:
        raise InputError(
            f"`max_contacts` names {quoted(unknown)}, which is no channel of `scores` "
            f"({quoted(names[:10])})."
        )
    needs = ["date", *(["channel"] if by_channel else [])]
    table = read_customers(contacts, needs=needs, name="contacts", unique=False, allow_empty=True)
    today = _need_day(as_of, "contacts", "date")
    days = _days(table["date"], "contacts", "date")
    at = _customer_rows(people, table["customer_id"], "contacts", account)
    counted = (days > today - window) & (days <= today) & (at >= 0)
    for name, limit in most.items():
        if name is None:
            room[0] = np.minimum(each, limit - np.bincount(at[counted], minlength=n))
            continue
        there = counted & (table["channel"].astype(object) == name).to_numpy(dtype=bool)
        room.append(limit - np.bincount(at[there], minlength=n))
        group.append(ways.channel == names.index(name))
    return np.stack(room, axis=1), np.stack(group)


def _customer_rows(
    people: pd.DataFrame, ids: pd.Series[Any], name: str, account: dict[str, Any]
) -> Ints:
    """Return the row in `people` of each id; strangers are counted."""
    return rows_of(ids, people["customer_id"], name=name, other="customers", account=account)


def _matching(table: pd.DataFrame, column: str, asked: str | None) -> Bools:
    """Tell which consents are for one channel or purpose; a missing one stands for all of them."""
    if column not in table.columns:
        if asked is not None:
            require_columns(table.columns, [column], "consent")
        return np.ones(len(table), dtype=bool)
    known = table[column].dropna().unique().tolist()
    if asked is None:
        raise InputError(
            f"`consent` has a column {column!r}: say with `{column}` for which one to select, "
            f"for example {column}={quoted(known[:1])}."
        )
    if known and not is_level(asked, known):
        raise InputError(
            f"`{column}` {quoted(asked)} occurs in no row of `consent`, which has "
            f"{quoted(known[:10])}."
        )
    fits = table[column].isna() | (table[column].astype(object) == asked)
    return fits.to_numpy(dtype=bool)


def _flags(series: pd.Series[Any], table: str, column: str) -> Floats:
    """Return a consent column as 1, 0 and NaN."""
    problems = Problems(table)
    values = read_consent(series, problems, column)
    problems.raise_if_any()
    return values


def _status(flags: Floats) -> Ints:
    """Return the reason that each answer gives, shape (n,)."""
    answered = np.where(flags == 1, Reason.SELECTED, Reason.OPTED_OUT)
    return np.where(np.isnan(flags), Reason.NO_CONSENT, answered).astype(np.int64)


def _need_day(as_of: Any, table: str, column: str) -> int:
    """Return the day of the selection, which is needed wherever a table holds dates."""
    if as_of is None:
        raise InputError(
            f"`as_of` is needed because `{table}` has dates in column {column!r}: give the day "
            "on which the selection is made, for example as_of='2025-06-30'."
        )
    return parse_day(as_of, "as_of")


def _days(series: pd.Series[Any], table: str, column: str, missing: int | None = None) -> Ints:
    """Return a date column as day numbers, with a value for missing dates where they may be."""
    problems = Problems(table)
    days = day_numbers(series, problems, column, missing=missing)
    problems.raise_if_any()
    if missing is not None:
        # A day beyond the calendar on the side of a missing one means the same: for good.
        days[is_far(days) & (np.sign(days) == np.sign(missing))] = missing
    return days
