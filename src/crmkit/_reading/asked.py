"""What the caller says about a file, checked before it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crmkit._checks import check_choice, quoted
from crmkit._frames import parse_day
from crmkit._frames.text_numbers import NumberForm
from crmkit._opening import check_encoding
from crmkit._reading.rows import take_where
from crmkit._typing import AmountPer, Repeats, YesOrNo
from crmkit.errors import InputError

__all__ = ["Asked", "asked_of"]


@dataclass(frozen=True)
class Asked:
    """What the caller says about a file, checked, before it is opened."""

    given: dict[str, Any]
    roles: dict[str, str | None]
    where: dict[str, list[str]]
    guests: list[str] | None

    def __getattr__(self, name: str) -> Any:
        """Return what the caller says under a parameter's name."""
        return self.given[name]


def asked_of(given: dict[str, Any]) -> Asked:
    """Check what the caller says."""
    NumberForm(given["decimal"], given["thousands"])
    if given["encoding"] is not None:
        check_encoding(given["encoding"])
    for name, choices in (
        ("amount_per", AmountPer),
        ("duplicates", Repeats),
        ("ignore_case", YesOrNo),
    ):
        if given[name] is not None:
            check_choice(given[name], name, choices)
    for name in ("since", "as_of"):
        if given[name] is not None:
            parse_day(given[name], name)
    line = given["header_line"]
    if line is not None and (isinstance(line, bool) or not isinstance(line, int) or line < 1):
        raise InputError(f"`header_line` must be the number of a line, from 1; got {quoted(line)}.")
    for name in ("where", "guests"):
        if not isinstance(given[name], (str, list, tuple, type(None))):
            raise InputError(
                f"`{name}` must be a text or a list of texts; got {quoted(given[name])}."
            )
    given["separator"] = _separators(given["separator"], given["product_separator"])
    roles = {
        name: given[name]
        for name in ("customer_id", "date", "amount", "order_id", "product", "quantity", "cost")
    }
    roles |= {"price": given["price"], "refunded": given["refunded"]}
    named = [name for name in roles.values() if name is not None]
    twice = [name for name in named if named.count(name) > 1]
    if twice:
        which = [role for role, name in roles.items() if name == twice[0]]
        raise InputError(
            f"LOG: one column cannot be several things: {twice[0]!r} is named for "
            f"{' and '.join(f'`{role}`' for role in which)}."
        )
    if roles["price"] is not None and roles["amount"] is not None:
        raise InputError(
            "`price` and `amount` say the same thing: amount is price x quantity. Name one of them."
        )
    guests = given["guests"]
    return Asked(
        given,
        roles,
        take_where(given["where"]),
        None if guests is None else [guests] if isinstance(guests, str) else list(guests),
    )


def _separators(separator: Any, between: Any) -> str | None:
    """Return the mark between cells, and check the one between products in a cell."""
    if between is not None and (not isinstance(between, str) or not between):
        raise InputError(
            "`product_separator` must be what stands between products in a cell, such as ';', or "
            f"'none'; got {quoted(between)}."
        )
    if separator == "tab":
        return "\t"
    if separator is not None and (
        not isinstance(separator, str)
        or len(separator) != 1
        or separator.isalnum()
        or separator in '"\n'
    ):
        raise InputError(
            f"`separator` must be the one mark between cells, such as ';', or 'tab'; got "
            f"{quoted(separator)}."
        )
    return separator
