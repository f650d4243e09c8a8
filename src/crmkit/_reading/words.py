"""What columns, states and totals are called in files, looked up in one table of words."""

from __future__ import annotations

import csv
import functools
import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ROLES",
    "about_people",
    "currency_signs",
    "in_cents",
    "is_word",
    "plain",
    "roles_of",
    "words_for",
]

# What a column may be; several columns may be a status.
ROLES = (
    *("customer_id", "date", "amount", "price", "quantity", "order_id", "product", "cost"),
    *("status", "currency", "refunded", "row_kind"),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBER = re.compile(r"(?<=.)(nummer|number|numero|num|nr)$")
_CENTS = {"cent", "cents", "centen", "centimes", "centimos", "pence", "minor"}
_CODES = {"eur", "usd", "gbp", "chf", "euro", "in", "utc", "gmt", "local"}


@functools.cache
def _table() -> tuple[tuple[str, str, int, tuple[str, ...]], ...]:
    """Return kind, meaning, rank and words of each line of the table."""
    with Path(__file__).with_name("words.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return tuple(
        (line["kind"], line["means"], int(line["rank"] or 0), tuple(line["words"].split("|")))
        for line in lines
    )


@functools.cache
def plain(text: str) -> str:
    """Return a name or a word without case, accents, blanks and marks: ``Kunden-Nr.``, kundenno."""
    text = _CAMEL.sub(" ", text).replace("#", " no ").replace("°", "o ").replace("ß", "ss")
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    bare = re.sub(r"[\W_]+", "", text)
    return _NUMBER.sub("no", bare)


@functools.cache
def _names() -> dict[str, dict[str, list[tuple[str, int]]]]:
    """Return, per layout ("" for all), the roles and ranks of each plain name."""
    found: dict[str, dict[str, list[tuple[str, int]]]] = defaultdict(lambda: defaultdict(list))
    for kind, _, rank, words in _table():
        *layout, role = kind.split()
        if role not in ROLES:
            continue
        # Within a rank, what stands first in the table is the likelier one.
        for place, word in enumerate(words):
            of_layout = layout[-1] if layout else ""
            found[of_layout][plain(word)].append((role, 0 if layout else 1000 * rank + place))
    for role in ROLES:
        found[""][plain(role)].append((role, -1))
    for name, role, rank in _composed():
        found[""][name].append((role, rank))
    return found


def _composed() -> Iterator[tuple[str, str, int]]:
    """Yield names made of a thing and what is said about it: Kunden-E-Mail, numéro de commande."""
    between = [
        "",
        *(plain(word) for kind, _, _, words in _table() if kind == "filler" for word in words),
    ]
    for kind, thing, _, things in _table():
        for about, role, rank, words in _table() if kind == "thing" else ():
            if about != f"about {thing}":
                continue
            for one, word in itertools.product(map(plain, things), map(plain, words)):
                for name in (one + word, *(word + filler + one for filler in between)):
                    # Behind all names that stand in the table as a whole.
                    yield _NUMBER.sub("no", name), role, 1000 * rank + 900


def roles_of(names: list[str]) -> list[dict[str, int]]:
    """Return for each column what it may be by its name, with a rank (low: likely)."""
    present = {plain(name) for name in names}
    layouts = [""]
    for kind, _, _, words in _table():
        layout, _, name = kind.partition(" ")
        if layout == "layout" and " " not in name and {plain(word) for word in words} <= present:
            layouts.append(name)
    result = []
    for name in names:
        roles: dict[str, int] = {}
        for layout in layouts:
            for written in _readings(name):
                for role, rank in _names()[layout].get(written, ()):
                    roles[role] = min(rank, roles.get(role, rank))
        result.append(roles)
    return result


def _readings(name: str) -> dict[str, None]:
    """Return a name in plain letters: as it is, without what is in brackets, without a currency."""
    without = re.sub(r"\([^)]*\)|\[[^]]*\]", " ", name)
    tokens = re.split(r"[\s_]+", _CAMEL.sub(" ", without.strip(" €$£")))
    while len(tokens) > 1 and tokens[-1].casefold() in _CODES | _CENTS:
        tokens.pop()
    return dict.fromkeys([plain(name), plain(without), plain(" ".join(tokens))])


def in_cents(name: str) -> bool:
    """Tell whether the name of a column says that it counts cents."""
    return bool(_CENTS & set(re.split(r"[\s_()]+", _CAMEL.sub(" ", name).casefold())))


@functools.cache
def words_for(kind: str) -> dict[str, str]:
    """Return what the words of a kind mean, by their plain letters."""
    return {
        plain(word): means for owner, means, _, words in _table() if owner == kind for word in words
    }


def about_people(names: Iterable[object]) -> list[str]:
    """Return the columns that say who customers are, where to reach them, and what they allow."""
    known = words_for("contact").keys() | words_for("consent").keys()
    times = Counter(map(str, names))
    return [name for name, n in times.items() if n == 1 and plain(name) in known]


@functools.cache
def currency_signs() -> dict[str, str]:
    """Return the currency that each sign or code stands for, the longest first."""
    signs = {word: means for kind, means, _, words in _table() if kind == "sign" for word in words}
    return dict(sorted(signs.items(), key=lambda pair: -len(pair[0])))


def is_word(value: Any, meaning: str) -> bool:
    """Tell whether a cell holds a word of this meaning, such as a total."""
    return isinstance(value, str) and words_for("value").get(plain(value)) == meaning
