"""What a report hands on: its figures, the comparison with earlier ones, workbooks, a notebook."""

import json
import os
import stat

import pandas as pd
import pytest

from crmkit import datasets
from crmkit.__main__ import main
from crmkit.errors import InputError
from crmkit.report import make_report

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture(scope="module")
def log():
    return datasets.make_transactions(500, random_state=4)["transactions"]


@pytest.fixture(scope="module")
def early(log):
    return make_report(log, as_of="2025-09-30", currency="€")


@pytest.fixture(scope="module")
def later(log, early):
    return make_report(log, compare=early.figures, currency="€", title="Our shop")


def test_a_later_page_says_what_has_changed_and_who_moved(log, early, later):
    assert "What has changed since 30 September 2025?" in later.html
    moved = later.tables["moved"]
    assert moved["customers"].sum() == len(later.tables["customers"])
    was = sum(map(len, early.figures["segments"].values()))
    assert moved.loc[moved["from_segment"] != "new", "customers"].sum() == was
    gone = {str(c) for c in later.tables["customers"].query("segment == 'gone'")["customer_id"]}
    new = gone - set(early.figures["segments"]["gone"])
    each = later.tables["moved_customers"]
    went = (moved["from_segment"] != moved["to_segment"]) & (moved["from_segment"] != "new")
    assert len(each) == moved.loc[went, "customers"].sum()
    assert set(each.loc[each["to_segment"] == "probably gone", "customer_id"]) <= gone
    told = f"{len(new):,} customers who were not yet so are probably gone now."
    assert told in later.html


def test_figures_survive_their_file(tmp_path, log, early):
    path = tmp_path / "new" / "figures.json"
    early.write_figures(path)
    assert json.loads(path.read_text(encoding="utf-8")) == early.figures
    if os.name == "posix":
        assert not path.stat().st_mode & stat.S_IROTH
    assert "moved" in make_report(log, compare=path, currency="€").tables


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"form": 2}, "holds no figures"),
        ({"segments": None}, "holds no figures"),
        ({"currency": "$"}, "cannot be compared"),
        ({"as_of": "2026-12-31"}, "not before the last day"),
    ],
)
def test_figures_that_do_not_fit_are_told_in_a_sentence(log, early, change, said):
    with pytest.raises(InputError, match=said):
        make_report(log, compare={**early.figures, **change}, currency="€")


def test_the_lists_are_written_as_workbooks_too(tmp_path, later):
    pytest.importorskip("python_calamine")
    later.write_tables(tmp_path)
    names = list(later.figures["actions"])
    assert names
    for name in names:
        table = pd.read_excel(tmp_path / f"{name}.xlsx", engine="calamine")
        assert table["Customer id"].tolist() == later.tables[name]["customer_id"].tolist()
        assert table["Reason"].tolist() == later.tables[name]["reason"].tolist()
        assert table["Expected gain"].to_numpy() == pytest.approx(
            later.tables[name]["expected_gain"]
        )


def test_a_notebook_shows_the_page_and_a_line_names_it(later, monkeypatch, tmp_path):
    assert len(repr(later)) < 120
    assert "Our shop" in repr(later)
    frame = later._repr_html_()
    assert frame.startswith("<iframe sandbox")
    assert '"><!DOCTYPE' not in frame
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert later.open().read_text(encoding="utf-8") == later.html
    assert shown[0].startswith("file://")


def test_a_logo_stands_in_the_page_itself(tmp_path, log):
    path = tmp_path / "logo.png"
    path.write_bytes(PNG)
    assert '<img src="data:image/png;base64,' in make_report(log.head(50), logo=path).html
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="`logo`"):
        make_report(log, logo=path)
    path.write_bytes(PNG + b"\0" * 300_000)
    with pytest.raises(InputError, match="heavy"):
        make_report(log, logo=path)


def test_tables_beside_the_log_are_read_from_files(tmp_path):
    shop = datasets.make_transactions(300, random_state=4)
    shop["transactions"].to_csv(tmp_path / "log.csv", index=False)
    people = shop["customers"].rename(columns={"customer_id": "Customer No"})
    people.assign(Name="Ann", consent="yes").to_csv(tmp_path / "people.csv", sep=";", index=False)
    shop["products"].to_json(tmp_path / "products.json", orient="records")
    out = tmp_path / "page.html"
    words = ["report", str(tmp_path / "log.csv"), "--out", str(out), "--quiet"]
    beside = ["--customers", str(tmp_path / "people.csv"),
              "--products", str(tmp_path / "products.json")]  # fmt: skip
    assert main([*words, *beside, "--tables", str(tmp_path / "tables")]) == 0
    assert (tmp_path / "page.json").is_file()
    listed = pd.read_csv(tmp_path / "tables" / "keep.csv")
    assert (listed["Name"] == "Ann").all()
    assert (listed["consent"] == "yes").all()


def test_a_table_without_its_column_is_told(tmp_path, log, capsys):
    log.head(50).to_csv(tmp_path / "log.csv", index=False)
    pd.DataFrame({"colour": ["red"]}).to_csv(tmp_path / "people.csv", index=False)
    words = ["report", str(tmp_path / "log.csv"), "--out", str(tmp_path / "page.html")]
    assert main([*words, "--customers", str(tmp_path / "people.csv"), "--quiet"]) == 2
    assert "has no column 'customer_id'" in capsys.readouterr().err
