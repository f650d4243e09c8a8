"""A page made of a log in parts is the page of the whole log."""

import json
import re
import sqlite3

import pandas as pd
import pytest

import crmkit
import crmkit._report.log as page_log
import crmkit._report.memory as planned
from crmkit import datasets
from crmkit.__main__ import main
from crmkit._report import shelf

duckdb = pytest.importorskip("duckdb")

KINDS = ("folder", "log.csv", "shop.duckdb", "shop.sqlite")
# What is counted on a part of the customers, and said to be, and what tells of the reading.
OTHER = {"how_read", "potential"}


@pytest.fixture
def shop(tmp_path, long):
    """Folder with one shop's log in every kind of file, and the tables beside it."""
    made = datasets.make_transactions(4200 if long else 500, random_state=3)
    log = made["transactions"]
    made["customers"].to_csv(tmp_path / "people.csv", index=False)
    made["products"].to_csv(tmp_path / "items.csv", index=False)
    (tmp_path / "folder").mkdir()
    month = log["date"].dt.month
    for place in range(1, 13):  # no order is in two of them
        log[month == place].to_parquet(tmp_path / "folder" / f"{place:02d}.parquet", index=False)
    log.to_csv(tmp_path / "log.csv", index=False)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as base:
        base.execute("CREATE TABLE orders AS SELECT * FROM log")
    base = sqlite3.connect(tmp_path / "shop.sqlite")
    log.assign(date=log["date"].astype(str)).to_sql("orders", base, index=False)
    base.close()
    return tmp_path


def made_of(shop, kind, engine, *more):
    out = shop / f"{kind}-{engine}"
    code = main(
        ["report", str(shop / kind), "--out", str(out / "page.html"), "--tables", str(out),
         "--engine", engine, "--quiet", "--title", "A shop", *map(str, more)]
    )  # fmt: skip
    assert code == 0
    figures = json.loads((out / "page.json").read_text(encoding="utf-8"))
    tables = {path.stem: pd.read_csv(path) for path in out.glob("*.csv")}
    return (out / "page.html").read_text(encoding="utf-8"), figures, tables


@pytest.mark.parametrize("more", [[], ["--as-of", "2025-09-30", "--margin", "0.3"]])
def test_parts_make_the_page_of_the_whole(shop, monkeypatch, long, more):
    monkeypatch.setattr(planned, "_OF_PART", 0.002 if long else 0.0003)
    monkeypatch.setattr(shelf, "_AT_HAND", 30)  # all others come back from disk
    more += ["--customers", shop / "people.csv", "--products", shop / "items.csv"]
    for kind in KINDS if long else KINDS[:1]:
        page, whole, tables = made_of(shop, kind, "pandas", *more)
        in_parts, figures, found = made_of(shop, kind, "duckdb", "--memory", "2GB", *more)
        assert figures["segments"] == whole["segments"]
        assert figures["figures"] == pytest.approx(whole["figures"], rel=1e-9)
        assert figures["actions"].keys() == whole["actions"].keys()
        for key, action in whole["actions"].items():
            assert figures["actions"][key] == pytest.approx(action, rel=1e-9)
        assert tables.keys() - found.keys() <= {"potential"}
        for name in found.keys() & tables.keys() - OTHER:
            pd.testing.assert_frame_equal(found[name], tables[name], rtol=1e-9, obj=name)
        assert "beyond the present is left out" in in_parts
        assert "beyond the present is left out" not in page
        told = found["how_read"].set_index("what")["value"]
        assert int(told["parts"].split()[0]) > 2


def test_what_was_chosen_is_said(shop, capsys):
    log = str(shop / "log.csv")
    out = ["--out", str(shop / "page.html")]
    assert main(["report", log, *out, "--memory", "0.5GB"]) == 2
    said = capsys.readouterr()
    assert "parts of whole customers, by DuckDB: in one piece it would take about" in said.out
    assert "0.5 GB may be used" in said.out
    assert "customers, whose tables take about 0.8 GB, more than the 0.5 GB" in said.err
    assert "--memory" in said.err
    assert main(["report", log, *out, "--memory", "much"]) == 2
    assert "--memory must be an amount such as '4GB'" in capsys.readouterr().err
    lines = shop / "log.jsonl"
    pd.read_csv(log).head(50).to_json(lines, orient="records", lines=True)
    assert main(["report", str(lines), *out, "--engine", "duckdb"]) == 2
    assert "LOG cannot be read with --engine duckdb: only tables" in capsys.readouterr().err


def test_a_look_in_parts_says_what_one_piece_says(shop, monkeypatch, capsys):
    def looked(log, *more):
        assert main(["look", str(log), *more]) == 0
        return capsys.readouterr().out.splitlines()

    def told(line):
        """Leave out the evidence, of which a part shows its own."""
        return re.sub(r" \(.*\) - ", " - ", line)

    monkeypatch.setattr(planned, "_OF_PART", 0.0003)
    for kind in KINDS[:2]:
        whole = looked(shop / kind)
        # so little that the tables of a page would not fit
        chosen, *lines = looked(shop / kind, "--engine", "duckdb", "--memory", "0.5GB")
        assert "parts of whole customers, by DuckDB: as --engine says" in chosen
        assert int(chosen.partition("read in ")[2].split()[0]) > 2
        assert [told(line) for line in lines if not line.startswith("parts: ")] == [
            told(line) for line in whole
        ]
    assert looked(shop / "log.csv", "--memory", "4GB") == whole


def test_an_order_of_customers_in_two_parts_is_one_order(shop, monkeypatch, capsys):
    monkeypatch.setattr(planned, "_OF_PART", 0.0003)
    log = pd.read_csv(shop / "log.csv")
    log["order_id"] = log.index // 40
    log.to_csv(shop / "shared.csv", index=False)
    more = ["--engine", "duckdb", "--memory", "1GB", "--amount-per", "line"]
    assert main(["look", str(shop / "shared.csv"), *more]) == 0
    assert f" {log['order_id'].nunique():,} orders, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("size", "number"), [("4GB", 4e9), ("800 mb", 8e8), ("1.5GiB", 1.5e9), ("70000", 7e4)]
)
def test_sizes_are_read(size, number):
    assert planned._bytes(size) == number


def test_a_log_that_fits_is_read_in_one_piece(shop, capsys):
    assert main(["report", str(shop / "log.csv"), "--out", str(shop / "page.html")]) == 0
    assert "read in one piece by pandas in about" in capsys.readouterr().out


def test_models_of_very_many_learn_from_enough(shop, monkeypatch):
    _, whole, tables = made_of(shop, "folder", "pandas")
    monkeypatch.setattr(planned, "_OF_PART", 0.0003)
    monkeypatch.setattr(page_log, "_ENOUGH_TO_LEARN", 350)
    page, figures, found = made_of(shop, "folder", "duckdb", "--memory", "2GB")
    assert "so many say it well enough" in page
    ids = tables["customers"]["customer_id"]
    assert sorted(found["customers"]["customer_id"]) == sorted(ids)
    # Everybody is judged, by parameters that lie a little elsewhere.
    assert figures["figures"]["customers"] == whole["figures"]["customers"]
    alive = found["customers"].set_index("customer_id")["p_alive"].reindex(ids).to_numpy()
    away = abs(alive - tables["customers"]["p_alive"].to_numpy())
    assert 0 < away.max() < 0.2


def test_ids_of_text_take_more_memory_than_numbers():
    plan = planned.Plan(2, 10**9, "")
    plan.check_customers(200_000, pd.Series([1, 2]))
    with pytest.raises(
        crmkit.errors.InputError, match=r"200,000 customers, whose tables take about 1\.1 GB"
    ):
        plan.check_customers(200_000, pd.Series(["a", "b"]))
