"""In which encoding a file of text is written, judged by its bytes."""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from crmkit._opening import USUAL, open_bytes, wide_encoding

if TYPE_CHECKING:
    from pathlib import Path

    from crmkit._reading.account import Account

__all__ = ["find_encoding"]

_CHUNK, _HEAD = 1 << 20, 4096
# Words with letters beyond ASCII that are looked at, and what surrounds such letters.
_ENOUGH = 4000
_WORD = re.compile(rb"[A-Za-z]{0,20}[\x80-\xff][A-Za-z\x80-\xff]{0,40}")
# Marks that stand alone in prices, names and units.
_MARKS = set("€£§°©®™–—‘’“”…«»×²³½·")


def find_encoding(path: Path, account: Account) -> str:
    """Return the encoding of a file and note how it was found."""
    found, evidence, sure = _found(path)
    account.note("encoding", found, evidence, sure, encoding=found)
    return found


def _found(path: Path) -> tuple[str, str, str]:
    """Return an encoding, the evidence for it and how sure that is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    words: list[bytes] = []
    plain = True
    with open_bytes(path) as stream:
        head = stream.peek(_HEAD)[:_HEAD]
        # A file that is no text at all is refused by whoever opens it as text.
        wide = (
            wide_encoding(head) if b"\0" in head or head[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        )
        if wide or wide is None:
            return wide or "utf-8", "how the file begins", "certain"
        while chunk := stream.read(_CHUNK):
            ascii_only = chunk.isascii()
            plain = plain and ascii_only
            if not ascii_only and len(words) < _ENOUGH:
                words += _WORD.findall(chunk)
            if not words:
                continue
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                break
        else:
            why = "every letter is ASCII" if plain else f"{len(words):,} words read as it"
            return "utf-8", why, "certain"
    # A word may be cut where a chunk ends: one of thousands.
    scores = {name: _score(words[:_ENOUGH], name) for name in USUAL if name != "utf-8"}
    best = max(scores, key=lambda name: scores[name])
    example = max(words[:100], key=len).decode(best, "replace")
    return best, f"not utf-8, and {example!r} is a word", "likely"


def _score(words: list[bytes], encoding: str) -> float:
    """Return how much words look like words in an encoding: letters beside letters alike."""
    total = 0.0
    for word in words:
        try:
            text = word.decode(encoding)
        except UnicodeDecodeError:
            total -= 2
            continue
        total += sum(_worth(letter) for letter in text if ord(letter) > 127)
        # Accents stand alone between plain letters; a whole word of them is another alphabet's.
        for one, other in pairwise(text):
            total -= _alphabet(one) != _alphabet(other)
            total -= _accented(one) and _accented(other)
            total -= one.islower() and other.isupper()
    return total


def _alphabet(letter: str) -> str:
    """Return the alphabet of a letter, the first word of its name."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _accented(letter: str) -> bool:
    """Tell whether a letter is a Latin one beyond ASCII."""
    return ord(letter) > 127 and unicodedata.name(letter, "").startswith("LATIN")


def _worth(letter: str) -> float:
    """Return what one letter beyond ASCII says for the encoding that it was read in."""
    if letter in _MARKS:
        return 0.5
    name = unicodedata.name(letter, "")
    if name.startswith(("LATIN SMALL", "CYRILLIC SMALL", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")):
        return 1.0
    return 0.6 if name.startswith(("LATIN CAPITAL", "CYRILLIC CAPITAL")) else -1.0
