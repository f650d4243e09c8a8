"""Files are written whole or not at all, and tables run nothing in a spreadsheet."""

import csv
import io
import os
import stat
import string
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import _files
from crmkit._files import check_file, check_folder, temporary_folder, write_file
from crmkit._spreadsheets import csv_text, without_apostrophes
from crmkit.errors import InputError
from crmkit.report import Report
from reading._shop import read_table

posix = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
OPENERS = "=+-@\t\r"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error, step):
    def fail(*_, **__):
        raise error

    owner = _files.Path if step == "replace" else os
    report = Report("<p>new</p>", {"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame({"x": [2]})})
    page, folder = tmp_path / "page.html", tmp_path / "tables"
    folder.mkdir()
    for path in (page, folder / "a.csv"):
        path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, fail)
        for write, place in ((report.write, page), (report.write_tables, folder)):
            with pytest.raises(type(error)) as caught:
                write(place)
            if isinstance(error, OSError):
                assert caught.value.errno == 28
                assert caught.value.filename in (str(page), str(folder / "a.csv"))
    assert page.read_text() == "old"
    assert (folder / "a.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.csv", "page.html", "tables"]
    report.write(page)
    report.write_tables(folder)
    assert page.read_text() == "<p>new</p>"
    assert (folder / "b.csv").read_text() == '"x"\n2\n'


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")  # noqa: PTH110
def test_devices_are_written_to_and_stay_devices(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        write_file(check_file("/dev/full"), "text")
    assert not os.path.isfile("/dev/full")  # noqa: PTH113
    link = tmp_path / "link"
    (tmp_path / "there").write_text("old")
    link.symlink_to(tmp_path / "there")
    write_file(check_file(link), "new\n")
    assert link.is_symlink()
    assert (tmp_path / "there").read_bytes() == b"new\n"


@posix
def test_new_files_follow_the_umask_and_old_ones_keep_their_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "page", "x")
        write_file(tmp_path / "model", "x", private=True)
    finally:
        os.umask(before)
    assert mode(tmp_path / "page") == 0o640
    assert mode(tmp_path / "model") == 0o600
    for had, page, model in ((0o664, 0o664, 0o660), (0o600, 0o600, 0o600)):
        for name, has in (("page", page), ("model", model)):
            (tmp_path / name).chmod(had)
            write_file(tmp_path / name, "y", private=name == "model")
            assert mode(tmp_path / name) == has


def test_places_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    for place, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "absent" / "file", "does not exist"),
        (tmp_path / "file" / "file", "does not exist"),
    ):
        with pytest.raises(InputError, match=words):
            check_file(place)
    assert check_file(tmp_path / "absent" / "deep" / "file", new_folder=True)
    for place in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        with pytest.raises(InputError, match="is a file, not a folder"):
            check_folder(place, "folder")
    with pytest.raises(InputError, match="is a file, not a folder"):
        check_file(tmp_path / "file" / "page.html", new_folder=True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    for place in (tmp_path / "file", tmp_path / "new", tmp_path / "absent" / "new"):
        with pytest.raises(InputError, match="may not write"):
            check_file(place, new_folder=True)
    with pytest.raises(InputError, match="may not write"):
        check_folder(tmp_path, "folder")


TEXTS = st.text(alphabet=OPENERS + "'\"\n,;｜=＝＠ ab1é", max_size=6)


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_no_text_is_a_formula_and_each_comes_back(texts):
    table = pd.DataFrame({"customer_id": texts, "n": range(len(texts))})
    rows = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert len(rows) == len(texts) + 1
    for cells, text in zip(rows[1:], texts, strict=True):
        assert not cells[0].startswith((*OPENERS, "\n", "＝", "＋", "－", "＠"))
        assert cells[0] in (text, f"'{text}")
    column = pd.Series([cells[0] for cells in rows[1:]])
    assert without_apostrophes(column).tolist() == texts


@given(st.lists(TEXTS.filter(str.strip), min_size=1, max_size=8))
def test_the_package_reads_its_own_files(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("tables") / "log.csv"
    write_file(path, csv_text(pd.DataFrame({"customer_id": texts, "date": "2024-01-01"})))
    read = read_table(path, ["customer_id", "date"])
    expected = [text.replace("\r\n", "\n") for text in texts]
    assert [str(text).replace("\r\n", "\n") for text in read["customer_id"]] == expected


def test_what_is_no_text_stays_as_it_is():
    table = pd.DataFrame(
        {
            "amount": [-1.5, np.nan],
            "whole": pd.array([-2, None], dtype="Int64"),
            "mixed": [-3, "=1+1"],
            "tuple": [("=a", "b"), None],
            "flag": [True, False],
            "date": pd.to_datetime(["2024-01-01", None]),
            "kind": pd.Categorical(["+x", "-5"]),
        }
    )
    text = csv_text(table)
    assert text.splitlines()[1].startswith('-1.5,-2,-3,"(\'=a\', \'b\')",True,"2024-01-01","\'+x"')
    assert text.splitlines()[2].split(",")[-1] == '"\'-5"'
    read = pd.read_csv(io.StringIO(text))
    assert read["amount"].tolist()[0] == -1.5
    assert read["amount"].isna().tolist() == [False, True]
    assert read["whole"].tolist()[0] == -2
    assert csv_text(table.rename(columns={"amount": "=cmd"})).startswith('"\'=cmd"')
    assert csv_text(pd.DataFrame({"a": [1]}).iloc[:0]) == '"a"\n'


def test_files_of_others_are_left_alone():
    for texts in (["'=a", "=b"], ["'-5", "-5"], ["'a", "b"], ["5", "-5"], ["'-5", "-5", "'=x"]):
        assert without_apostrophes(pd.Series(texts)).tolist() == texts
    assert without_apostrophes(pd.Series(["'=a", "-5", None])).tolist()[:2] == ["=a", "-5"]
    numbers = pd.Series([1.0, -2.0])
    assert without_apostrophes(numbers) is numbers


def test_letters_and_digits_are_never_touched():
    plain = [a + b for a in string.ascii_letters + string.digits for b in ("=1", "'", "")]
    text = csv_text(pd.DataFrame({"product": plain}))
    assert text == '"product"\n' + "".join(f'"{word}"\n' for word in plain)


KILLED = """
import os, signal, sys
from crmkit._files import temporary_folder
with temporary_folder() as folder:
    (folder / "part").mkdir()
    (folder / "part" / "rows").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    if sys.argv[1:]:
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


@posix
def test_folders_of_the_killed_are_cleared_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    command = [sys.executable, "-c", KILLED]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as alive:
        working = Path(alive.stdout.readline().strip())
        killed = subprocess.run([*command, "killed"], capture_output=True, text=True, check=False)
        left = Path(killed.stdout.strip())
        assert (left / "part" / "rows").exists()
        (tmp_path / "crmkit-other").mkdir()  # of an older version, or of somebody else's making
        with temporary_folder() as mine:
            assert not left.exists()
            assert (working / "part" / "rows").exists()
            assert mine.exists()
        assert not mine.exists()
        alive.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["crmkit-other"]
