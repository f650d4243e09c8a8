"""No dead link in what is read: pages, README and their like lead to files and headings that exist.

Links to names of the package are Sphinx's to check, when the pages are built.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Made when the pages are built: the folder, and where its files are made from.
MADE = {
    "docs/notebooks": lambda name: ROOT / "examples" / name,
    "docs/course/notebooks": lambda name: (ROOT / "docs/course" / name).with_suffix(".md"),
    "docs/reference/generated": lambda _: ROOT / "src/crmkit/_columns.csv",
}
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")]
    if not any(page.is_relative_to(ROOT / folder) for folder in [*MADE, "docs/_build"])
]


def words(page):
    return re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)


def anchors(page):
    """Return what headings are called in an address, by GitHub and in the built pages."""
    titles = re.findall(r"^#+ +(.*?) *$", words(page), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page):
    plain = re.findall(r"\]\(([^)\s]+)\)", words(page))
    return plain + re.findall(r"\{(?:download|doc)\}`[^<`]*<([^>]+)>`", words(page))


def place(page, path):
    """Return the file that a link leads to, or what it will be made from."""
    target = (page.parent / path).resolve()
    if page.parent == ROOT / "examples":  # they are read beside the pages
        target = (ROOT / "docs/notebooks" / path).resolve()
    for folder, made_from in MADE.items():
        if target.is_relative_to(ROOT / folder):
            return made_from(target.relative_to(ROOT / folder).as_posix())
    return target


def test_links_are_found():
    assert len(PAGES) > 60
    assert sum(len(links(page)) for page in PAGES) > 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    dead = []
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = place(page, path) if path else page
        if ":" in link or not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []
