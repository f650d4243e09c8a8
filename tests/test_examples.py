"""What the project shows runs: the README's code and every script of examples/.

The notebooks of examples/ are executed where they are rendered, by ``python tasks.py docs``.
"""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))


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
