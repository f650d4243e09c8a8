"""A log larger than memory, read as any other: in parts of whole customers, one after the other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed, quoted
from crmkit._frames import ACCOUNT, parse_day
from crmkit._frames.buckets import FileBucket
from crmkit._frames.findings import far_days
from crmkit._reading import traps
from crmkit._reading.account import HOW_READ, Account
from crmkit._reading.arrow import in_arrow
from crmkit._reading.files import parquet_rows
from crmkit._reading.notes import SETTLED, differ, one_account
from crmkit._reading.steps import days_of, refuse_no_guests, since_day
from crmkit._reading.together import FILE
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from crmkit._reading.steps import Begun
    from crmkit._typing import Ints

__all__ = ["Parts", "read_parts"]

_AT_ONCE = 500_000  # rows that are read and dealt out at a time
_FEW, _CENT = 20, 0.005  # as in `totals`
_SHOWN = 5
# A part of so many times as many rows as others have may not fit, unless it is small.
_TWICE, _SMALL = 2, 200_000


@dataclass(frozen=True)
class Parts:
    """A log in parts: files of whole customers, how many are in each, and the account of all."""

    parts: list[FileBucket]
    columns: tuple[str, ...]
    customers: tuple[int, ...]
    account: dict[str, Any]
    sample: pd.DataFrame  # some rows, for the types of their columns


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
    customer = begun.found["customer_id"][0]
    raw = list(_dealt(begun, customer, folder, n_parts))
    _refuse_large(raw, customer, n_parts)
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
        log.to_parquet(folder / f"log-{place:05d}.parquet", index=False)
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


def _refuse_large(raw: list[Path], customer: str, n_parts: int) -> None:
    """Raise if one customer has more rows than a part is meant to have."""
    rows = [parquet_rows(path) for path in raw]
    usual = sum(rows) / n_parts
    for path in (path for path, n in zip(raw, rows, strict=True) if n > _TWICE * usual):
        counts = pd.read_parquet(path, columns=[customer])[customer].value_counts()
        if counts.iloc[0] > max(usual, _SMALL):
            raise InputError(
                f"Customer {quoted(counts.index[0])} of LOG has {counts.iloc[0]:,} rows, more than "
                f"the {usual:,.0f} of a part. Say guests='{counts.index[0]}' to leave these rows "
                "out if it stands for many, or a larger `memory`."
            )


def _in_part(error: InputError, name: str) -> InputError:
    """Say that a sentence tells of a part only."""
    return type(error)(f"{error} (LOG is read in parts; rows are counted within {name}.)")


def _dealt(begun: Begun, customer: str, folder: Path, n_parts: int) -> Iterator[Path]:
    """Deal all rows out to files by a hash of the customer, and name the files that have any."""
    from pyarrow import parquet

    paths = [folder / f"raw-{part:05d}.parquet" for part in range(n_parts)]
    writers: dict[int, Any] = {}
    schema: Any = None
    n_rows, nobody = 0, begun.asked.guests or []
    with ExitStack() as stack:
        for file, source in enumerate(begun.files.sources):
            assert source.pieces is not None  # or there are no parts
            for piece in source.pieces(begun.wanted, _AT_ONCE):
                table = in_arrow(piece, schema)
                part = _part_of(table.column(customer).to_pandas(), nobody, n_parts, n_rows)
                n_rows += len(part)
                schema = schema or table.schema
                if len(begun.files.sources) > 1:
                    table = table.append_column(FILE, [np.full(len(part), file, dtype=np.int32)])
                order = np.argsort(part, kind="stable")
                ends = np.cumsum(np.bincount(part, minlength=n_parts))
                table = table.take(order)
                for place in np.flatnonzero(np.diff(ends, prepend=0)).tolist():
                    first = ends[place - 1] if place else 0
                    if place not in writers:
                        writers[place] = stack.enter_context(
                            parquet.ParquetWriter(paths[place], table.schema)
                        )
                    writers[place].write_table(table.slice(first, ends[place] - first))
    if not writers:
        raise InputError("LOG has no rows.")
    return (paths[place] for place in sorted(writers))


def _part_of(ids: pd.Series[Any], nobody: list[str], n_parts: int, before: int) -> Ints:
    """Return the part of each row by its customer's id; without one, or of `nobody`, any.

    Ids that differ by case, blanks or zeros in front may be asked about: they go to one part.
    """
    codes, distinct = pd.factorize(ids)
    cells: Any = np.asarray(distinct)
    none = np.array([*pd.Series(cells).astype(object).map(str).isin(nobody), True], dtype=bool)
    if cells.dtype.kind not in "iuf":
        bare = [" ".join(str(cell).split()).casefold() for cell in cells.tolist()]
        cells = np.array([cell.lstrip("0") if cell.isdigit() else cell for cell in bare], object)
    part = np.r_[(pd.util.hash_array(cells) % np.uint64(n_parts)).astype(np.int64), 0]
    anywhere = (before + np.arange(len(ids))) % n_parts
    return np.where(none[codes], anywhere, part[codes])


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
