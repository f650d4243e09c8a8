"""`crmkit look` says how a file is read, and its command reads the file in the same way."""

import re
import shlex
from contextlib import ExitStack
from time import process_time

import pandas as pd
import pytest

from crmkit import __main__, _options, read_transactions
from crmkit.__main__ import main
from crmkit._reading import Account
from reading import test_layouts as layouts


def stored(tmp_path, text):
    path = tmp_path / "our export.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", layouts.LAYOUTS)
def test_the_command_reads_the_file_in_the_same_way(tmp_path, capsys, name):
    path = stored(tmp_path, layouts.LAYOUTS[name]()[0])
    assert main(["look", str(path)]) == 0
    *lines, total, command = capsys.readouterr().out.splitlines()
    assert total.startswith("That is ")
    assert all(re.search(" - (certain|likely|not known)", line) for line in lines)
    words = shlex.split(command)
    assert words[:3] == ["crmkit", "report", str(path)]
    arguments = _options.parse(words[1:])
    again = __main__._read_any(arguments, Account(), ExitStack())
    pd.testing.assert_frame_equal(again, read_transactions(path))


def test_what_was_found_is_told_before_what_is_asked(tmp_path, capsys):
    path = stored(tmp_path, layouts.cells(layouts.plain(When=layouts.EARLY)))
    assert main(["look", str(path)]) == 2
    told = capsys.readouterr()
    assert "encoding: utf-8" in told.out
    assert "--encoding" in told.out
    assert told.err.startswith("crmkit: ")
    assert told.err.count("\n") == 1
    assert "--date-format %d/%m/%Y" in told.err


def test_the_page_tells_how_the_file_was_read(tmp_path):
    path, out = stored(tmp_path, layouts.LAYOUTS["german"]()[0]), tmp_path / "o.html"
    assert main(["report", str(path), "--out", str(out), "--quiet"]) == 0
    page = out.read_text(encoding="utf-8")
    assert "How the file was read." in page
    assert "has a day above 12 first" in page
    assert "€" in page


def test_the_page_says_what_to_check_first(tmp_path):
    columns = layouts.plain(CustNo=layouts.LINES["customer"].where(layouts.ODD, "Bol.com"))
    path, out = stored(tmp_path, layouts.cells(columns)), tmp_path / "o.html"
    for language, words in (("en", "Check this first"), ("nl", "Kijk dit eerst na")):
        assert main(["report", str(path), "--out", str(out), "--quiet", "--lang", language]) == 0
        box = out.read_text(encoding="utf-8").partition('id="checks"')[2].partition("</section>")[0]
        assert words in box
        assert "Bol.com" in box
        assert "2025-03-31" in box


def test_reading_costs_in_proportion_to_the_rows(tmp_path):
    lines = "".join(
        f"{i % 997};{1 + i % 28:02d}-{1 + i % 12:02d}-2024;{i % 7000},50\n" for i in range(60_000)
    )
    few = stored(tmp_path, "klant;datum;bedrag\n" + lines[: len(lines) // 4])
    read_transactions(few)
    begin = process_time()
    read_transactions(few)
    middle = process_time()
    many = stored(tmp_path, "klant;datum;bedrag\n" + lines)
    read_transactions(many)
    assert process_time() - middle < 12 * (middle - begin) + 0.5
