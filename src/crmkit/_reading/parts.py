"""A log larger than memory, read as any other: in parts of whole customers, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed, quoted
from crmkit._frames import ACCOUNT, parse_day
from crmkit._frames.buckets import FileBucket
from crmkit._frames.duck import duck
from crmkit._frames.findings import far_days
from crmkit._reading import traps
from crmkit._reading.account import HOW_READ, Account
from crmkit._reading.dealing import deal, room
from crmkit._reading.notes import SETTLED, differ, one_account
from crmkit._reading.steps import days_of, refuse_no_guests, since_day
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from crmkit._reading.steps import Begun
    from crmkit._typing import Ints

__all__ = ["Parts", "read_parts"]

_FEW, _CENT = 20, 0.005  # as in `totals`
_SHOWN = 5


@dataclass(frozen=True)
class Parts:
    """A log in parts: files of whole customers, how many are in each, and the account of all."""

    parts: list[FileBucket]
    columns: tuple[str, ...]
    customers: tuple[int, ...]
    account: dict[str, Any]
    sample: pd.DataFrame  # some rows, for the types of their columns
    folder: Path  # where there is room for what else does not fit into memory

    def orders(self) -> int:
        """Count the orders; one of several customers may be in several parts."""
        lines = duck().read_parquet([part.files for part in self.parts])
        return int(lines.aggregate("count(DISTINCT order_id)").fetchall()[0][0])


@dataclass(frozen=True)
class _Read:
    """What is kept of a part that was read."""

    account: dict[str, Any]
    days: Ints
    rows_of: Ints
    most_rows: pd.Series[Any]
    most_money: pd.Series[Any]
    largest_amount: float
    customers: int


def read_parts(
    begun: Begun,
    account: Account,
    folder: Path,
    n_parts: int,
    bar: Callable[[Iterable[Any], int], Iterable[Any]],
) -> Parts:
    """Deal the rows out by customer, and read each part as a log of its own.

    All parts must be read in one way. What a part alone does not prove, such as the order of day
    and month, is read as the first one proves it; where two prove what cannot both be, it is
    asked.
    """
    import pyarrow as pa
    from pyarrow import parquet

    customer = begun.found["customer_id"][0]
    raw = deal(begun, folder, n_parts)
    accounts: list[Account] = []
    read: list[_Read] = []
    log = pd.DataFrame()
    for place, path in enumerate(bar(raw, len(raw))):
        name = f"part {place + 1:,} of {len(raw):,}"
        log, told = _one_part(begun, path, accounts[0] if accounts else None, name)
        path.unlink()
        accounts.append(told)
        read.append(_kept(log))
        log = since_day(log, begun.asked, told)
        read[-1].account.update(log.attrs[ACCOUNT])
        log.attrs = {}
        with room(folder):
            table = pa.Table.from_pandas(log, preserve_index=False)
            parquet.write_table(table, folder / f"log-{place:05d}.parquet")
    if accounts[0].options.get("customer_id", customer) != customer:
        raise InputError(
            f"Columns {listed(begun.found['customer_id'])} of LOG may hold customers, and which is "
            "to be known before it is read in parts. Say which does: customer_id='NAME'."
        )
    one_account(accounts, account)
    found = _together(begun, account, read)
    files = [str(folder / f"log-{place:05d}.parquet") for place in range(len(raw))]
    if "order_id" in log.columns and _by_order(begun, accounts):
        _refuse_shared_orders(files)
    return Parts(
        [FileBucket(file) for file in files],
        tuple(map(str, log.columns)),
        tuple(part.customers for part in read),
        found,
        log.head(_SHOWN),
        folder,
    )


def _one_part(
    begun: Begun, path: Path, first: Account | None, name: str
) -> tuple[pd.DataFrame, Account]:
    """Read a part by itself; where that leaves something open, as the first one was read."""
    told = Account()
    try:
        log = begun.log(pd.read_parquet(path), told, whole=False)
        open_ = {} if first is None else differ(first, told)
    except InputError as error:
        if first is None:
            raise _in_part(error, name) from None
        open_ = {key: value for key, value in first.options.items() if key in SETTLED}
    if not open_ or first is None:
        return log, told
    told = Account()
    try:
        log = begun.saying(open_).log(pd.read_parquet(path), told, whole=False)
        differ(first, told)
    except InputError as error:
        raise _in_part(error, name) from None
    return log, told


def _in_part(error: InputError, name: str) -> InputError:
    """Say that a sentence tells of a part only."""
    return type(error)(f"{error} (LOG is read in parts; rows are counted within {name}.)")


def _kept(log: pd.DataFrame) -> _Read:
    """Return what the traps of the whole log need of a part."""
    of = log.groupby("customer_id", sort=False)
    rows = of.size().nlargest(2)
    money = of["amount"].sum().nlargest(1) if "amount" in log.columns else rows[:0]
    days, rows_of = np.unique(days_of(log), return_counts=True)
    amount = log["amount"].to_numpy() if "amount" in log.columns else np.zeros(1)
    return _Read(
        dict(log.attrs[ACCOUNT]),
        days,
        rows_of,
        rows,
        money,
        float(amount[np.abs(amount).argmax()]),
        int(of.ngroups),
    )


def _together(begun: Begun, account: Account, read: list[_Read]) -> dict[str, Any]:
    """Ask what only the whole log tells, and return what the door would say of it."""
    asked = begun.asked
    counts = pd.concat([part.most_rows for part in read])
    counts = counts.sort_values(ascending=False, kind="stable")
    money = pd.concat([part.most_money for part in read])
    found = _added([part.account for part in read])
    n_rows = int(sum(part.rows_of.sum() for part in read))
    if asked.guests is None:
        traps.refuse_guests(counts, found["customers"], n_rows)
    elif asked.guests != ["none"]:
        said = any(line["option"].startswith("guests=") for line in account.lines)
        refuse_no_guests(int(said), n_rows + 1, asked)
    days, place = np.unique(np.concatenate([part.days for part in read]), return_inverse=True)
    rows_of = np.bincount(place, weights=np.concatenate([part.rows_of for part in read]))
    rows_of = rows_of.astype(np.int64)
    traps.refuse_far(days, rows_of, asked.as_of, asked.since)
    found |= far_days(days, rows_of)
    found["largest_share_of_rows"] = float(counts.iloc[0] / n_rows)
    if len(money) and found["amount_kept"] > 0:
        found["largest_share_of_amount"] = float(money.max() / found["amount_kept"])
    _refuse_total(read, found, n_rows)
    traps.largest(found, lambda: counts.index[0], money.idxmax, account)
    if asked.as_of is None:
        since = days[0] if asked.since is None else parse_day(asked.since, "since")
        traps.half_months(days[days >= since], account)
    return found | {HOW_READ: account.lines}


def _added(accounts: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up what the door counted in each part."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for account in accounts for key in account):
        told = [account[key] for account in accounts if key in account]
        if key in ("first_date", "last_date"):
            found[key] = (min if key == "first_date" else max)(told)
        elif key == "suspicious_ids":
            found[key] = list(dict.fromkeys(one for some in told for one in some))[:_SHOWN]
        elif not key.startswith(("far_", "largest_")):
            found[key] = round(sum(told), 6)
    return found


def _refuse_total(read: list[_Read], found: dict[str, Any], n_rows: int) -> None:
    """Ask about a row that holds the sum of all others, as is done within one file."""
    largest = max((part.largest_amount for part in read), key=abs)
    alone = abs(largest - (found.get("amount_kept", 0.0) - largest)) < _CENT
    if n_rows >= _FEW and alone and largest:
        raise InputError(
            f"A row of LOG has the amount {largest:,.2f}, the sum of all other rows: it is a "
            "total. Take it out of the file."
        )


def _by_order(begun: Begun, accounts: list[Account]) -> bool:
    """Tell whether money was shared, or something filled in, among all lines of an order."""
    asked = begun.asked
    if asked.amount_per == "order" or asked.duplicates == "files":
        return True
    what = {"lines of an order", "refunds"}
    return any(
        told.options.get("amount_per") == "order" or what & {line["what"] for line in told.lines}
        for told in accounts
    )


def _refuse_shared_orders(files: list[str]) -> None:
    """Raise if lines of one order are in two parts, because they have two customers."""
    import duckdb

    shared = duckdb.connect().execute(
        "SELECT count(*), any_value(order_id) FROM (SELECT order_id FROM "
        "read_parquet(?, filename = true) GROUP BY order_id HAVING order_id IS NOT NULL AND "
        "min(filename) != max(filename))",
        [files],
    )
    n, order = shared.fetchall()[0]
    if n:
        raise InputError(
            f"{n:,} orders of LOG, such as {quoted(order)}, have lines of several customers, and "
            "what is said of an order as a whole cannot be shared among parts of whole customers. "
            "Say engine='pandas', with enough memory, or give each line its own amount."
        )
