"""Several files as one log: one layout, and nothing counted twice unasked."""

import json
import sqlite3

import pandas as pd
import pytest

import crmkit
from crmkit.errors import InputError
from reading._shop import cells, dutch, shop

LINES = shop()
COLUMNS = {
    "Klantnr": LINES["customer"], "Datum": LINES["moment"].dt.strftime("%d-%m-%Y"),
    "Ordernr": LINES["order"], "Artikel": LINES["product"], "Aantal": LINES["units"],
    "Bedrag": LINES["amount"].map(dutch),
}  # fmt: skip
TABLE = pd.DataFrame(COLUMNS)
MONTH = LINES["moment"].dt.strftime("%Y-%m")


def store(folder, name, rows, encoding="utf-8", **options):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(cells(rows, separator=";", **options).encode(encoding))
    return folder / name


@pytest.fixture
def months(tmp_path):
    """A folder with a file for each month, in turn of two encodings, and what stands aside."""
    folder = tmp_path / "months"
    for place, (month, rows) in enumerate(TABLE.groupby(MONTH)):
        store(folder, f"{month}.csv", rows, "cp1252" if place % 2 else "utf-8")
    (folder / ".DS_Store").write_bytes(b"\0\1")
    (folder / "~$2024-01.xlsx").write_bytes(b"x")
    return folder


def same(log):
    assert len(log) == len(LINES)
    assert log["customer_id"].tolist() == LINES["customer"].tolist()
    assert log["product"].tolist() == LINES["product"].tolist()
    assert log["amount"].sum() == pytest.approx(LINES["amount"].sum(), abs=0.005)


def test_a_folder_a_pattern_and_a_list_are_one_log(months):
    every = sorted(months.glob("*.csv"))
    for path in (months, str(months), str(months / "20*.csv"), every, [str(one) for one in every]):
        same(crmkit.read_transactions(path))
    how = crmkit.read_transactions(months).attrs["account"]["how_read"]
    told = {line["what"]: line for line in how}
    assert told["files"]["value"] == f"{len(every)} as one log"
    assert told["encoding"]["value"] in ("utf-8 or cp1252", "cp1252 or utf-8")
    assert told["encoding"]["option"] == ""  # no one option is right for all


def test_a_copy_of_a_file_is_named(months):
    first = min(months.glob("*.csv"))
    (months / "copy.csv").write_bytes(first.read_bytes())
    with pytest.raises(InputError, match=r"'copy.csv' and .* to the last letter"):
        crmkit.read_transactions(months)
    log = crmkit.read_transactions(months, duplicates="files")
    assert log["amount"].sum() == pytest.approx(LINES["amount"].sum())
    twice = crmkit.read_transactions(months, duplicates="keep")
    assert len(twice) == len(LINES) + (first.stem == MONTH).sum()
    with pytest.raises(InputError, match=r"several times"):
        crmkit.read_transactions([first, months / "." / first.name])


@pytest.mark.parametrize("numbered", [True, False])
def test_exports_that_overlap_are_asked_about(tmp_path, numbered):
    """Equal rows of one file may be real, those that a later file repeats are not."""
    table = pd.concat([TABLE, TABLE.iloc[[3]]]).sort_values("Ordernr", kind="stable")
    table = table if numbered else table.drop(columns="Ordernr")
    store(tmp_path / "x", "a.csv", table.iloc[:150])
    store(tmp_path / "x", "b.csv", table.iloc[100:])
    with pytest.raises(InputError, match=r"overlap.*duplicates='files'"):
        crmkit.read_transactions(tmp_path / "x")
    log = crmkit.read_transactions(tmp_path / "x", duplicates="files")
    assert len(log) == len(table)
    assert log["amount"].sum() == pytest.approx(LINES["amount"].sum() + LINES["amount"][3])


def test_an_order_of_another_state_in_a_later_export_counts_once(tmp_path):
    table = TABLE.assign(Status="in behandeling")
    store(tmp_path / "x", "a.csv", table.iloc[:150])
    store(tmp_path / "x", "b.csv", table.iloc[100:].assign(Status="voltooid"))
    with pytest.raises(InputError, match=r"overlap"):
        crmkit.read_transactions(tmp_path / "x")
    log = crmkit.read_transactions(tmp_path / "x", duplicates="files")
    assert log["amount"].sum() == pytest.approx(LINES["amount"].sum())


def test_an_order_cut_by_the_end_of_a_file_is_whole(tmp_path):
    inside = next(n for n in range(150, 200) if TABLE["Ordernr"][n - 1] == TABLE["Ordernr"][n])
    store(tmp_path / "x", "1.csv", TABLE.iloc[:inside])
    store(tmp_path / "x", "2.csv", TABLE.iloc[inside:])
    same(crmkit.read_transactions(tmp_path / "x"))


def test_other_layouts_are_refused(months):
    store(months, "klanten.csv", {"Klantnr": ["1"], "Naam": ["A"]})
    with pytest.raises(InputError, match=r"different columns: 'klanten.csv'"):
        crmkit.read_transactions(months)
    # A column that means nothing may be missing in some of them.
    store(months, "klanten.csv", TABLE.iloc[:0].assign(Opmerking="").rename(columns={}))
    same(crmkit.read_transactions(months))


def test_files_of_other_kinds_beside_each_other(tmp_path):
    half = len(TABLE) // 2
    folder = tmp_path / "x"
    store(folder, "1.csv", TABLE.iloc[:half])
    later = TABLE.iloc[half:].to_dict("records")
    (folder / "2.json").write_text(json.dumps(later), encoding="utf-8")
    same(crmkit.read_transactions(folder))
    (folder / "2.json").unlink()
    with sqlite3.connect(folder / "2.db") as base:
        TABLE.iloc[half:].to_sql("sales", base, index=False)
    base.close()
    same(crmkit.read_transactions(folder))


@pytest.mark.parametrize("path", [[], "none-*.csv", "empty", 5, [None]], ids=str)
def test_what_names_no_file_is_told(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"LOG|path"):
        crmkit.read_transactions(path)
