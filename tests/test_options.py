"""The options of the command line: in a file of settings, through a pipe, and wrong ones."""

import io
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from crmkit import _options
from crmkit.__main__ import main

SETTINGS = Path("s.toml")
LINES = "klant;datum;bedrag;status\n" + "".join(
    f"{n % 7};{1 + n % 28:02d}-01-2024;{n},50;{'betaald' if n % 3 else 'zzz'}\n" for n in range(90)
)


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LINES, encoding="utf-8")
    return "log.csv"


def told(capsys, *words):
    """The exit code, what was printed, and the one sentence of an error."""
    try:
        code = main(list(words))
    except SystemExit as stopped:
        code = stopped.code
    out, error = capsys.readouterr()
    assert error.count("\n") == (1 if code else 0), error
    return code, out, error


def test_look_writes_settings_that_report_reads(log, capsys):
    where = ("--where", "status=betaald", "--as-of", "2024-01-20")
    assert told(capsys, "look", log, *where, "--out", "s.toml")[0] == 0
    settings = tomllib.loads(SETTINGS.read_text("utf-8"))
    assert settings["log"] == ["log.csv"]
    assert settings["where"] == ["status=betaald"]
    assert settings["as-of"] == "2024-01-20"
    assert settings["decimal"] == ","
    first, again = (
        _options.parse(["report", *words])
        for words in ((log, *where, "--decimal", ","), ("--config", "s.toml"))
    )
    assert again.log == first.log
    assert (again.where, again.as_of, again.decimal) == (first.where, first.as_of, ",")
    code, out, _ = told(capsys, "look", "--config", "s.toml")
    assert code == 0
    assert out.count("That is 60 lines") == 1


def test_the_command_line_goes_before_the_settings(log):
    more = "margin = 0.3\nhorizon-days = 90\nquiet = true\nguests = ['0', 'x']\nlang = 'nl'\n"
    SETTINGS.write_text("log = 'other.csv'\n" + more)
    read = _options.parse(
        ["report", log, "--config", "s.toml", "--margin", "0.2", "--guests", "none"]
    )
    assert (read.log, read.margin, read.guests) == ([log], 0.2, ["none"])
    assert (read.horizon_days, read.quiet, read.language) == (90, True, "nl")
    # What is for a report is no slip where a file is looked at.
    assert _options.parse(["look", "--config", "s.toml"]).log == ["other.csv"]


@pytest.mark.parametrize(
    ("text", "word"),
    [("margn = 0.3", "--margn"), ("margin = 'x'", "--margin"), ("margin =", "no TOML"),
     ("[margin]\na = 1", "margin"), ("where = [[1]]", "where"), ("\xff", "no TOML")],
)  # fmt: skip
def test_wrong_settings_are_told_in_a_sentence(log, capsys, text, word):
    SETTINGS.write_bytes(text.encode("latin-1"))
    code, _, error = told(capsys, "report", log, "--config", "s.toml")
    assert code == 2
    assert word in error
    assert told(capsys, "report", log, "--config", "none.toml")[0] == 2


@pytest.mark.parametrize(
    "words",
    [["report"], ["look"], ["report", "x", "--margin", "a"], ["report", "x", "--frob"], ["nothing"],
     ["report", "x", "--amount-per", "box"], ["report", "x", "--duplicates", "no"], []],
    ids=str,
)  # fmt: skip
def test_wrong_options_end_with_one_sentence(capsys, words):
    code, _, error = told(capsys, *words)
    assert code == 2
    assert error.startswith("crmkit: ")


def test_a_log_comes_through_a_pipe(log, capsys, monkeypatch):
    class Pipe:
        buffer = io.BytesIO(LINES.replace("zzz", "open").encode())

    monkeypatch.setattr(sys, "stdin", Pipe)
    code, out, _ = told(capsys, "look", "-")
    assert code == 0
    assert "That is 60 lines" in out
    assert "crmkit report - " in out


def test_settings_are_written_whole_or_not_at_all(log, capsys, monkeypatch):
    SETTINGS.write_text("margin = 0.1\n")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "disk full")))
    code, _, error = told(capsys, "look", log, "--where", "status=betaald", "--out", "s.toml")
    assert code == 2
    assert "disk full" in error
    assert SETTINGS.read_text("utf-8") == "margin = 0.1\n"


def test_a_pipe_of_a_real_shell(log, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "crmkit", "look", "-"], input=LINES.replace("zzz", "betaald"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "That is 90 lines" in done.stdout
