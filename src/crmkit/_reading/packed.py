"""Products packed in one cell of an order, such as ``2× Mug, 1× Honey``: a line for each."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit._reading.words import roles_of

if TYPE_CHECKING:
    from crmkit._reading.account import Account
    from crmkit._typing import Floats

__all__ = ["unpack"]

_FIRST = re.compile(r"(\d{1,4})\s*[x×*]\s+(\S.*)", re.I | re.S)
_LAST = re.compile(r"(\S.*?)\s*(?:\(\s*[x×]?\s*(\d{1,4})\s*\)|\s[x×*]\s?(\d{1,4}))", re.I | re.S)
_BEFORE_COUNT = re.compile(r"\s*[,;|\n/+]\s*(?=\d{1,4}\s*[x×*]\s)", re.I)
_BEHIND_COUNT = re.compile(r"(?<=[\d)])\s*[,;|\n/+]\s*")
_LISTS = ("\n", "|", ";", ",")
# Shares of cells that must be of a form, and of cells that must hold several.
_MOST, _SEVERAL, _RECUR = 0.97, 0.1, 0.9


class _Piece(NamedTuple):
    """One product of a cell: its units and what it is worth, as far as the cell says so."""

    product: str
    units: float = np.nan
    worth: float = np.nan


def unpack(log: pd.DataFrame, mark: str | None, account: Account) -> pd.DataFrame:
    """Give each product of a cell a row of its own, and each its share of the order's money.

    `mark` is what the caller says stands between products, ``"none"`` where they are single.
    """
    if mark == "none" or "product" not in log.columns:
        return log
    codes, cells = pd.factorize(log["product"].astype(object))
    texts = [str(cell) for cell in cells]
    single = "order_id" not in log.columns or not log["order_id"].dropna().duplicated().any()
    if mark is not None:
        found = [_counted(text.split(mark), mark) for text in texts], "as said"
    elif single and texts:
        found = _found(texts, _units(log, codes))
    else:
        return log
    pieces, how = found
    if not any(len(cell) > 1 for cell in pieces):
        return log
    of_rows = [pieces[code] if code >= 0 else [_Piece("")] for code in codes]
    size = np.array([len(row) for row in of_rows])
    row = np.repeat(np.arange(len(log)), size)
    flat = [piece for pieces_of_row in of_rows for piece in pieces_of_row]
    units, worth = (np.array([piece[place] for piece in flat]) for place in (1, 2))
    out = log.iloc[row].reset_index(drop=True)
    out["product"] = pd.Series([piece.product or None for piece in flat], dtype=object)
    counted, told = np.isfinite(units).any(), np.isfinite(worth).all()
    units = np.where(np.isfinite(units), units, 1.0)
    if counted or "quantity" in out.columns:
        out["quantity"] = units
    weight = np.abs(worth) if told else units
    whole = np.bincount(row, weights=weight)[row]
    share = np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), 1.0 / size[row])
    for name in {"amount", "cost"} & set(out.columns):
        out[name] = out[name].to_numpy(dtype=float) * share
    sure = "as said" if mark else "certain" if counted else "likely"
    account.note(
        "products", f"{len(out):,} in the cells of {len(log):,} rows", how, sure,
        product_separator=mark,
    )  # fmt: skip
    if "amount" in out.columns:
        account.note(
            "amount of a product", "its share of the order",
            "by what the cell says of each" if told else "the same for each unit, because the file "
            "does not say what each cost: no sales of products are known",
            "certain" if told else "not known",
        )  # fmt: skip
    return out


def _units(log: pd.DataFrame, codes: Any) -> Floats | None:
    """Return for each distinct cell how many units its first row says, if there is a column."""
    if "quantity" not in log.columns:
        return None
    return log["quantity"][codes >= 0].groupby(codes[codes >= 0]).first().to_numpy(dtype=float)


def _found(texts: list[str], units: Floats | None) -> tuple[list[list[_Piece]], str]:
    """Find the form in which cells hold several products, if they do."""
    forms = {"names and numbers of each": _keyed, "counts stand before": _first}
    forms |= {"counts stand behind": _last}
    for word, form in forms.items():
        pieces = [form(text) for text in texts]
        if _is_form(pieces):
            count = [sum(piece.units for piece in cell) for cell in pieces]
            proof = (
                ""
                if units is None or np.mean(np.array(count) == units) < _MOST
                else (", and they add up to the column of units")
            )
            whole = [cell or _counted([text]) for cell, text in zip(pieces, texts, strict=True)]
            return whole, f"{word} in cells such as {quoted(_example(texts, pieces))}{proof}"
    for mark in _LISTS:
        pieces = [[_Piece(one.strip()) for one in t.split(mark) if one.strip()] for t in texts]
        proof = _is_list(pieces, units, mark) if _is_form(pieces) else ""
        if proof:
            return pieces, f"{proof}: {quoted(_example(texts, pieces))}"
    return [], ""


def _is_form(pieces: list[list[_Piece]]) -> bool:
    """Tell whether nearly all cells are of a form, and some hold several products."""
    sizes = np.array([len(cell) for cell in pieces])
    return bool((sizes > 0).mean() >= _MOST and (sizes > 1).mean() >= _SEVERAL)


def _is_list(pieces: list[list[_Piece]], units: Floats | None, mark: str) -> str:
    """Return the proof that cells without counts are lists, "" if there is none.

    Names may hold such marks, too: a list is proved by the column of units, or by names that come
    back beside others.
    """
    sizes = np.array([len(cell) for cell in pieces])
    if units is not None and (sizes == units).mean() >= _MOST:
        return "there are as many names as units"
    names = Counter(piece.product for cell in pieces for piece in cell)
    several = [piece.product for cell in pieces if len(cell) > 1 for piece in cell]
    again = np.mean([names[name] > 1 for name in several])
    return "the names come back beside others" if mark != "," and again >= _RECUR else ""


def _example(texts: list[str], pieces: list[list[_Piece]]) -> str:
    """Return the first cell that holds several products."""
    return next(text for text, cell in zip(texts, pieces, strict=True) if len(cell) > 1)


def _counted(parts: list[str], mark: str = "") -> list[_Piece]:
    """Read products with their counts, or without; a name may hold the mark, a count begins one."""
    pieces: list[_Piece] = []
    for part in (part.strip() for part in parts if part.strip()):
        piece = (_first(part) or _last(part) or [_Piece(part)])[0]
        if pieces and np.isnan(piece.units) and np.isfinite(pieces[-1].units):
            last = pieces.pop()
            piece = last._replace(product=f"{last.product}{mark}{part}")
        pieces.append(piece)
    return pieces or [_Piece("")]


def _first(text: str) -> list[_Piece]:
    """Read products with a count before each."""
    found = [_FIRST.fullmatch(part.strip()) for part in _BEFORE_COUNT.split(text)]
    return [] if None in found else [_Piece(one[2], float(one[1])) for one in found if one]


def _last(text: str) -> list[_Piece]:
    """Read products with a count behind each."""
    found = [_LAST.fullmatch(part.strip()) for part in _BEHIND_COUNT.split(text)]
    return [] if None in found else [_Piece(m[1], float(m[2] or m[3])) for m in found if m]


def _keyed(text: str) -> list[_Piece]:
    """Read products whose names and numbers stand under words: ``name:Mug|quantity:2;name:...``."""
    try:
        if text.startswith("["):
            items = [{str(key): str(cell) for key, cell in one.items()} for one in json.loads(text)]
        else:
            pairs = re.split(r"[|;]\s*(?=\w+\s*:)", text)
            items = _items([pair.partition(":")[::2] for pair in pairs])
    except (ValueError, AttributeError, TypeError):
        return []
    pieces = [_piece(item) for item in items]
    return [] if None in pieces else [piece for piece in pieces if piece]


def _items(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Put words and their cells together: with the first word the next product begins."""
    items: list[dict[str, str]] = []
    for key, cell in pairs:
        if not items or key.strip() == next(iter(items[0])):
            items.append({})
        items[-1][key.strip()] = cell.strip(" ;|")
    return items


def _piece(item: dict[str, str]) -> _Piece | None:
    """Return the product, units and worth among the words of an item."""
    roles: dict[str, str] = {}
    for name, of_name in zip(item, roles_of(list(item)), strict=True):
        for role in of_name:
            roles.setdefault(role, item[name])
    product = item.get("name") or roles.get("product")
    if not product or "quantity" not in roles:
        return None
    units = float(roles["quantity"])
    price = roles.get("amount") or roles.get("price")
    worth = np.nan if price is None else float(price) * (1.0 if "amount" in roles else units)
    return _Piece(product, units, worth)
