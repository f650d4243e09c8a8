"""The progress bar of long loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from crmkit._checks import check_flag

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["steps"]

T = TypeVar("T")


def steps(
    items: Iterable[T], what: str, progress: bool, *, total: int | None = None
) -> Iterable[T]:
    """Return `items`, under a bar that names `what` is done where `progress` is wanted."""
    if not check_flag(progress, "progress"):
        return items
    from tqdm.auto import tqdm

    bar: Iterable[T] = tqdm(items, desc=what, leave=False, total=total)
    return bar
