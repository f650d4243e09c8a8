"""The command line: right answers with exit code 0, clear sentences with exit code 2."""

import errno
import gzip
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets
from crmkit.__main__ import main
from reading._shop import read_table


@pytest.fixture(scope="module")
def lines():
    return datasets.make_transactions(250, random_state=3)["transactions"]


def run(tmp_path, *arguments):
    out = tmp_path / "out" / "report.html"
    code = main(["report", *map(str, arguments), "--out", str(out), "--quiet"])
    return code, out


def written(tmp_path, table, name="log.csv", **options):
    path = tmp_path / name
    table.to_csv(path, index=False, **options)
    return path


OPTIONS = ("--currency", "€")


@pytest.fixture(scope="module")
def made(tmp_path_factory, lines):
    """Folder with the page and the tables of a log."""
    folder = tmp_path_factory.mktemp("made")
    path = written(folder, lines)
    assert run(folder, path, "--tables", folder / "tables", *OPTIONS)[0] == 0
    return folder


def test_a_log_becomes_a_page_and_tables(made, lines):
    page = (made / "out" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<svg viewBox" in page
    assert "http://" not in page
    assert "https://" not in page
    profit = pd.read_csv(made / "tables" / "profit.csv")
    assert profit["revenue"].sum() == pytest.approx(lines["amount"].sum())


def test_the_same_log_gives_the_same_page(made, tmp_path, lines):
    again = run(tmp_path, written(tmp_path, lines), *OPTIONS)[1].read_bytes()
    assert again == (made / "out" / "report.html").read_bytes()


@pytest.mark.parametrize("kind", ["tsv", "semicolon", "gz", "parquet"])
def test_kinds_of_files(tmp_path, lines, kind):
    if kind == "tsv":
        path = written(tmp_path, lines, "log.tsv", sep="\t")
    elif kind == "semicolon":
        path = written(tmp_path, lines, sep=";", decimal=",")
    elif kind == "gz":
        path = tmp_path / "log.csv.gz"
        path.write_bytes(gzip.compress(lines.to_csv(index=False).encode()))
    else:
        pytest.importorskip("pyarrow")
        path = tmp_path / "log.parquet"
        lines.to_parquet(path)
    extra = ["--decimal", ","] if kind == "semicolon" else []
    assert run(tmp_path, path, *extra)[0] == 0


def test_own_column_names_and_formats(tmp_path, lines):
    raw = lines.rename(columns={"customer_id": "Kunde", "date": "Tag", "amount": "Betrag"})
    raw["Tag"] = raw["Tag"].dt.strftime("%d.%m.%Y")
    path = written(tmp_path, raw)
    names = ["--customer-id", "Kunde", "--date", "Tag", "--amount", "Betrag"]
    assert run(tmp_path, path, *names, "--date-format", "%d.%m.%Y")[0] == 0


def test_parts_without_their_columns_are_left_out_and_say_so(tmp_path, lines):
    path = written(tmp_path, lines[["customer_id", "date"]])
    code, out = run(tmp_path, path)
    assert code == 0
    page = out.read_text(encoding="utf-8")
    assert "The log holds no amounts" in page
    assert "The log names no products" in page


def test_options_reach_the_page(tmp_path, lines):
    path = written(tmp_path, lines.drop(columns="cost"))
    middle = lines["date"].sort_values().iloc[len(lines) // 2]
    code, out = run(
        tmp_path, path, "--as-of", f"{middle:%Y-%m-%d}", "--margin", "0.3",
        "--acquisition-cost", "5", "--annual-discount-rate", "0.2", "--horizon-days", "90",
        "--title", "Our <customers>",
    )  # fmt: skip
    assert code == 0
    page = out.read_text(encoding="utf-8")
    assert "margin of 30" in page
    assert "were left out" in page
    assert "Our &lt;customers&gt;" in page


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_tiny_log_is_no_reason_to_fail(tmp_path, lines, rows):
    assert run(tmp_path, written(tmp_path, lines.head(rows)))[0] == 0


def test_one_customer(tmp_path, lines):
    one = lines[lines["customer_id"] == lines["customer_id"].mode().iloc[0]]
    assert run(tmp_path, written(tmp_path, one))[0] == 0


def test_equal_customers(tmp_path):
    days = pd.date_range("2024-01-01", periods=6, freq="30D")
    table = pd.DataFrame(
        {"customer_id": np.repeat(np.arange(200), 6), "date": np.tile(days, 200), "amount": 10.0}
    )
    assert run(tmp_path, written(tmp_path, table))[0] == 0


def test_refunds_without_a_purchase_are_told_in_a_sentence(tmp_path, lines, capsys):
    table = lines.assign(amount=-lines["amount"].abs())
    assert run(tmp_path, written(tmp_path, table))[0] == 2
    assert "refund" in capsys.readouterr().err


def broken(lines):
    nothing = lines.astype({"customer_id": "Int64"})
    return {
        "missing column": (lines.rename(columns={"customer_id": "who"}), "--customer-id"),
        "dates": (lines.assign(date="11/12/2024"), "--date-format"),
        "ids": (nothing.assign(customer_id=nothing["customer_id"].mask(lines.index < 3)),
                "--missing-customers drop"),
        "amounts": (lines.assign(amount=lines["amount"].mask(lines.index < 3)),
                    "--missing-amounts drop"),
        "infinite": (lines.assign(amount=np.inf), "not a number"),
        "text": (lines[["customer_id", "date"]].assign(amount="1,240"), "--decimal"),
        "zones": (lines.assign(date=np.where(lines.index % 2, "2024-01-01T10:00:00+01:00",
                                             "2024-01-01T10:00:00Z")), "--tz"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "what", ["missing column", "dates", "ids", "amounts", "infinite", "text", "zones"]
)
def test_bad_tables_are_told_in_a_sentence(tmp_path, lines, capsys, what):
    table, word = broken(lines)[what]
    code, out = run(tmp_path, written(tmp_path, table))
    error = capsys.readouterr().err
    assert code == 2
    assert not out.exists()
    assert word in error
    assert error.startswith("crmkit: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("absent.csv", None, "no file"),
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"customer_id,date,amount\n", "no rows"),
        ("log.xlsx", b"PK", "no rows"),
        ("ragged.csv", b"customer_id,date\n1,2024-01-01\n1,2,3,4\n", "not a regular table"),
        ("broken.parquet", b"PAR1", "Parquet"),
    ],
)
def test_bad_files_are_told_in_a_sentence(tmp_path, capsys, name, content, word):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    code, _ = run(tmp_path, path)
    error = capsys.readouterr().err
    assert code == 2
    assert word in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--as-of", "1900-01-01", "--as-of"),
        ("--as-of", "soon", "--as-of"),
        ("--margin", "7", "--margin"),
        ("--horizon-days", "0", "--horizon-days"),
        ("--annual-discount-rate", "-1", "--annual-discount-rate"),
    ],
)
def test_bad_options_are_told_in_a_sentence(tmp_path, lines, capsys, option, value, word):
    code, _ = run(tmp_path, written(tmp_path, lines), option, value)
    assert code == 2
    assert word in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--out", "--tables"])
def test_places_that_cannot_be_written_to_are_told_before_the_work(
    tmp_path, lines, capsys, monkeypatch, option
):
    from crmkit import report

    monkeypatch.setattr(report, "make_report", None)
    path = written(tmp_path, lines)
    places = [path / "page.html"] + ([tmp_path] if option == "--out" else [path])
    for place in places:
        options = {"--out": tmp_path / "page.html", option: place}
        code = main(
            ["report", str(path), *(str(part) for pair in options.items() for part in pair)]
        )
        error = capsys.readouterr().err
        assert code == 2
        assert error.startswith(f"crmkit: `{option}` ")
        assert error.count("\n") == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log.csv"]


def test_ids_that_look_like_formulas_survive_spreadsheets(tmp_path, lines):
    names = lines["customer_id"].map(lambda i: f"{'=+-@'[i % 4]}{i:05d}()")
    path = written(tmp_path, lines.assign(customer_id=names))
    _, out = run(tmp_path, path, "--tables", tmp_path / "tables")
    profit = tmp_path / "tables" / "profit.csv"
    cells = pd.read_csv(profit, dtype=str)["customer_id"]
    assert cells.str.startswith("'").all()
    again = read_table(profit)
    assert set(again["customer_id"]) == set(names)
    assert again["revenue"].astype(float).sum() == pytest.approx(lines["amount"].sum())
    assert "Traceback" not in out.read_text(encoding="utf-8")


def test_dirty_rows_are_left_out_on_request_and_counted(tmp_path, lines):
    table = lines.astype({"customer_id": "Int64"})
    table["customer_id"] = table["customer_id"].mask(table.index < 3)
    code, out = run(tmp_path, written(tmp_path, table), "--missing-customers", "drop")
    assert code == 0
    assert "3 rows without a customer were left out" in out.read_text(encoding="utf-8")


def test_ids_keep_their_zeros(tmp_path, lines):
    table = lines.assign(customer_id=lines["customer_id"].map(lambda i: f"{i:05d}"))
    run(tmp_path, written(tmp_path, table), "--tables", tmp_path / "tables")
    profit = pd.read_csv(tmp_path / "tables" / "profit.csv", dtype={"customer_id": str})
    assert profit["customer_id"].str.len().eq(5).all()


def test_a_plain_installation_has_a_demonstration(tmp_path, monkeypatch):
    monkeypatch.setattr("crmkit._report.demo.find_spec", lambda _: None)
    out = tmp_path / "demo.html"
    assert main(["demo", "--quiet", "--out", str(out)]) == 0
    assert "imulated" in out.read_text(encoding="utf-8")


def test_demo_draws_a_shop(tmp_path, monkeypatch):
    make = datasets.make_transactions
    monkeypatch.setattr(
        datasets, "make_transactions", lambda n, **options: make(n // 20, **options)
    )
    out = tmp_path / "report.html"
    assert main(["demo", "--data", "simulated", "--quiet", "--out", str(out)]) == 0
    assert "A simulated shop" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device: "),
     (KeyboardInterrupt(), 130, "stopped")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["report.html", "report.json", "tables"])
def test_a_full_disk_or_a_stop_leaves_each_file_whole(
    tmp_path, lines, capsys, monkeypatch, error, code, said, name
):
    """Fail at the page, at the figures beside it, and at the first table."""
    log, out = written(tmp_path, lines.head(5)), tmp_path / "out"
    command = ["report", str(log), "--out", str(out / "report.html"), "--quiet"]
    command += ["--tables", str(out / "tables")]
    assert main([*command, "--title", "before"]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    sync, opened = os.fsync, []

    def full(handle):
        opened.append(handle)
        if len(opened) > ("report.html", "report.json", "tables").index(name):
            raise error
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    assert main(command) == code
    assert said in capsys.readouterr().err
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert after.keys() == before.keys()
    assert after[out / "report.json"] != b""
    whole = after[out / "report.html"]
    assert whole == before[out / "report.html"] if name == "report.html" else b"</html>" in whole


def test_it_runs_as_a_module(tmp_path, lines):
    out = tmp_path / "report.html"
    log = written(tmp_path, lines.head(5))
    command = [sys.executable, "-m", "crmkit", "report", str(log), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise there")
def test_whoever_has_read_enough_is_no_error(made):
    command = [sys.executable, "-m", "crmkit", "look", str(made / "log.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0
