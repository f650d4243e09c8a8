"""Writing files whole or not at all: whatever this package writes goes through here."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from crmkit._checks import quoted
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "as_path",
    "check_file",
    "check_folder",
    "file_to_read",
    "is_full",
    "temporary_folder",
    "whole_file",
    "with_room",
    "write_file",
]

_LOCK = "owner.lock"


def check_file(path: Any, name: str = "path", *, new_folder: bool = False) -> Path:
    """Return `path` if a file can be written there, else say what is in the way.

    With `new_folder` its folder may be one that can be made.
    """
    file = as_path(path, name)
    if file.is_dir():
        raise InputError(f"`{name}` {quoted(path)} is a folder. Add the name of a file to it.")
    if new_folder and not file.parent.is_dir():
        check_folder(file.parent, name)
        return file
    if not file.parent.is_dir():
        raise InputError(
            f"`{name}` {quoted(path)} lies in a folder that does not exist. Make the folder first."
        )
    new = not file.exists()
    if not os.access(file.parent if new else file, os.W_OK):
        what = "lies in a folder" if new else "is a file"
        raise InputError(
            f"`{name}` {quoted(path)} {what} that you may not write to. Choose another place."
        )
    return file


def check_folder(path: Any, name: str) -> Path:
    """Return `path` if it is a folder to write to, or one that can be made."""
    folder = as_path(path, name)
    above = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    if not above.is_dir():
        raise InputError(
            f"`{name}` {quoted(path)}: {quoted(above)} is a file, not a folder. Choose another "
            "place."
        )
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(
            f"`{name}` {quoted(path)} is a folder that you may not write to. Choose another place."
        )
    return folder


def as_path(path: Any, name: str) -> Path:
    """Return a path that the system can be asked about."""
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text:
        raise InputError(f"`{name}` must be the path of a file; got {quoted(path)}.")
    try:
        Path(text).stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise InputError(f"`{name}` {quoted(path)} is no path that can be used: {what}.") from None
    return Path(text)


def file_to_read(path: Any, name: str) -> Path:
    """Return the path of a file that is there and not empty."""
    path = as_path(path, name)
    if not path.is_file():
        hint = "It is a folder: name a file in it." if path.is_dir() else "Check the path."
        raise InputError(f"`{name}`: there is no file {str(path)!r}. {hint}")
    if path.stat().st_size == 0:
        raise InputError(f"The file {str(path)!r} is empty.")
    return path


@contextmanager
def with_room(sentence: str) -> Iterator[None]:
    """Say this sentence where there is no room left for what is written, whoever writes it."""
    try:
        yield
    except Exception as error:  # of DuckDB, Polars, Arrow or the system
        if not is_full(error):
            raise
        raise InputError(sentence) from None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards, and take away what others left who were killed.

    Its owner holds a lock on a file in it, which the system takes off however a process ends: a
    number of a process may be another one's by then, or one of another container.
    """
    for lock in Path(tempfile.gettempdir()).glob(f"crmkit-*/{_LOCK}"):
        with suppress(OSError), lock.open("r+b") as file:
            if _locked(file) and lock.parent.lstat().st_uid == os.getuid():
                shutil.rmtree(lock.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="crmkit-"))
    try:
        with (folder / "new").open("wb") as file:
            # By its name only what is locked is found by others.
            if _locked(file):
                (folder / "new").rename(folder / _LOCK)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _locked(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; False where another process has it, or nobody can."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def is_full(error: BaseException) -> bool:
    """Tell whether a file could not be written for want of room, whoever was writing it."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "no space left on device" in str(error).lower()


def write_file(path: Path, text: str | bytes, *, private: bool = False) -> None:
    """Write text as UTF-8, or bytes, to a file: all of it, or the file stays as it was."""
    content = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    with whole_file(path, private=private) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Open a file to write bytes to: it is written whole, or stays as it was.

    They go into a file beside it, which then takes its name. A file that is there keeps its
    permissions. A `private` file is never readable for others than its owner's group, and a new
    one for its owner alone.
    """
    # A link stays a link: what it leads to is replaced.
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        # A pipe or a device has no old content to keep, and must not be replaced by a file.
        with target.open("wb") as file:
            yield file
        return
    beside = target.with_name(f".crmkit-{secrets.token_hex(8)}.tmp")
    first = 0o600 if private else 0o666
    try:
        with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, first)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            kept = target.stat().st_mode & 0o777
            beside.chmod(kept & 0o770 if private else kept)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        # The name that the caller knows, not that of the file beside it.
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
