"""From sections to one self-contained HTML page."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from crmkit._report.downloads import as_download
from crmkit._report.language import kinds

if TYPE_CHECKING:
    from crmkit._report.language import Language
    from crmkit._report.pieces import Figure, Section, Sheet, Todo

__all__ = ["render"]


# Pictures and styles that stand in the page itself, and nothing else: whatever text might slip in,
# no script runs and nothing is fetched or sent.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def _listed(sheet: Sheet, words: Language) -> dict[str, Any]:
    """Return what the template needs of a table."""
    columns = [name for name in sheet.columns or sheet.table.columns if name in sheet.table.columns]
    shown = sheet.table[columns].head(sheet.shown)
    texts, sides = [], []
    for name, kind in zip(columns, kinds(columns), strict=True):
        texts.append([words.cell(value, kind) for value in shown[name].tolist()])
        plain = kind == "text" or shown[name].dtype.kind not in "iuf"
        sides.append("text" if plain else "number")
    return {
        "name": sheet.name,
        "columns": list(zip(map(words.heading, columns), sides, strict=True)),
        "rows": [list(zip(row, sides, strict=True)) for row in zip(*texts, strict=True)],
        "words": sheet.words,
        "more": len(sheet.table) - len(shown),
    }


def render(
    title: str,
    subtitle: str,
    *,
    figures: list[Figure],
    todo: Todo,
    sections: list[Section],
    words: Language,
    logo: str = "",
) -> str:
    """Return the page: no script, no file beside it, no address outside it."""
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
    style = files("crmkit._report").joinpath("page.css").read_text(encoding="utf-8")
    steps = [(step, as_download(step.table, step.key, words)) for step in todo.steps]
    return environment.get_template("page.html.j2").render(
        title=title,
        subtitle=subtitle,
        logo=logo,
        figures=figures,
        todo={"title": todo.title, "steps": steps, "terms": todo.terms, "nothing": todo.nothing},
        chapters=chapters,
        words=words,
        policy=_POLICY,
        style=Markup(style),  # noqa: S704
    )
