"""Charts as SVG in the page: text is text, colours follow the page, values stand by their marks.

A drawing is 400 units wide and text 14 high, so that on a phone no letter is below 11 pixels.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Bar", "Line", "bars", "columns", "lines"]

_WIDTH, _LEFT, _TOP, _BOTTOM = 400.0, 56.0, 24.0, 24.0
_PLOT = 150.0
# Width of a letter, of a bold one and of a bold capital, as a label and its value need it.
_LETTER, _BOLD, _CAPITAL = 7.4, 8.3, 10.4
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Bar:
    """A label with one value or two of different kinds, written, and as a share of the most."""

    label: str
    texts: tuple[str, ...]
    sizes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A named line through points; points that are not known are left out."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    last: str = ""


def _plain(text: object) -> str:
    """Return text that may stand in a drawing."""
    return html.escape(_NO_XML.sub("\ufffd", str(text)))


def _text(x: float, y: float, words: object, css: str = "", anchor: str = "start") -> str:
    """Return text at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{_plain(words)}</text>'
    )


def _rect(
    x: float, y: float, width: float, height: float, css: str, hover: str | None = None
) -> str:
    """Return a bar, with the words that a pointer on it shows."""
    end = "/>" if hover is None else f"><title>{_plain(hover)}</title></rect>"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'class="{css}"{end}'
    )


def _svg(height: float, alternative: str, parts: Sequence[str]) -> Markup:
    """Return a drawing, with what is seen in words."""
    return Markup(  # noqa: S704 - every text in it has passed _plain
        f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="{_plain(alternative)}">{"".join(parts)}</svg>'
    )


def bars(rows: Sequence[Bar], alternative: str, kinds: Sequence[str] = ()) -> Markup:
    """Draw lying bars, one under another; of several kinds each has its colour, named on top."""
    parts: list[str] = []
    y = 16.0
    for at, kind in enumerate(kinds):
        parts.append(_rect(0, y - 10, 12, 12, "ab"[at]))
        parts.append(_text(18, y, kind, "soft"))
        y += 20
    y += 8 if kinds else 0
    seen = []
    for row in rows:
        text = " · ".join(row.texts)
        room = _WIDTH - 12 - _LETTER * len(text)
        parts.append(_text(0, y, _short(row.label, room), "bold"))
        parts.append(_text(_WIDTH, y, text, "", "end"))
        seen.append(f"{row.label}: {', '.join(row.texts)}")
        y += 6
        for at, size in enumerate(row.sizes):
            hover = f"{row.label}: {', '.join(row.texts)}"
            parts.append(_rect(0, y, _WIDTH, 9, "track", hover))
            parts.append(_rect(0, y, _WIDTH * min(max(size, 0), 1), 9, "ab"[at], hover))
            y += 11
        y += 20
    return _svg(y - 14, f"{alternative} {'; '.join(seen)}.", parts)


def _short(label: str, room: float) -> str:
    """Cut a label that has no room; capitals take more of it."""
    wide = [_CAPITAL if letter.isupper() else _BOLD for letter in label]
    if sum(wide) <= room:
        return label
    fits = sum(width <= room - _BOLD for width in accumulate(wide))
    return f"{label[: max(fits, 1)]}…"


def columns(
    labels: Sequence[str],
    values: Sequence[float],
    alternative: str,
    write: Callable[[float], str],
    pale: Sequence[bool] = (),
) -> Markup:
    """Draw standing bars over time; `pale` marks periods that are not whole."""
    frame = _Frame((0, len(values)), (min(0.0, *values), max(0.0, *values)))
    parts = frame.grid(write)
    step = (_WIDTH - _LEFT) / len(values)
    top = max(range(len(values)), key=lambda at: values[at])
    for at, value in enumerate(values):
        low, high = sorted((frame.y(0.0), frame.y(value)))
        css = "a pale" if pale and pale[at] else "a"
        hover = f"{labels[at]}: {write(value)}"
        parts.append(_rect(frame.x(at) + step * 0.1, low, step * 0.8, high - low, css, hover))
    middle = min(max(frame.x(top) + step / 2, _LEFT + 20), _WIDTH - 24)
    parts.append(_text(middle, frame.y(values[top]) - 5, write(values[top]), "bold", "middle"))
    parts += frame.under([(at + 0.5, labels[at]) for at in _spread(len(labels))])
    seen = (
        f"{labels[0]}: {write(values[0])}; {labels[top]}: {write(values[top])}; "
        f"{labels[-1]}: {write(values[-1])}."
    )
    return _svg(frame.height, f"{alternative} {seen}", parts)


def lines(
    drawn: Sequence[Line],
    alternative: str,
    write: Callable[[float], str],
    ticks: Sequence[tuple[float, str]],
    *,
    mark: tuple[float, str] | None = None,
    across: Callable[[float], str],
) -> Markup:
    """Draw lines with their names on top; `mark` is an upright line with words.

    A pointer on a line shows its value there, and by `across` where that is.
    """
    known = [y for line in drawn for y in line.ys if math.isfinite(y)]
    xs = [x for line in drawn for x in line.xs]
    frame = _Frame((min(xs), max(xs)), (min(0.0, *known), max(0.0, *known)), lines=len(drawn))
    parts = frame.grid(write)
    if mark is not None:
        at = frame.x(mark[0])
        side = "end" if at > _WIDTH / 2 else "start"
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{frame.top:.1f}" y2="{frame.low:.1f}" '
            'class="rule"/>'
        )
        shift = -5 if side == "end" else 5
        parts.append(_text(at + shift, frame.low - 6, mark[1], "soft", side))
    seen = []
    for place, line in enumerate(drawn):
        css = "abc"[place]
        points = " ".join(
            f"{frame.x(x):.1f},{frame.y(y):.1f}"
            for x, y in zip(line.xs, line.ys, strict=True)
            if math.isfinite(y)
        )
        parts.append(f'<polyline points="{points}" class="l{css}"/>')
        parts += [
            f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="7" class="at">'
            f"<title>{_plain(f'{across(x)}: {write(y)}')}</title></circle>"
            for x, y in zip(line.xs, line.ys, strict=True)
            if math.isfinite(y)
        ]
        words = f"{line.name}: {line.last}" if line.last else line.name
        y = 15 + 18 * place
        parts.append(f'<line x1="0" x2="22" y1="{y - 5}" y2="{y - 5}" class="l{css}"/>')
        parts.append(_text(28, y, words, f"t{css}"))
        seen.append(words)
    parts += frame.under(ticks)
    return _svg(frame.height, f"{alternative} {'; '.join(seen)}.", parts)


def _spread(n: int) -> list[int]:
    """Return at most four places that lie evenly, the first and the last among them."""
    return sorted({round(at * (n - 1) / 3) for at in range(4)})


class _Frame:
    """Where values lie in the drawing, and the lines and words around them."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float], *, lines: int = 0) -> None:
        self._xs = xs
        spread = ys[1] - ys[0] or 1.0
        raw = spread / 4
        size = 10.0 ** math.floor(math.log10(raw))
        self._step = next(size * by for by in (1, 2, 5, 10) if size * by >= raw)
        self._from = math.floor(ys[0] / self._step) * self._step
        self._to = math.ceil(ys[1] / self._step - 1e-9) * self._step or self._step
        self.top = _TOP + 18 * lines
        self.low = self.top + _PLOT
        self.height = self.low + _BOTTOM

    def x(self, value: float) -> float:
        """Return the place across."""
        low, high = self._xs
        return _LEFT + (_WIDTH - _LEFT) * (value - low) / ((high - low) or 1.0)

    def y(self, value: float) -> float:
        """Return the place down."""
        return self.low - _PLOT * (value - self._from) / (self._to - self._from)

    def grid(self, write: Callable[[float], str]) -> list[str]:
        """Return the level lines with their values."""
        parts = []
        for step in range(round((self._to - self._from) / self._step) + 1):
            value = self._from + step * self._step
            y = self.y(value)
            parts.append(
                f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="rule"/>'
            )
            parts.append(_text(_LEFT - 6, y + 4.5, write(value), "soft", "end"))
        return parts

    def under(self, ticks: Sequence[tuple[float, str]]) -> list[str]:
        """Return the words under the drawing; those at the edges lean inwards."""
        parts = []
        for value, words in ticks:
            x = self.x(value)
            anchor = "start" if x < _LEFT + 30 else "end" if x > _WIDTH - 30 else "middle"
            x = {"start": max(x - 16, _LEFT), "end": min(x + 16, _WIDTH)}.get(anchor, x)
            parts.append(_text(x, self.low + 18, words, "soft", anchor))
        return parts
