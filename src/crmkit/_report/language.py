"""The words of the page: one catalogue per language, and how numbers, money and days look."""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from crmkit._columns import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Language", "LanguageName", "kinds"]

LanguageName = Literal["en", "nl"]

# How each kind of the glossary is written; what is not named here is text.
_WRITTEN = {
    "money": "money",
    **dict.fromkeys(("share", "probability", "p_value"), "share"),
    # A flag that is no yes or no is a count of those who have it.
    **dict.fromkeys(("count", "number", "days", "ratio", "score", "flag"), "number"),
}
_UNKNOWN = "–"


@cache
def catalogue(name: str) -> dict[str, dict[str, Any]]:
    """Return all words of a language, by chapter and key."""
    text = files("crmkit._report").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def kinds(names: Iterable[object]) -> list[str]:
    """Return how each column is written, by the glossary: text, money, share or number."""
    written: list[str] = []
    kind = "number"
    for name in map(str, names):
        kind = kind_of(name, kind)
        written.append(_WRITTEN.get(kind, "text"))
    return written


class Language(Formatter):
    """Sentences, and everything that stands in them, as one language and currency write it."""

    def __init__(self, name: LanguageName = "en", currency: str = "") -> None:
        self.name = name
        self.currency = currency
        self.words = catalogue(name)
        self.form = self.words["form"]

    def say(self, key: str, **values: Any) -> str:
        """Return the sentence ``chapter.key``; of one thing ``key_one``, if it is there.

        Which number decides is the value ``n``.
        """
        chapter, _, name = key.partition(".")
        sentences = self.words[chapter]
        if values.get("n") == 1 and f"{name}_one" in sentences:
            name = f"{name}_one"
        return self.vformat(sentences[name], (), values)

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write a value as its place in the sentence asks: ``{total:money}``."""
        if not format_spec:
            return str(value)
        writers = {
            "count": self.number, "number": self.number, "money": self.money,
            "share": self.share, "day": self.day, "whole": self.whole,
        }  # fmt: skip
        return writers[format_spec](value)

    def _marks(self, text: str) -> str:
        """Put this language's marks into a number that Python wrote."""
        return text.translate({ord(","): self.form["thousands"], ord("."): self.form["decimal"]})

    def number(self, value: float) -> str:
        """Write a count, or a number with three figures that matter."""
        if math.isnan(value):
            return _UNKNOWN
        if value == round(value) or abs(value) >= 1000:
            return self._marks(f"{value:,.0f}")
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        return self._marks(f"{value:,.{digits}f}")

    def whole(self, value: float) -> str:
        """Write a share in whole hundredths."""
        if math.isnan(value):
            return _UNKNOWN
        # Nearly all are not all.
        return ">99%" if 0.995 <= value < 1 else f"{100 * value:.0f}%"

    def money(self, value: float) -> str:
        """Write money: cents only where they matter."""
        if math.isnan(value):
            return _UNKNOWN
        digits = 0 if abs(value) >= 1000 else 2
        text = f"{abs(value):,.{digits}f}"
        minus = value < 0 and float(text.replace(",", "")) != 0
        gap = self.form["gap"] if self.currency and not self.currency.endswith(" ") else ""
        return f"{'−' if minus else ''}{self.currency}{gap}{self._marks(text)}"

    def share(self, value: float) -> str:
        """Write a share as a percentage."""
        if math.isnan(value):
            return _UNKNOWN
        percent = 100 * value
        if percent == 0 or abs(percent) >= 99.95:
            return f"{percent:.0f}%"
        return self._marks(f"{percent:.{1 if abs(percent) >= 0.1 else 2}f}%")

    def change(self, value: float) -> str:
        """Write by how much something grew or fell, with its sign."""
        if not math.isfinite(value):
            return ""
        text = f"{abs(100 * value):,.{0 if abs(value) >= 0.1 else 1}f}%"
        sign = "±" if float(text[:-1].replace(",", "")) == 0 else "−" if value < 0 else "+"
        return sign + self._marks(text)

    def day(self, moment: Any) -> str:
        """Write a date in words."""
        moment = pd.Timestamp(moment)
        return f"{moment.day} {self.form['months'][moment.month - 1]} {moment.year}"

    def month(self, moment: Any) -> str:
        """Write a month, short."""
        moment = pd.Timestamp(moment)
        return f"{self.form['short_months'][moment.month - 1]} {moment.year}"

    @property
    def found(self) -> str:
        """Return how many rows are shown, for the script to fill in."""
        return str(self.words["page"]["found"])

    def short(self, value: float) -> str:
        """Write a number with at most three figures and a word for thousands and millions."""
        for limit, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
            if abs(value) >= limit * 0.9995:
                return self._marks(f"{value / limit:.3g}") + self.form[word]
        return self._marks(f"{value:.3g}")

    def short_money(self, value: float) -> str:
        """Write money with at most three figures."""
        gap = self.form["gap"] if self.currency and not self.currency.endswith(" ") else ""
        return f"{'−' if value < 0 else ''}{self.currency}{gap}{self.short(abs(value))}"

    def heading(self, name: object) -> str:
        """Return a column's name as words."""
        known = self.words["columns"].get(str(name))
        words = known or str(name).replace("_", " ")
        return words[:1].upper() + words[1:]

    def word(self, value: object) -> str:
        """Return what a word of a result, such as a segment, is called."""
        return str(self.words["words"].get(str(value), value))

    def mark(self, name: str, level: str) -> str:
        """Return in words what marks customers whose column has this level."""
        said = self.words["marks"].get(name)
        if said is None or not level[:1].isdigit():
            return f"{self.heading(name)}: {level}"
        return str(said.format(level=level))

    def told(self, sentence: str) -> str:
        """Return what the reading of a file noted in English, as far as this language has it."""
        for form, other in self.words["how_read"].items():
            parts = [
                re.escape(words) + (f"(?P<{name}>.+)" if name else "")
                for words, name, _, _ in self.parse(form)
            ]
            if found := re.fullmatch("".join(parts), sentence):
                return str(other.format(**found.groupdict()))
        return sentence

    def cell(self, value: Any, kind: str) -> str:
        """Write one cell of a column of that kind."""
        if isinstance(value, tuple):
            return " + ".join(str(item) for item in value)
        if isinstance(value, bool):
            return self.word("yes" if value else "no")
        if kind == "text" or not isinstance(value, (int, float)):
            if pd.isna(value):
                return _UNKNOWN
            dated = isinstance(value, pd.Timestamp)
            return f"{value.day} {self.month(value)}" if dated else str(value)
        if kind == "money":
            return self.money(value)
        return self.share(value) if kind == "share" else self.number(value)
