"""Which files hold a log: one, several, all of a folder, or those of a pattern."""

from __future__ import annotations

import glob
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit._checks import listed, quoted
from crmkit._files import as_path, file_to_read
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._reading.account import Account

__all__ = ["files_of", "only_different"]

# What systems put beside files: hidden ones, locks of open workbooks, marks of finished jobs.
_ASIDE = (".", "_", "~$", "Thumbs.db", "desktop.ini")


def files_of(path: Any) -> list[Path]:
    """Return the files that a path, a pattern, a folder or a list of these name, in their order.

    Those of a folder or a pattern are sorted by name.
    """
    named = list(path) if isinstance(path, (list, tuple)) else [path]
    files = [file for one in named for file in _files(one)]
    if not files:
        raise InputError("`path` names no file. Name the file or files of LOG.")
    places = [file.resolve() for file in files]
    twice = [file for file in files if places.count(file.resolve()) > 1]
    if twice:
        raise InputError(f"LOG names the file {str(twice[0])!r} several times. Name it once.")
    return files


def _files(one: Any) -> Iterator[Path]:
    """Return the files that one path, pattern or folder names."""
    path = as_path(one, "LOG")
    if path.is_dir():
        inside = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
        names = [name for name in inside if not any(p.startswith(_ASIDE) for p in name.parts)]
        where = f"The folder {str(path)!r} of LOG holds no file"
        yield from _some((path / name for name in names), where)
    elif not path.exists() and glob.escape(str(path)) != str(path):
        found = (Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207
        yield from _some((file for file in found if file.is_file()), f"No file is like LOG {one!r}")
    else:
        yield file_to_read(path, "LOG")


def _some(files: Iterator[Path], none: str) -> Iterator[Path]:
    """Return files by name, if there are any."""
    found = sorted(files)
    if not found:
        raise InputError(f"{none}. Check the path.")
    yield from (file_to_read(file, "LOG") for file in found)


def only_different(files: list[Path], duplicates: str | None, account: Account) -> list[Path]:
    """Return the files without those that are another one's copy, or ask about copies."""
    if duplicates == "keep":
        return files
    sizes = defaultdict(list)
    for file in files:
        sizes[file.stat().st_size].append(file)
    first: dict[bytes, Path] = {}
    copies = {}
    for file in (file for alike in sizes.values() if len(alike) > 1 for file in alike):
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").digest()
        if first.setdefault(digest, file) != file:
            copies[file] = first[digest]
    if not copies:
        return files
    copy, other = next(iter(copies.items()))
    if duplicates != "files":
        raise InputError(
            f"The files {quoted(copy.name)} and {quoted(other.name)} of LOG hold the same to the "
            "last letter: one export stands there twice. Leave one out, or say duplicates='files' "
            "to count it once."
        )
    account.note(
        "files", f"{len(copies):,} left out", f"{listed(file.name for file in copies)} hold what "
        "another file holds", "certain", duplicates="files",
    )  # fmt: skip
    return [file for file in files if file not in copies]
