"""How the documentation is built: ``python tasks.py docs``."""

import re
import shutil
from pathlib import Path

import jupytext
from docutils import nodes
from jupyter_cache import get_cache
from latex2mathml.converter import convert
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

import crmkit
from crmkit._columns import glossary

# A cell of numbers, days or yes and no; what holds words may go on below.
ONE_LINE = re.compile(r"[\d\W]*|[-\d.]+e[+-]\d+|-?inf|NaN|NaT|None|True|False|<NA>")
LOGGER = logging.getLogger(__name__)
HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
GLOSSARY_HEAD = (
    "A column of this name means the same in every table. Money is in the currency of the log, "
    "days are whole or part days, shares and probabilities lie between 0 and 1 unless they say "
    "otherwise, a ratio is 1 where nothing differs, a limit is in the unit of what it limits."
)
NOTEBOOKS = HERE / "notebooks"  # copies, because Sphinx reads one folder only

shutil.rmtree(NOTEBOOKS, ignore_errors=True)
NOTEBOOKS.mkdir()
for notebook in sorted(EXAMPLES.glob("*.md")):
    shutil.copy(notebook, NOTEBOOKS)

# The lessons as notebooks, to be downloaded.
for lesson in sorted((HERE / "course").glob("??/*.md")):
    target = HERE / "course" / "notebooks" / lesson.parent.name / f"{lesson.stem}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    jupytext.write(jupytext.read(lesson), target)

# The glossary of result columns, from the table that the package itself reads.
REFERENCE = HERE / "reference" / "generated"
REFERENCE.mkdir(exist_ok=True)
lines = [f"| `{c.name}` | {c.kind.replace('_', '-')} | {c.meaning} |" for c in glossary().values()]
(REFERENCE / "result-columns.md").write_text(
    "\n".join(
        [
            "# Result columns",
            "",
            GLOSSARY_HEAD,
            "",
            "| column | kind | meaning |",
            "|---|---|---|",
            *lines,
            "",
        ]
    ),
    encoding="utf-8",
)

project = "crmkit"
author = "The crmkit developers"
copyright = author
version = release = crmkit.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "course/notebooks"]
templates_path = ["_templates"]
root_doc = "index"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# Of this build alone: a lesson in Dutch has the code of the one in English, which runs once.
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "executed")
shutil.rmtree(nb_execution_cache_path, ignore_errors=True)
_ = get_cache(nb_execution_cache_path).db  # is there before several processes want to make it
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 900
nb_merge_streams = True
nb_code_prompt_show = "Show the solution"  # what is hidden; lessons in Dutch have their own words
nb_code_prompt_hide = "Hide the solution"

autosummary_generate = True
autosummary_imported_members = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # the docstrings say it in words
numpydoc_show_class_members = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "crmkit"
html_static_path = ["_static"]
html_css_files = ["crmkit.css"]
html_js_files = [("tables.js", {"defer": "defer"})]
html_show_sourcelink = False
html_sidebars = {"gallery": [], "architecture": []}  # they are alone in their section
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def skip_foreign(app, what, name, obj, skip, options):
    """Leave out what scikit-learn adds to every estimator for metadata routing."""
    routing = name == "get_metadata_routing" or name.endswith("_request")
    return True if routing else None


def translated_last(app, env, docnames):
    """Read lessons in Dutch last: by then their code has run for the English ones."""
    docnames.sort(key=lambda name: name.startswith("course/nl/"))


class AlternativeTexts(SphinxPostTransform):
    """Say of each picture that code drew under which heading it stands, and what drew it."""

    default_priority = 500  # after outputs have become pictures

    def run(self):
        """Go through the cells of a page."""
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") != "cell_code":
                continue
            for picture in cell.findall(nodes.image):
                heading = cell
                while not isinstance(heading, (nodes.section, nodes.document)):
                    heading = heading.parent
                title = heading.next_node(nodes.title)
                drawn = re.findall(r"\bplot_\w+", cell.astext())
                said = [title.astext() if title else "A picture", *drawn[-1:]]
                picture["alt"] = ": ".join(said)


class NarrowTables(SphinxPostTransform):
    """Let long names break where their words end, and cells of words go on below."""

    default_priority = 500

    def run(self):
        """Go through names in tables, and through the tables that code wrote."""
        for table in self.document.findall(nodes.table):
            for name in table.findall(nodes.literal):
                words = re.split(r"(?<=[._])(?=\w)", name.astext())
                name.clear()
                for word in words:
                    name += [nodes.Text(word), nodes.raw("", "<wbr>", format="html")]
        for table in self.document.findall(nodes.raw):
            text = table.astext()
            if 'class="dataframe"' not in text:
                continue
            text = re.sub(r"<(t[dh])>([^<]*)(?=</)", one_line, text)
            text = re.sub(r"<th>[^<]+", lambda name: name[0].replace("_", "_<wbr>"), text)
            table.children = [nodes.Text(text)]


def one_line(cell):
    """Return a cell, marked where it has to stay on one line."""
    kept = ONE_LINE.fullmatch(cell[2])
    return f'<{cell[1]} class="one-line">{cell[2]}' if kept else cell[0]


def formula(latex, display, node):
    """Return what a browser sets as a formula by itself: no script, and nothing from elsewhere."""
    try:
        said, why = convert(latex, display=display), ""
    except Exception as error:  # the converter has many of its own
        said, why = "", f" ({type(error).__name__} {error})"
    if why or "\\" in said:  # it passes on what it does not know as a text
        LOGGER.warning("This formula cannot be set%s: %s", why, latex, location=node)
    return said


def formula_in_text(writer, node):
    """Write a formula that stands in a sentence."""
    writer.body.append(formula(node.astext(), "inline", node))
    raise nodes.SkipNode


def formulas_apart(writer, node):
    """Write formulas that stand by themselves: beside each other where there is room."""
    parts = [formula(part, "block", node) for part in node.astext().split(r"\qquad")]
    writer.body.append(f'<div class="formulas">{"".join(parts)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Register the hooks."""
    app.add_html_math_renderer("mathml", (formula_in_text, None), (formulas_apart, None))
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("env-before-read-docs", translated_last)
    app.add_post_transform(AlternativeTexts)
    app.add_post_transform(NarrowTables)
