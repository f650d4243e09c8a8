"""What the rooms' plots share: an Axes to draw on, colours that all can tell apart, formatters."""

from __future__ import annotations

import contextlib
from functools import cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unicodedata import category

from crmkit._checks import quoted
from crmkit._frames import to_pandas
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

__all__ = [
    "COLORS",
    "GREY",
    "SEQUENTIAL",
    "count",
    "money",
    "new_axes",
    "percent",
    "plain",
    "table_to_draw",
    "tidy",
]

# Okabe and Ito (2008): eight colours that remain distinct under the common forms of colour
# blindness. Black stands last so that data never hide behind axes.
COLORS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"]
GREY = "#7f7f7f"
SEQUENTIAL = "cividis"
# Signs that turn the direction of the text after them.
_TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
# Letters in a line of text from a table.
_LONGEST = 60


def new_axes(ax: Axes | None, *, figsize: tuple[float, float] = (7.0, 4.2)) -> Axes:
    """Return `ax`, or the Axes of a new figure that no window manager holds on to."""
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        raise InputError(f"`ax` must be a matplotlib Axes to draw on; got {quoted(ax)}.")
    figure = Figure(figsize=figsize, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    shown: Any
    for shown in (figure, ax):  # a notebook asks the last value of a cell for its picture
        shown._repr_png_ = partial(_png, figure)
    return ax


def _png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG picture."""
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def table_to_draw(
    table: Any, name: str, needs: Iterable[str], *, do: str = "Draw a table that has some."
) -> pd.DataFrame:
    """Return a table with the columns that a picture needs, or say that it is none."""
    frame = to_pandas(table, name, needs=needs)
    if frame.empty:
        raise InputError(f"`{name}` has no rows to draw. {do}")
    return frame


def tidy(ax: Axes) -> Axes:
    """Take away the frame's upper and right line, which carry nothing."""
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plain(text: Any) -> str:
    """Return text from a table as a picture can show it: letter by letter, without any warning.

    A dollar sign begins no formula. Control characters, and letters that none of the fonts named
    in ``rcParams["font.family"]`` has, become the sign for such; name a font that has them, and
    they are drawn. Long lines are cut, so that some of the picture stays for the data.
    """
    from matplotlib import rcParams

    known = _letters(tuple(rcParams["font.family"]))
    shown = "".join(
        letter if letter == "\n" or ord(letter) in known else _substitute(letter)
        for letter in str(text)
    )
    lines = [
        line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
        for line in shown.split("\n")
    ]
    # A legend leaves out what begins with an underscore.
    return (" " * shown.startswith("_") + "\n".join(lines)).replace("$", r"\$")


def _substitute(letter: str) -> str:
    """Return what stands for a letter that cannot be drawn."""
    return " " if letter.isspace() else "" if category(letter) in ("Cf", "Mn") else "\ufffd"


@cache
def _letters(families: tuple[str, ...]) -> frozenset[int]:
    """Return the letters that fonts can draw, by number: those that matplotlib looks into."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    paths = []
    for family in families:
        with contextlib.suppress(ValueError):
            paths.append(findfont(FontProperties(family=family), fallback_to_default=False))
    fonts = [get_font(path) for path in paths or [findfont(FontProperties())]]
    found = {letter for font in fonts for letter in font.get_charmap() if letter > 31}
    return frozenset(found.difference(_TURNS))


def _formatter(function: Any) -> FuncFormatter:
    """Wrap a function of one value as a tick formatter."""
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _position: function(value))


def short_number(value: float) -> str:
    """Write a number with at most three figures and k, M or bn."""
    size = abs(value)
    for limit, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def money() -> FuncFormatter:
    """Format ticks as amounts, short: 12k, 3.4M."""
    return _formatter(short_number)


def count() -> FuncFormatter:
    """Format ticks as counts, short."""
    return _formatter(short_number)


def percent() -> FuncFormatter:
    """Format ticks given as shares as percentages."""
    return _formatter(lambda value: f"{100 * value:.3g}%")
