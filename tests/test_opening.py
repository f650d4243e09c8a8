"""Files that the command line opens: packed, damaged, in other encodings, with odd headers."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from crmkit import _opening, errors, read_transactions, report
from crmkit.__main__ import main
from crmkit._report import memory
from reading._shop import read_table

LINES = "customer_id,date,amount\n" + "".join(
    f"{number % 7},2024-01-{1 + number % 28:02d},{number}.5\n" for number in range(400)
)
PLAIN = LINES.encode()


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_csv", ".csv"), content)
    return packed.getvalue()


PACKED = {
    ".gz": gzip.compress(PLAIN),
    ".bz2": bz2.compress(PLAIN),
    ".xz": lzma.compress(PLAIN),
    ".zip": zipped(log_csv=PLAIN),
}


def stored(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def said(path, *options, capsys):
    """The one sentence with which a report on a file ends."""
    code = main(["report", str(path), *options, "--out", str(path.parent / "o.html"), "--quiet"])
    error = capsys.readouterr().err
    assert code == 2, error
    assert error.startswith("crmkit: ")
    assert error.count("\n") == (2 if code == 0 else 1)
    assert not (path.parent / "o.html").exists()
    return error


@pytest.mark.parametrize("ending", [*PACKED, ".zst"])
def test_packed_files_hold_what_they_hold(tmp_path, ending):
    if ending == ".zst":
        pa = pytest.importorskip("pyarrow")
        content = pa.compress(PLAIN, codec="zstd", asbytes=True)
    else:
        content = PACKED[ending]
    wanted = pd.read_csv(io.StringIO(LINES), dtype=str)
    for name in (f"log.csv{ending}", "log.csv"):  # a name that says nothing of the packing
        read = read_table(stored(tmp_path, name, content))
        pd.testing.assert_frame_equal(read, wanted)


def test_an_archive_names_the_table_itself(tmp_path):
    beside = {"__MACOSX/._log_csv": b"x", "folder/": b"", "folder/log_csv": PLAIN}
    assert len(read_table(stored(tmp_path, "export.zip", zipped(**beside)))) == 400


def damaged(content):
    middle = len(content) // 2
    flipped = bytearray(content)
    flipped[middle] ^= 0xFF
    tail = bytearray(content)
    tail[-6] ^= 0xFF
    return {
        "cut": content[:middle],
        "cut short": content[:-3],
        "nothing but its beginning": content[:7],
        "wrong magic": b"\0\0\0\0" + content[4:],
        "a bit in the middle": bytes(flipped),
        "a wrong sum": bytes(tail),
        "not packed": PLAIN,
    }


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("how", list(damaged(b"12345678")))
def test_damaged_archives_are_told_in_a_sentence(tmp_path, capsys, ending, how):
    content = damaged(PACKED[ending])[how]
    error = said(stored(tmp_path, f"log.csv{ending}", content), capsys=capsys)
    assert "damaged" in error or "packed" in error


@pytest.mark.parametrize("how", list(damaged(b"12345678")))
def test_damaged_zstandard_is_told_in_a_sentence(tmp_path, capsys, how):
    pa = pytest.importorskip("pyarrow")
    content = damaged(pa.compress(PLAIN * 9, codec="zstd", asbytes=True))[how]
    path = stored(tmp_path, "log.csv.zst", content)
    if how in {"a bit in the middle", "a wrong sum"}:
        # Without a checksum in the file nobody can tell; what is read must be a table or refused.
        with contextlib.suppress(errors.InputError):
            assert len(read_table(path)) > 0
        return
    said(path, capsys=capsys)


def test_packed_as_something_else_is_said(tmp_path, capsys):
    error = said(stored(tmp_path, "log.csv.gz", PACKED[".bz2"]), capsys=capsys)
    assert ".bz2" in error


def test_archives_of_none_and_of_several_files(tmp_path, capsys):
    error = said(stored(tmp_path, "a.zip", zipped()), capsys=capsys)
    assert "packs 0 files" in error
    error = said(stored(tmp_path, "b.zip", zipped(a_csv=PLAIN, b_csv=PLAIN)), capsys=capsys)
    assert "packs 2 files: 'a.csv', 'b.csv'" in error
    inner = {"[Content_Types].xml": b"", "xl/workbook.xml": b""}
    error = said(stored(tmp_path, "c.csv", zipped(**inner)), capsys=capsys)
    assert "workbook" in error


def test_an_encrypted_archive_is_told(tmp_path, capsys):
    content = bytearray(PACKED[".zip"])
    content[6] |= 1  # the flag of the member ...
    content[content.index(b"PK\x01\x02") + 8] |= 1  # ... and of the directory
    assert "password" in said(stored(tmp_path, "log.zip", bytes(content)), capsys=capsys)


def test_zstandard_without_its_library(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = stored(tmp_path, "log.csv.zst", b"\x28\xb5\x2f\xfd\0\0")
    assert 'pip install "crmkit[data]"' in said(path, capsys=capsys)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PAR1....", "Parquet"),
        (b"%PDF-1.4", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        (b"<!DOCTYPE html><table>", "web page"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\1\2\3\4", "not text"),
    ],
)
def test_what_is_no_table_of_text_is_named(tmp_path, capsys, content, word):
    assert word in said(stored(tmp_path, "log.csv", content), capsys=capsys)
    assert word in said(stored(tmp_path, "log.csv.gz", gzip.compress(content)), capsys=capsys)


@pytest.mark.parametrize(
    ("text", "encoding", "read"),
    [
        ("José", "latin-1", "'José' in cp1252"),
        ("Łódź", "cp1250", "'Łódź' in cp1250"),
        ("Мария", "cp1251", "'Мария' in cp1251"),
        ("Zoë", "cp850", "'Zoë' in cp850"),
        ("東京", "shift_jis", "'東京' in shift_jis"),
        ("北京", "gb18030", "'北京' in gb18030"),
    ],
)
def test_another_encoding_is_shown_by_what_it_makes_of_the_text(
    tmp_path, capsys, text, encoding, read
):
    lines = f"customer_id,date\n1,2024-01-01\n{text},2024-01-02\n"
    path = stored(tmp_path, "log.csv", lines.encode(encoding))
    with pytest.raises(errors.InputError, match=re.escape(read)):
        read_table(path)
    assert read in said(path, "--encoding", "ascii", capsys=capsys)
    back = read_table(path, encoding=read.rpartition(" ")[2])
    assert back["customer_id"].tolist() == ["1", text]
    # The reader that infers finds it alone.
    assert read_transactions(path)["customer_id"].tolist() == ["1", text]


def test_utf_8_is_named_where_another_encoding_was_asked(tmp_path, capsys):
    path = stored(tmp_path, "log.csv", "customer_id,date\nJosé,2024-01-01\n".encode())
    assert "'José' in utf-8" in said(path, "--encoding", "ascii", capsys=capsys)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_text_is_named_and_read(tmp_path, encoding):
    path = stored(tmp_path, "log.csv", LINES.encode(encoding))
    with pytest.raises(errors.InputError, match=f"encoding='{encoding}'"):
        read_table(path)
    assert len(read_transactions(path)) == 400
    assert len(read_table(path, encoding=encoding)) == 400


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path, mark):
    read = read_table(stored(tmp_path, "log.csv", mark + PLAIN))
    assert list(read) == ["customer_id", "date", "amount"]


@pytest.mark.parametrize(
    "options",
    [
        ("--encoding", "foo"),
        ("--encoding", ""),
        ("--encoding", "base64"),
        ("--encoding", "utf-8\0"),
        ("--decimal", ",,"),
        ("--decimal", ""),
        ("--decimal", "5"),
        ("--thousands", "."),
        ("--thousands", "ab"),
        ("--decimal", ",", "--thousands", ","),
        ("--tz", "Mars"),
        ("--date-format", "%s"),
        ("--date-format", "%Y%Y"),
        ("--date-format", ""),
        ("--amount", "date"),
        ("--amount", "customer_id"),
        ("--price", "amount"),
        ("--price", "nowhere"),
        ("--amount", ""),
        ("--as-of", "2024-13-01"),
    ],
)
def test_options_that_cannot_be_are_told_under_their_own_name(tmp_path, capsys, options):
    path = stored(tmp_path, "log.csv", PLAIN)
    error = said(path, *options, capsys=capsys)
    assert "`" not in error
    assert options[0] in error or "--" in error or options[0][2:] in error


def test_names_of_files_may_be_any_bytes(tmp_path):
    folder = os.fsencode(tmp_path)
    log, page = folder + b"/caf\xe9.csv", folder + b"/\xff.html"
    try:
        Path(os.fsdecode(log)).write_bytes(b"\n".join(PLAIN.splitlines()[:9]))
    except OSError:
        pytest.skip("this system has text for names of files")
    command = [os.fsencode(sys.executable), b"-m", b"crmkit", b"report"]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    for file, code in ((log, 0), (folder + b"/none\xe9.csv", 2)):
        done = subprocess.run(
            [*command, file, b"--out", page, b"--quiet"],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert (done.stdout if code == 0 else done.stderr).count("\n") == (2 if code == 0 else 1)
    assert "Customers in caf\ufffd.csv" in Path(os.fsdecode(page)).read_text("utf-8")


def test_twin_headers_are_refused_where_they_are_meant(tmp_path, capsys):
    content = b"customer_id,date,amount,amount,note,note\n1,2024-01-01,5,6,a,b\n"
    path = stored(tmp_path, "log.csv", content)
    error = said(path, capsys=capsys)
    assert "several columns" in error
    assert "['amount']" in error
    with pytest.raises(errors.InputError, match=r"\['amount', 'note'\]"):
        read_table(path)
    assert len(read_table(path, ["customer_id", "date"])) == 1


def test_words_for_missing_are_ids_in_ids_and_missing_elsewhere(tmp_path):
    words = ["NA", "None", "null", "nan", "NULL", "N/A", "00123"]
    lines = ["customer_id,order_id,product,date,amount"]
    lines += [f"{word},{word},{word},2024-01-01,{word}" for word in words[:-1]]
    lines += ["00123,,,2024-01-01,7", ",7,x,2024-01-01,1"]
    ids = ["customer_id", "order_id", "product"]
    path = stored(tmp_path, "log.csv", "\n".join(lines).encode())
    read = read_transactions(
        path, missing_customers="drop", missing_amounts="drop", ignore_case="no"
    )
    assert read["customer_id"].tolist() == ["00123"]
    read = read_table(path)
    assert read["customer_id"].tolist()[:7] == words
    assert read[ids].isna().sum().tolist() == [1, 1, 1]


def test_the_cells_that_are_broken_are_shown(tmp_path, capsys):
    content = LINES.replace(",7.5\n", ',"seven"\n').encode()
    error = said(stored(tmp_path, "log.csv", content), capsys=capsys)
    assert "in 1 of 400 rows (first at row 7): ['seven']" in error
    assert "--decimal and --thousands" in error


def test_marks_of_numbers(tmp_path):
    content = b"customer_id;date;amount\n1;2024-01-01;1.240,50\n1;2024-02-01;-3,5\n2;2024-02-03;7\n"
    path = stored(tmp_path, "log.csv", content)
    out, tables = tmp_path / "o.html", tmp_path / "tables"
    options = ["--decimal", ",", "--thousands", ".", "--out", str(out), "--quiet"]
    assert main(["report", str(path), *options, "--tables", str(tables)]) == 0
    assert pd.read_csv(tables / "profit.csv")["revenue"].sum() == 1244


def test_price_times_quantity(tmp_path):
    content = b"customer_id,date,units,price\n1,2024-01-01,3,0.1\n2,2024-02-01,2,5\n"
    path, tables = stored(tmp_path, "log.csv", content), tmp_path / "tables"
    options = ["--price", "price", "--quantity", "units", "--quiet", "--tables", str(tables)]
    assert main(["report", str(path), *options, "--out", str(tmp_path / "o.html")]) == 0
    assert pd.read_csv(tables / "profit.csv")["revenue"].sum() == 10.3


def test_the_columns_of_the_file_are_named(tmp_path, capsys):
    path = stored(tmp_path, "log.csv", b"Wer,quantity,Datum\n1,2,3\n")
    error = said(path, capsys=capsys)
    assert "it has ['Wer', 'quantity', 'Datum']" in error
    assert "--customer-id" in error
    error = said(path, "--customer-id", "wer", "--date", "Datum", capsys=capsys)
    assert "did you mean 'Wer'" in error


@pytest.mark.parametrize("more", [",x", ",,x", ",,", ",,,,,,,,x"])
def test_cells_beyond_the_header(tmp_path, more):
    path = stored(tmp_path, "log.csv", f"customer_id,date\n1,2{more}\n3,4\n5,6\n7,8\n".encode())
    if set(more) == {","} or len(more) > 5:
        assert read_table(path)["customer_id"].tolist() == ["1", "3", "5", "7"]
    else:
        with pytest.raises(errors.InputError, match=r"1 of 4 rows \(first: row 1 under the header"):
            read_table(path)


def test_wide_headers_are_read_by_the_columns_that_are_wanted(tmp_path):
    from time import process_time

    columns = 20_000
    header = ",".join(["customer_id", "date", *(f"column {n}" for n in range(columns))])
    rows = "\n".join([",".join(["7", "2024-01-01", *(["1"] * columns)])] * 20)
    path = stored(tmp_path, "log.csv", f"{header}\n{rows}\n".encode())

    def took(*arguments):  # the best of some: others may work beside
        times = []
        for _ in range(3):
            begin = process_time()
            arguments[0](path, *arguments[1:])
            times.append(process_time() - begin)
        return min(times)

    whole, read = pd.read_csv(path), read_table(path, ["customer_id", "date"])
    assert took(read_table, ["customer_id", "date"]) < 2 * took(pd.read_csv)
    assert whole.shape == (20, columns + 2)
    assert read.shape == (20, 2)


def test_headers_have_a_limit(tmp_path, monkeypatch, capsys):
    from crmkit._reading import files

    path = stored(tmp_path, "log.csv", PLAIN)
    with monkeypatch.context() as patch:
        patch.setattr(files, "_MOST_COLUMNS", 2)
        assert "3 columns; at most 2" in said(path, capsys=capsys)
    path = stored(tmp_path, "log.csv", b"a" * 300_000)
    monkeypatch.setattr(files, "_LONGEST_HEADER", 10)
    assert "more than 10 letters" in said(path, capsys=capsys)


@pytest.mark.parametrize("content", [b"\n\n", b"  \n", b'"a', b'a,"b\n1,2\n'])
def test_what_has_no_header_is_told(tmp_path, content):
    with pytest.raises(errors.InputError, match=r"empty|regular table|Datum|lacks"):
        read_table(stored(tmp_path, "log.csv", content), ["Datum"])


def test_too_little_memory_is_told_with_what_would_fit(tmp_path, capsys, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr(report, "make_report", exhausted)
    monkeypatch.setattr(memory, "_limits", lambda: iter([940_000_000, 9e9]))
    path = stored(tmp_path, "log.csv.gz", PACKED[".gz"])
    error = said(path, capsys=capsys)
    assert "the 400 rows of LOG" in error
    assert "0.9 GB may be used here, enough for about 200 rows" in error
    assert "200,000 rows" in memory.too_large(None)


def test_the_limits_of_this_system_are_numbers():
    assert all(limit > 0 for limit in memory._limits())


def test_whoever_reads_has_the_sentence_of_the_encoding(tmp_path):
    path = stored(tmp_path, "log.txt", b"a" * 100_000 + b",\xe9\n")
    with (
        pytest.raises(errors.InputError, match="not utf-8 text"),
        _opening.open_text(path, "utf-8") as text,
    ):
        text.read()
