"""What a mutation run changes, and its list of changes that do no harm."""

import csv

import pytest

from mutants.changes import changes
from test_house import SOURCE

EQUIVALENT = SOURCE.parents[1] / "tests" / "mutants" / "equivalent.csv"


def made(source):
    return {change.applied(source) for change in changes(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = (a <= b)"}),
        ("x = a + b", {"x = (a - b)"}),
        ("x = 2", {"x = (3)", "x = (1)"}),
        ("x = True", {"x = (False)"}),
        ("x = a and b", {"x = (a or b)"}),
        ("x = not a", {"x = (a)"}),
        ("if a: pass", {"if (not a): pass"}),
        ("x = b if a else c", {"x = (c if a else b)"}),
        ("x = np.minimum(a, b)", {"x = (np.maximum(a, b))"}),
        ("x = a[b:]", {"x = (a[b + 1:])", "x = (a[b:-1])"}),
        ("é = f(side='left'); x = a < b", {"é = f(side=('right')); x = a < b",
                                           "é = f(side='left'); x = (a <= b)"}),
        ("x: int\nif TYPE_CHECKING:\n    y = 1\n'text'\nraise E(f'{1}')", set()),
    ],
)  # fmt: skip
def test_changes(source, expected):
    assert made(source) == expected


def test_a_change_spans_lines():
    assert "x = ((a[b] >= c)) | d" in made("x = (a[\n  b] > c) | d")


def test_harmless_changes_are_of_lines_that_exist():
    with EQUIVALENT.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        source = (SOURCE.parent / row["file"]).read_text(encoding="utf-8")
        assert row["reason"]
        found = [c for c in changes(source) if str(c) == row["change"]]
        assert any(source.splitlines()[c.line - 1].strip() == row["line"] for c in found), row
