"""Rows in JSON: a list of objects, lines of them, or a list within an object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._opening import open_bytes
from crmkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from crmkit._reading.account import Account

__all__ = ["read_json"]

# Objects whose amounts are in cents by the description of their interface.
_IN_CENTS = ("charge", "payment_intent", "invoice", "balance_transaction")


def read_json(path: Path, account: Account) -> pd.DataFrame:
    """Return the objects of a file as rows, with one row per line of an order."""
    with open_bytes(path) as stream:
        content = stream.read()
    try:
        text = content.decode("utf-8-sig")
        rows, how = _rows(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The file {str(path)!r} begins as JSON, but cannot be read as such: "
            f"{' '.join(str(error).split())}."
        ) from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(
            f"The file {str(path)!r} holds JSON without a list of objects, one for each row. "
            "Export the table as such a list, or as CSV."
        )
    lines, within = _lines(rows)
    account.note("kind", "JSON", how, "certain")
    if within:
        account.note(
            "lines of an order", f"the lists {within!r}", f"{len(lines):,} objects in the lists of "
            f"{len(rows):,}", "certain",
        )  # fmt: skip
    frame = pd.json_normalize(lines, sep=" ")
    _refuse_cents(rows)
    # A list that is left in a cell is no value of a row.
    for name in frame.columns:
        if frame[name].map(lambda cell: isinstance(cell, (list, dict))).any():
            frame = frame.drop(columns=name)
    return frame


def _rows(text: str) -> tuple[list[Any], str]:
    """Return what a text holds as a list, and how it stands there."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if "Extra data" not in str(error):
            raise
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        return lines, f"{len(lines):,} lines, an object in each"
    if isinstance(whole, list):
        return whole, f"a list of {len(whole):,}"
    lists = {
        name: value
        for name, value in whole.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    if len(lists) == 1:
        name, rows = next(iter(lists.items()))
        if len(rows) > 1 or len(whole) <= 3:
            return rows, f"the list {name!r} of {len(rows):,}"
    return [whole], "one object"


def _lines(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """Make a row of each line of an order, where objects hold a list of lines."""
    held = [
        name
        for name, value in rows[0].items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    if len(held) != 1:
        return rows, ""
    (name,) = held
    # What both have is the order's under "order ...", which then is known for what it is.
    both = {"id"}.union(*(line for row in rows for line in row.get(name) or ()))
    lines = []
    for row in rows:
        whole = {
            (f"order {key}" if key in both else key): cell
            for key, cell in row.items()
            if key != name
        }
        lines += [
            whole
            | {("lineitem name" if key == "name" else key): cell for key, cell in line.items()}
            for line in row.get(name) or [{}]
        ]
    return lines, name


def _refuse_cents(rows: list[dict[str, Any]]) -> None:
    """Ask where an interface of payments counts in the smallest unit of money without saying so."""
    if rows[0].get("object") in _IN_CENTS:
        raise InputError(
            f"LOG holds objects of the kind {rows[0]['object']!r}, whose amounts are whole cents. "
            "Export the payments as CSV, where amounts have decimals."
        )
