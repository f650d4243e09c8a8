"""From sections to one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._report.downloads import as_download
from crmkit._report.language import kinds
from crmkit._report.pieces import Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._report.language import Language
    from crmkit._report.pieces import Figure, Section, Step, Todo

__all__ = ["render"]


# Pictures, styles and the one script that stand in the page itself, and nothing else: whatever text
# might slip in, no other script runs and nothing is fetched or sent.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{script}'; "
    "base-uri 'none'; form-action 'none'"
)
# Rows of a list that the page shows of itself.
_FIRST = 25


def _listed(sheet: Sheet, words: Language) -> dict[str, Any]:
    """Return what the template needs of a table."""
    columns = [name for name in sheet.columns or sheet.table.columns if name in sheet.table.columns]
    shown = sheet.table.head(sheet.shown)[columns]
    cells, sides = [], []
    for name, kind in zip(columns, kinds(columns), strict=True):
        side = "text" if kind == "text" or shown[name].dtype.kind not in "iuf" else "number"
        values = shown[name].tolist()
        cells.append([(words.cell(value, kind), side, _sorted_by(value)) for value in values])
        sides.append(side)
    return {
        "name": sheet.name,
        "columns": list(zip(map(words.heading, columns), sides, strict=True)),
        "rows": list(zip(*cells, strict=True)),
        "words": sheet.words,
        "more": len(sheet.table) - len(shown),
    }


def _first(step: Step, words: Language) -> Sheet:
    """Return the beginning of a list, to be looked at in the page."""
    return Sheet(step.key, step.table, words.say("page.first", title=step.title), _FIRST)


def _fingerprint(script: str) -> str:
    """Return by what a browser knows the one script that may run."""
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _sorted_by(value: Any) -> str | None:
    """Return the number by which a cell is sorted; None for text, and for what is not known."""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y%m%d}"
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return f"{value:.9g}" if known else None


def render(
    title: str,
    subtitle: str,
    *,
    figures: list[Figure],
    todo: Todo,
    sections: list[Section],
    words: Language,
    logo: str = "",
    checks: Sequence[str] = (),
) -> str:
    """Return the page: no file beside it, no address outside it, a script that it does without."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("crmkit._report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    chapters = [
        {
            "key": section.key,
            "question": section.question,
            "answer": section.answer,
            "left_out": section.left_out,
            "pictures": section.pictures,
            "sheets": [_listed(sheet, words) for sheet in section.sheets if sheet.shown],
        }
        for section in sections
    ]
    style, script = (
        files("crmkit._report").joinpath(f"page.{kind}").read_text(encoding="utf-8").strip()
        for kind in ("css", "js")
    )
    steps = [
        (step, as_download(step.table, step.key, words), _listed(_first(step, words), words))
        for step in todo.steps
    ]
    return environment.get_template("page.html.j2").render(
        title=title,
        subtitle=subtitle,
        logo=logo,
        figures=figures,
        todo={"title": todo.title, "steps": steps, "terms": todo.terms, "nothing": todo.nothing},
        chapters=chapters,
        checks=checks,
        words=words,
        policy=_POLICY.format(script=_fingerprint(script)),
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
    )
