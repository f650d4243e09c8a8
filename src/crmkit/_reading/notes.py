"""What was noted of parts of one log: whether they were read alike, and all of it as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._reading.account import Account

__all__ = ["SETTLED", "differ", "one_account"]

# What must be said alike of every part; of the other options only those of one name.
SETTLED = ("customer_id", "date", "order_id", "product", "quantity", "cost", "price", "amount",
           "amount_per", "date_format")  # fmt: skip
_OTHERS = ("decimal", "thousands", "refunded", "currency", "ignore_case")
# Inferences that a part must share, or another would have to be read again.
_SHARED = ("products", "lines of an order", "clock", "lines")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# Evidence that adds up although it begins with a word.
_ADDS_UP = "given back ("


def differ(first: Account, other: Account) -> dict[str, str]:
    """Return what a part did not prove for itself, as the first part has it, by option.

    What they prove differently is asked.
    """
    one, two = first.options, other.options
    for name in (*SETTLED, *_OTHERS):
        must = name in SETTLED
        if name in two and (name in one or must) and one.get(name) != two[name]:
            was = f"{name}={one[name]!r}" if name in one else f"without `{name}`"
            raise InputError(
                f"Some customers of LOG are to be read with {name}={two[name]!r}, others {was}: "
                "files of several kinds may be mixed. Say which it is."
            )
    for what in _SHARED:
        here, there = (
            {line["evidence"] * (what == "lines") for line in a.lines if line["what"] == what}
            for a in (first, other)
        )
        if here != there:
            raise InputError(
                f"What was inferred of {what!r} holds for some customers of LOG only, so that it "
                "cannot be read in parts. Say engine='pandas', with enough memory, or make the "
                "file one of plain rows."
            )
    return {name: one[name] for name in SETTLED if name in one and name not in two}


def one_account(accounts: list[Account], account: Account) -> None:
    """Add to an account what was noted of all parts: counts added up, examples of the first."""
    account.note(
        "parts", f"{len(accounts):,} of whole customers", "read one after the other, all in one "
        "way; proofs and examples are those of one part", "certain",
    )  # fmt: skip
    lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for line in (line for told in accounts for line in told.lines):
        key = line["what"], line["option"].partition("=")[0], _NUMBER.sub("#", line["value"])
        lines.setdefault(key, []).append(line)
    left = [line["evidence"] for alike in lines.values() for line in alike]
    for (what, _, _), alike in lines.items():
        first = dict(alike[0])
        if what == "state" and any(_column(first["value"]) in why for why in left):
            continue  # in other parts some rows of that column do not count
        first["value"] = _added(line["value"] for line in alike)
        first["evidence"] = _added(line["evidence"] for line in alike)
        account.lines.append(first)
    account.gather(accounts)
    account.currency = next((told.currency for told in accounts if told.currency), "")


def _column(value: str) -> str:
    """Return how a line on rows that were left out by a column's states begins."""
    return value.replace("all rows of ", "").replace(" count", " says")


def _added(texts: Iterable[str]) -> str:
    """Return a text that begins with a count with the counts of all; else the first."""
    some = list(texts)
    first = some[0]
    if not (first[:1].isdigit() or _ADDS_UP in first):
        return first
    if len({_NUMBER.sub("#", text) for text in some}) > 1:
        return first
    found = zip(*(_NUMBER.findall(text) for text in some), strict=True)
    sums = iter([_sum(numbers) for numbers in found])
    return _NUMBER.sub(lambda _: next(sums), first)


def _sum(numbers: Iterable[str]) -> str:
    """Add up numbers as they are written."""
    values = [number.replace(",", "") for number in numbers]
    if any("." in value for value in values):
        return f"{sum(map(float, values)):,.2f}"
    return f"{sum(map(int, values)):,}"
