"""What the project shows runs: the README's code and every script of examples/.

The notebooks of examples/ are executed where they are rendered, by ``python tasks.py docs``.
"""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
LESSONS = ROOT / "docs" / "course"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder and close what was drawn."""
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_runs(script):
    runpy.run_path(str(script), run_name="__main__")


def test_the_code_of_the_readme_prints_what_stands_below_it(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.S)
    assert any(shown for _, shown in blocks)
    space = {}
    for block, shown in blocks:
        exec(compile(block, "README.md", "exec"), space)
        printed = capsys.readouterr().out.split()
        assert len(printed) == len(shown.split())
        for word, told in zip(printed, shown.split(), strict=True):
            # Other versions may draw a little differently.
            assert word == told or float(word) == pytest.approx(float(told), rel=0.02)


def test_lessons_stay_in_step_in_both_languages():
    english, dutch = (sorted((LESSONS / language).glob("*.md")) for language in ("en", "nl"))
    assert english
    assert [path.name for path in english] == [path.name for path in dutch]
    for one, other in zip(english, dutch, strict=True):
        texts = [path.read_text(encoding="utf-8") for path in (one, other)]
        for part in (r"```\{code-cell\}\n.*?```", r"^#+ ", r"\$\$", "<details>", r"^\*\*\d\.\*\*"):
            found = [re.findall(part, text, re.S | re.M) for text in texts]
            assert found[0] == found[1], one.name


def test_the_code_of_pages_fits_their_column():
    folders = [
        ROOT / "docs" / name for name in ("", "how-to", "concepts", "course/en", "course/nl")
    ]
    pages = [page for folder in [*folders, ROOT / "examples"] for page in folder.glob("*.md")]
    assert len(pages) > 40
    wide = [
        f"{page.name}: {line}"
        for page in pages
        for code in re.findall(
            r"```(?:\{code-cell\}|python)[^\n]*\n(.*?)```", page.read_text("utf-8"), re.S
        )
        for line in code.split("\n")
        if len(line) > 76
    ]
    assert wide == []
