"""Which column of a file is what: by its name, checked against what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._checks import listed, require_columns
from crmkit._reading.dates import looks_like_date
from crmkit._reading.numbers import looks_like_number
from crmkit._reading.states import answers_of
from crmkit._reading.words import ROLES, roles_of
from crmkit.errors import MissingColumnsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from crmkit._reading.account import Account
    from crmkit._reading.together import Files

__all__ = ["may_be", "settle"]

_CHECKS = {
    "date": looks_like_date,
    **dict.fromkeys(("amount", "price", "quantity", "cost", "refunded"), looks_like_number),
}
# Of the cells that are filled, so many must be what the name says.
_MOST = 0.6
# Up to this rank an id is a customer's own; a name is not.
_OWN, _LINE_IDS = 5000, 4000
# Products come back: of so many rows at most this share are of products of their own.
_FEW, _UNLIKE = 50, 0.95
_DO = "Say what the file calls them: customer_id='NAME', date='NAME' and so on."


def may_be(files: Files, given: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Return for each role the columns that it may be, the likeliest first.

    What the caller names is taken as said: such a column is nothing else.
    """
    columns, sample = files.names, files.sample
    require_columns(columns, [name for name in given.values() if name is not None], "LOG", do=_DO)
    found: dict[str, list[tuple[int, int, str]]] = {role: [] for role in ROLES}
    doubtful: dict[str, str] = {}
    named = {name for name in given.values() if name is not None}
    for place, (name, roles) in enumerate(zip(columns, roles_of(columns), strict=True)):
        for role, rank in roles.items() if name and name not in named else ():
            if given.get(role) is None and _fits(sample, place, role):
                found[role].append((rank, place, name))
        if name and name not in named and answers_of(name, sample.iloc[:, place].dropna().unique()):
            found["status"].append((_OWN, place, name))
        # Where nothing else is what a name says, whoever reads the column says what is wrong in it.
        for role in ("date", "amount"):
            if name and name not in named and role in roles:
                doubtful.setdefault(role, name)
    result = {role: [name for _, _, name in sorted(columns)] for role, columns in found.items()}
    own = [name for rank, _, name in sorted(found["customer_id"]) if rank < _OWN]
    result["customer_id"] = own or result["customer_id"]
    if result["product"] or result["quantity"] or result["price"]:
        result["order_id"] = [n for rank, _, n in sorted(found["order_id"]) if rank < _LINE_IDS]
    result |= {role: [name] for role, name in given.items() if name is not None}
    for role, name in doubtful.items():
        if not result[role] and not (role == "amount" and result["price"]):
            result[role] = [name]
    if given.get("price") is not None:
        result["amount"] = []
    for role, word in (("customer_id", "customers"), ("date", "dates")):
        if not result[role]:
            option = "customer_id" if role == "customer_id" else "date"
            raise MissingColumnsError(
                f"No column of `LOG` is known to hold {word}; it has "
                f"{listed(name for name in columns if name)}. Say which does: {option}='NAME'."
            )
    return result


def _fits(sample: pd.DataFrame, place: int, role: str) -> bool:
    """Tell whether the first cells of a column are what its name says."""
    check = _CHECKS.get(role)
    cells = sample.iloc[:, place].dropna()
    if role == "product" and len(cells) >= _FEW and cells.nunique() > _UNLIKE * len(cells):
        # A text of its own in each row describes a payment; lists of products differ as well.
        return bool(cells.astype(str).str.contains(r"[,;|\n]").mean() > 1 - _MOST)
    if check is None or cells.empty:
        return check is None and not cells.empty
    return bool(cells.map(check).mean() >= _MOST)


def settle(
    frame: pd.DataFrame,
    candidates: dict[str, list[str]],
    given: Mapping[str, str | None],
    account: Account,
) -> dict[str, str]:
    """Choose one column for customers, dates, orders, products and costs, and note it.

    Of several, the likeliest name without gaps wins: a payment may lack the customer's number
    and have an e-mail address.
    """
    chosen: dict[str, str] = {}
    for role in ("customer_id", "date", "order_id", "product", "cost"):
        names = [name for name in candidates[role] if name not in chosen.values()]
        if not names:
            continue
        if given.get(role) is not None:
            name = chosen[role] = names[0]
            what = role.replace("_id", "")
            account.note(what, f"column {name!r}", "as said", "as said", **{role: name})
            continue
        gaps = {name: float(frame[name].isna().mean()) for name in names}
        least = min(gaps.values())
        name = next(name for name in names if gaps[name] <= least + 0.001)
        why = "its name says so"
        if name != names[0]:
            why = f"{names[0]!r} has gaps in {gaps[names[0]]:.0%} of the rows, this one has not"
        elif len(names) > 1:
            why += f"; likelier than {', '.join(map(repr, names[1:4]))}"
        sure = "certain" if len(names) == 1 else "likely"
        chosen[role] = name
        account.note(role.replace("_id", ""), f"column {name!r}", why, sure, **{role: name})
    if candidates["quantity"]:
        name = candidates["quantity"][0]
        said = given.get("quantity") is not None
        why, sure = ("as said", "as said") if said else ("its name says so", "certain")
        account.note("quantity", f"column {name!r}", why, sure, quantity=name)
    if "order_id" not in chosen:
        account.note(
            "order", "each customer and day", "no column names orders", "likely", order_id=None
        )
    return chosen
