"""The progress bars of long loops and of named steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from crmkit._checks import check_flag

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["StepBar", "steps"]

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


class StepBar:
    """A progress bar over named steps, or nothing."""

    def __init__(self, total: int, show: bool) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=total,
            disable=not check_flag(show, "progress"),
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
        )
        self._begun = False

    def __enter__(self) -> StepBar:
        """Return the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        self._bar.close()

    def say(self, step: str) -> None:
        """Count the step before as done and name the one that begins."""
        if self._begun:
            self._bar.update()
        self._begun = True
        self._bar.set_postfix_str(step)
