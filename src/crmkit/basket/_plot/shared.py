"""What the room's pictures share."""

from __future__ import annotations

from typing import Any

LOWER = "Lower `min_support` or `min_confidence`."


def plain_log_ticks(axis: Any, formatter: Any) -> None:
    """Mark 1, 2 and 5 of each power of ten, written as plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(formatter)


def joined(items: tuple[Any, ...]) -> str:
    """Write a tuple of items as text."""
    return " + ".join(str(item) for item in items)


def shortened(item: Any, width: int = 24) -> str:
    """Write an item as text of at most `width` letters, the last a sign that more follow."""
    text = str(item)
    return text if len(text) <= width else text[: width - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
