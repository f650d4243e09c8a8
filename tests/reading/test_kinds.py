"""Kinds of files: the same log whatever holds it."""

import gzip
import json
import sqlite3
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pandas as pd
import pytest

import crmkit
from crmkit.errors import InputError
from reading._shop import shop

LINES = shop()
TABLE = pd.DataFrame(
    {
        "CustomerID": LINES["customer"],
        "InvoiceDate": LINES["moment"].dt.strftime("%Y-%m-%d %H:%M:%S"),
        "InvoiceNo": LINES["order"],
        "Description": LINES["product"],
        "Quantity": LINES["units"],
        "UnitPrice": LINES["price"],
    }
)
RECORDS = TABLE.to_dict("records")


def check(path, **options):
    log = crmkit.read_transactions(path, **options)
    assert len(log) == len(LINES)
    assert log["customer_id"].tolist() == LINES["customer"].tolist()
    assert log["order_id"].nunique() == LINES["order"].nunique()
    assert log["amount"].sum() == pytest.approx(LINES["amount"].sum(), abs=0.005)
    assert log["date"].tolist() == LINES["moment"].tolist()
    assert log["product"].tolist() == LINES["product"].tolist()
    return log


def test_json_as_a_list_as_lines_and_within_an_object(tmp_path):
    path = tmp_path / "log.json"
    lines = "\n".join(json.dumps(record) for record in RECORDS)
    for text in (json.dumps(RECORDS), lines, json.dumps({"count": 9, "orders": RECORDS})):
        path.write_text(text, encoding="utf-8")
        check(path)
        path.write_bytes(gzip.compress(text.encode()))
        check(path)


def test_orders_with_their_lines_within_them(tmp_path):
    orders = [
        {
            "customer": {"id": lines["customer"].iloc[0]},
            "date": lines["moment"].iloc[0].isoformat(),
            "order_id": order,
            "line_items": [
                {"name": product, "quantity": units, "price": price}
                for product, units, price in zip(
                    lines["product"], lines["units"].tolist(), lines["price"], strict=True
                )
            ],
        }
        for order, lines in LINES.groupby("order", sort=False)
    ]
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(orders), encoding="utf-8")
    check(path)


@pytest.mark.parametrize("text", ['{"a": 1', "[{]", '{"a": [1]}', '[{"a": 1}, 2]'])
def test_broken_json_is_told(tmp_path, text):
    path = tmp_path / "log.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        crmkit.read_transactions(path)


def database(path, *names):
    with sqlite3.connect(path) as base:
        for name in names:
            TABLE.to_sql(name, base, index=False)
        pd.DataFrame({"key": [1], "value": ["x"]}).to_sql("settings", base, index=False)
    base.close()


def test_sqlite(tmp_path):
    path = tmp_path / "shop.db"
    database(path, "sales")
    log = check(path)
    assert "table='sales'" in [line["option"] for line in log.attrs["account"]["how_read"]]


def test_tables_that_are_alike_are_asked_about(tmp_path):
    path = tmp_path / "shop.db"
    database(path, "sales 2024", "sales 2025")
    with pytest.raises(InputError, match="table='sales 2024'"):
        crmkit.read_transactions(path)
    check(path, table="sales 2025")
    with pytest.raises(InputError, match=r"it has \['sales 2024'"):
        crmkit.read_transactions(path, table="sales")


def test_a_damaged_database_is_told(tmp_path):
    path = tmp_path / "shop.db"
    database(path, "sales")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="SQLite"):
        crmkit.read_transactions(path)


def test_duckdb(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as base:
        base.register("given", TABLE)
        base.execute("CREATE TABLE sales AS SELECT * FROM given")
    check(path)


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "log.data"
    TABLE.assign(InvoiceDate=LINES["moment"]).to_parquet(path)
    check(path)


def workbook(rows):
    """A workbook of one sheet, by hand: text and numbers, dates as days since 1899-12-30."""
    cells = []
    for row in rows:
        cells.append("<row>")
        for cell in row:
            if isinstance(cell, str):
                cells.append(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
            elif isinstance(cell, pd.Timestamp):
                days = (cell - pd.Timestamp("1899-12-30")) / timedelta(days=1)
                cells.append(f'<c s="1"><v>{days!r}</v></c>')
            else:
                cells.append(f"<c><v>{cell}</v></c>")
        cells.append("</row>")
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Sales" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'
        f"{''.join(cells)}</sheetData></worksheet>",
    }


def stored_workbook(path):
    rows = TABLE.assign(InvoiceDate=LINES["moment"].dt.floor("s")).itertuples(index=False)
    title = [["Sales of 2024"], [], list(TABLE.columns)]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in workbook([*title, *rows]).items():
            archive.writestr(name, content)


def test_a_workbook_with_a_title(tmp_path):
    pytest.importorskip("python_calamine")
    path = tmp_path / "log.xlsx"
    stored_workbook(path)
    log = check(path)
    assert "header_line='3'" in [line["option"] for line in log.attrs["account"]["how_read"]]


def test_a_workbook_without_its_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    path = tmp_path / "log.xlsx"
    stored_workbook(path)
    with pytest.raises(InputError, match=r'pip install "crmkit\[excel\]"'):
        crmkit.read_transactions(path)


def test_a_workbook_of_an_open_office(tmp_path):
    pytest.importorskip("python_calamine")
    open_document = "urn:oasis:names:tc:opendocument:xmlns:"

    def written(cell):
        kind = "string" if isinstance(cell, str) else "float"
        value = "" if kind == "string" else f' office:value="{cell}"'
        if isinstance(cell, pd.Timestamp):
            kind, value = "date", f' office:date-value="{cell.isoformat()}"'
        return (
            f'<table:table-cell office:value-type="{kind}"{value}><text:p>{escape(str(cell))}'
            "</text:p></table:table-cell>"
        )

    rows = TABLE.assign(InvoiceDate=LINES["moment"]).itertuples(index=False)
    body = "".join(
        f"<table:table-row>{''.join(map(written, row))}</table:table-row>"
        for row in [["Verkopen 2024"], [], list(TABLE.columns), *rows]
    )
    content = (
        f'<office:document-content xmlns:office="{open_document}office:1.0" '
        f'xmlns:table="{open_document}table:1.0" xmlns:text="{open_document}text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="Blad1">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(tmp_path / "log.ods", "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{open_document}manifest:1.0"><manifest:file-entry '
            f'manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
        archive.writestr("content.xml", content)
    check(tmp_path / "log.ods")


def test_a_workbook_of_an_old_spreadsheet(tmp_path):
    """Written by xlwt: a title, dates as days, a total below the lines."""
    pytest.importorskip("python_calamine")
    packed = Path(__file__).with_name("till.xls.gz").read_bytes()
    (tmp_path / "till.xls").write_bytes(gzip.decompress(packed))
    log = crmkit.read_transactions(tmp_path / "till.xls")
    assert (len(log), log["order_id"].nunique(), log["customer_id"].nunique()) == (40, 20, 7)
    assert log["amount"].sum() == pytest.approx(1670.65)
    assert str(log["date"].iloc[-1].date()) == "2024-04-27"


def test_a_damaged_workbook_is_told(tmp_path):
    pytest.importorskip("python_calamine")
    path = tmp_path / "log.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(InputError, match="workbook"):
        crmkit.read_transactions(path)
