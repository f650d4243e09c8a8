"""Opening a file of text: what it is, how it is packed, and in words what is wrong with it.

Whatever reads a file of the user's starts here: `open_text` gives the text of a file, packed or
not, and every way in which that can fail is one sentence.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from crmkit._checks import quoted
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "PACKED",
    "USUAL",
    "check_encoding",
    "is_workbook",
    "open_bytes",
    "open_text",
    "shown_name",
    "wide_encoding",
]

# How a packed file begins, whatever its name.
_BEGINS = (
    (b"\x1f\x8b", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ\x00", ".xz"),
    (b"PK\x03\x04", ".zip"),
    (b"PK\x05\x06", ".zip"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
)
PACKED = tuple(dict.fromkeys(ending for _, ending in _BEGINS))
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
# How files begin that hold a table, or none, but not as lines of cells.
_NO_LINES = (
    (b"par1", "a Parquet file: give it a name that ends in .parquet"),
    (_OLD_WORKBOOK, "a workbook of an old spreadsheet: save the sheet as CSV"),
    (b"sqlite format 3", "a SQLite database: export the table as CSV"),
    (b"%pdf", "a PDF: export the table as CSV"),
    (b"<!doctype", "a web page: export the table as CSV"),
    (b"<html", "a web page: export the table as CSV"),
    (b"<?xml", "XML: export the table as CSV"),
    (b'{"', "JSON: export the table as CSV"),
    (b"[{", "JSON: export the table as CSV"),
)
# What a damaged archive raises, of whatever kind; OSError stands for bad magic and bad streams.
_DAMAGED = (
    *(EOFError, OSError, RuntimeError, NotImplementedError),
    *(lzma.LZMAError, zlib.error, zipfile.BadZipFile),
)
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Encodings that exports are written in where it is not utf-8, the likeliest first.
USUAL = ("utf-8", "cp1252", "cp1250", "cp1251", "cp850", "shift_jis", "gb18030", "euc_kr")
_HEAD = 4096
# Where a word ends, and how much of it is shown before and after what cannot be read.
_BETWEEN, _WORD = b',;\t|\r\n"', 20


def shown_name(path: Path) -> str:
    """Return a file's name as text that can be printed, whatever bytes it is made of."""
    return path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def check_encoding(encoding: Any) -> None:
    """Raise unless text can be read in an encoding of this name."""
    try:
        io.TextIOWrapper(io.BytesIO(b"text"), encoding=encoding).read()
    except (LookupError, ValueError, TypeError) as error:
        if isinstance(error, UnicodeError):
            return  # these four bytes are none of its letters
        raise InputError(
            f"`encoding` must name an encoding of text, such as 'utf-8' or 'cp1252'; got "
            f"{quoted(encoding)}."
        ) from None


@contextlib.contextmanager
def open_text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    """Open a file of text, unpacked by how it begins; line ends stay as they are.

    Whatever is wrong with its packing or encoding, found while it is open, is raised in words.
    """
    check_encoding(encoding)
    with _in_words(path, encoding), _unpacked(path) as stream:
        content = io.BufferedReader(stream, 1 << 20)
        head = content.peek(_HEAD)[:_HEAD]
        _refuse_no_lines(path, head)
        _refuse_wide(path, head, encoding)
        plain = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        yield io.TextIOWrapper(content, encoding="utf-8-sig" if plain else encoding, newline="")


@contextlib.contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """Open what a file holds as bytes, unpacked by how it begins."""
    with _in_words(path), _unpacked(path) as stream:
        yield io.BufferedReader(stream, 1 << 20)


def is_workbook(path: Path) -> bool:
    """Tell whether a file is a workbook of a spreadsheet: new ones are archives, old ones not."""
    with path.open("rb") as file:
        begin = file.read(8)
    if begin.startswith(_OLD_WORKBOOK):
        return True
    if not begin.startswith(b"PK\x03\x04"):
        return False
    with _in_words(path), zipfile.ZipFile(path) as archive:
        return bool({"[Content_Types].xml", "content.xml"} & set(archive.namelist()))


@contextlib.contextmanager
def _in_words(path: Path, encoding: str = "") -> Iterator[None]:
    """Say in words what a damaged archive and text of another encoding raise."""
    try:
        yield
    except UnicodeError as error:
        raise InputError(
            f"The file {str(path)!r} is not {encoding} text. Name its own `encoding`"
            f"{_readings(error)}."
        ) from None
    except _DAMAGED as error:
        if isinstance(error, (PermissionError, FileNotFoundError, RecursionError)):
            raise
        if _packing(path) is None and path.suffix.lower() not in PACKED:
            raise
        raise InputError(
            f"The file {str(path)!r} is damaged and cannot be unpacked "
            f"({' '.join(str(error).split()) or 'it ends too early'}). Make or fetch it again."
        ) from None


def _packing(path: Path) -> str | None:
    """Return the ending that says how a file is packed, read from how it begins."""
    with path.open("rb") as file:
        begin = file.read(8)
    return next((ending for bytes_, ending in _BEGINS if begin.startswith(bytes_)), None)


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[Any]:
    """Open what a file holds as bytes."""
    packing, said = _packing(path), path.suffix.lower()
    if said in PACKED and packing != said:
        holds = "is not packed at all, or damaged" if packing is None else f"is packed as {packing}"
        raise InputError(
            f"The file {str(path)!r} {holds}, although its name ends in {said}. Rename it as it "
            "is packed, or make or fetch it again."
        )
    if packing == ".zip":
        with _the_one(path) as (archive, member), archive.open(member) as stream:
            yield stream
        return
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _zstandard}
    with opener.get(packing, open)(path, "rb") as stream:
        yield stream


@contextlib.contextmanager
def _the_one(path: Path) -> Iterator[tuple[zipfile.ZipFile, str]]:
    """Open a zip archive and name the one file in it."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if not _is_extra(name)]
        if "[Content_Types].xml" in members:
            raise InputError(
                f"The file {str(path)!r} is a workbook of a spreadsheet. Save the sheet as CSV."
            )
        if len(members) != 1:
            raise InputError(
                f"The file {str(path)!r} packs {len(members)} files"
                f"{': ' + ', '.join(map(quoted, members[:3])) if members else ''}. Pack the one "
                "table alone, or unpack it first."
            )
        yield archive, members[0]


def _is_extra(name: str) -> bool:
    """Tell whether a member of an archive is a folder, or what a Mac puts beside each file."""
    return name.endswith("/") or name.startswith("__MACOSX/")


def _zstandard(path: Path, _mode: str) -> Any:
    """Open a file packed by Zstandard."""
    try:
        import pyarrow as pa
    except ImportError:
        raise InputError(
            f'Unpacking {str(path)!r} needs pyarrow: python -m pip install "crmkit[data]". Or '
            "pack it as .gz."
        ) from None
    return pa.input_stream(str(path), compression="zstd")


def _refuse_no_lines(path: Path, head: bytes) -> None:
    """Raise if a file holds something that is not lines of text."""
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    what = next((words for bytes_, words in _NO_LINES if begin.startswith(bytes_)), None)
    if what is not None:
        raise InputError(f"The file {str(path)!r} holds {what}.")


def _refuse_wide(path: Path, head: bytes, encoding: str) -> None:
    """Raise if a file is text of two or four bytes a letter, but not said to be, or no text."""
    if b"\0" not in head or encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return
    mark = wide_encoding(head)
    if mark is None:
        raise InputError(f"The file {str(path)!r} is not text. Export the table as CSV.")
    raise InputError(f"The file {str(path)!r} is text of another encoding. Say encoding='{mark}'.")


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding of text of two or four bytes a letter, judged by how it begins."""
    mark = next((name for bytes_, name in _MARKS if head.startswith(bytes_)), None)
    halves = head[::2].count(0), head[1::2].count(0)
    if mark is None and max(halves) > len(head) // 3:
        mark = "utf-16-le" if halves[1] > halves[0] else "utf-16-be"
    return mark


def _readings(error: UnicodeError) -> str:
    """Show how the first word that cannot be read would read in other encodings."""
    if not isinstance(error, UnicodeDecodeError):
        return ""
    data, start = error.object, error.start
    begin = 1 + max(data.rfind(mark, 0, start) for mark in _BETWEEN)
    ends = [place for mark in _BETWEEN if (place := data.find(mark, start)) >= 0]
    word = data[max(begin, start - _WORD) : min([*ends, start + _WORD])]
    read: dict[str, str] = {}
    for name in USUAL:
        with contextlib.suppress(UnicodeDecodeError):
            text = word.decode(name)
            if text.isprintable():
                read.setdefault(text, name)
    shown = ", ".join(f"{text!r} in {name}" for text, name in read.items())
    return f": one word of it reads {shown}" if shown else ""
