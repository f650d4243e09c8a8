"""A log read in parts of whole customers is the log read in one piece, with one account."""

import errno
import inspect
import sqlite3

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets, read_transactions
from crmkit._reading import HOW_READ, Account, begin, read_parts
from crmkit.errors import InputError

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

GIVEN = {
    name: parameter.default
    for name, parameter in inspect.signature(read_transactions).parameters.items()
    if name != "path"
}


def in_parts(path, folder, n_parts=4, **options):
    account = Account()
    begun = begin([str(path)], account, **GIVEN | options)
    folder.mkdir(exist_ok=True)
    return read_parts(begun, account, folder, n_parts, lambda some, _: some)


def rows_of(parts):
    return pd.concat([part.open().df() for part in parts.parts], ignore_index=True)


def in_order(log):
    by = sorted(log.columns)
    log = log.astype({name: str for name in by if log[name].dtype.kind not in "iufM"})
    return log[by].sort_values(by, ignore_index=True)


def lines(n=2000, customers=150, seed=0):
    rng = np.random.default_rng(seed)
    day = np.datetime64("2024-01-01", "s") + rng.integers(0, 500, n).astype("timedelta64[D]")
    units = rng.integers(1, 5, n)
    return pd.DataFrame(
        {
            "Klantnr": [f"k{place}" for place in rng.integers(0, customers, n)],
            "Order": np.arange(n) // 2,
            "Datum": pd.Series(day).dt.strftime("%d-%m-%Y"),
            "Artikel": rng.choice(["a", "b", "c", "d"], n),
            "Aantal": units,
            "Bedrag": [f"{cents // 100},{cents % 100:02d}" for cents in rng.integers(100, 9999, n)],
            "Status": rng.choice(["betaald", "geannuleerd"], n, p=[0.95, 0.05]),
        }
    )


def by_customer(table):
    """Give each order one customer."""
    return table.assign(Klantnr=table.groupby("Order")["Klantnr"].transform("first"))


def orders_told_once(table):
    table = by_customer(table)
    whole = [f"{20 + order % 89},50" for order in table["Order"]]
    return table.assign(Totaal=whole).drop(columns=["Bedrag", "Status"])


def repeats(table):
    return pd.concat([table, table.head(30)])


def refunds(table):
    states = np.where(table.index % 50 == 0, "terugbetaald", "betaald")
    return by_customer(table).assign(Status=states)


def ids_in_capitals(table):
    ids = [f"{name}@x.nl" if i % 7 else f"{name}@X.NL " for i, name in enumerate(table["Klantnr"])]
    return table.assign(Klantnr=ids)


def some_without(column):
    return lambda table: table.assign(**{column: table[column].where(table.index % 40 > 0)})


DIRTY = {
    "as it is": (by_customer, {}),
    "orders told once": (orders_told_once, {}),
    "repeats": (repeats, {}),
    "repeats dropped": (repeats, {"duplicates": "drop"}),
    "refunds": (refunds, {}),
    "capitals": (ids_in_capitals, {}),
    "no customer": (some_without("Klantnr"), {"missing_customers": "drop"}),
    "no date": (some_without("Datum"), {"missing_dates": "drop"}),
    "no amount": (some_without("Bedrag"), {"missing_amounts": "drop"}),
    "guests": (lambda t: t.assign(Klantnr=t["Klantnr"].where(t.index % 3 > 0, "gast")),
               {"guests": "gast"}),
    "from a day on": (by_customer, {"since": "2024-03-01"}),
    "what counts": (by_customer, {"where": "Artikel=a,b"}),
}  # fmt: skip


@pytest.mark.parametrize("what", DIRTY)
def test_parts_have_the_rows_and_the_account_of_the_whole(tmp_path, what):
    change, options = DIRTY[what]
    path = tmp_path / "log.csv"
    change(lines()).to_csv(path, sep=";", index=False)
    whole = read_transactions(path, **options)
    parts = in_parts(path, tmp_path / "parts", **options)
    pd.testing.assert_frame_equal(
        in_order(rows_of(parts)), in_order(whole), check_dtype=False, rtol=1e-12
    )
    assert sum(parts.customers) == whole["customer_id"].nunique()
    account = whole.attrs["account"]
    assert parts.account.keys() == account.keys()
    for key in account.keys() - {HOW_READ, "suspicious_ids"}:
        assert parts.account[key] == pytest.approx(account[key]), key

    def told(account):
        return {(line["what"], line["value"], line["option"]) for line in account[HOW_READ]}

    more = told(parts.account) - told(account)
    assert {what for what, _, _ in more} == {"parts"}
    assert told(account) <= told(parts.account)


def test_files_of_every_kind_are_dealt_out(tmp_path):
    log = datasets.make_transactions(120, random_state=1)["transactions"]
    log.iloc[:300].to_parquet(tmp_path / "one.parquet", index=False)
    (tmp_path / "folder").mkdir()
    log.iloc[:300].to_parquet(tmp_path / "folder" / "1.parquet", index=False)
    log.iloc[300:].to_parquet(tmp_path / "folder" / "2.parquet", index=False)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as base:
        base.execute("CREATE TABLE orders AS SELECT * FROM log")
    base = sqlite3.connect(tmp_path / "shop.sqlite")
    log.assign(date=log["date"].astype(str)).to_sql("orders", base, index=False)
    base.close()
    log.to_csv(tmp_path / "log.csv.gz", index=False)
    for place, name in enumerate(("folder", "shop.duckdb", "shop.sqlite", "log.csv.gz")):
        whole = read_transactions(tmp_path / name)
        parts = in_parts(tmp_path / name, tmp_path / f"parts{place}", 3)
        pd.testing.assert_frame_equal(
            in_order(rows_of(parts)), in_order(whole), check_dtype=False, check_exact=True
        )
        seen = [set(part.open().df()["customer_id"]) for part in parts.parts]
        assert sum(map(len, seen)) == len(set.union(*seen)) == whole["customer_id"].nunique()


def test_orders_of_two_files_count_once(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    table = by_customer(lines(400, 40))
    table.iloc[:300].to_csv(folder / "1.csv", index=False)
    table.iloc[200:].to_csv(folder / "2.csv", index=False)
    with pytest.raises(InputError, match="the exports overlap"):
        in_parts(folder, tmp_path / "parts")
    whole = read_transactions(folder, duplicates="files")
    parts = in_parts(folder, tmp_path / "again", duplicates="files")
    pd.testing.assert_frame_equal(
        in_order(rows_of(parts)), in_order(whole), check_dtype=False, rtol=1e-12
    )


ASKED = {
    "a guest": (lambda t: t.assign(Klantnr=t["Klantnr"].where(t.index % 5 > 0, "gast")), {},
                "stands for all who did not say"),
    "a day far away": (lambda t: t.assign(Datum=t["Datum"].where(t.index > 0, "01-01-1900")), {},
                       "to leave them out"),
    "a total": (lambda t: pd.concat([t, t.tail(1).assign(
        Klantnr="k9", Order=9999, Bedrag=f"{_sum(t):.2f}".replace(".", ","),
        Status="betaald")]), {}, "the sum of all other rows"),
    "nobody by that name": (by_customer, {"guests": "nobody"}, "the customer of 0 of"),
    "orders of two customers": (
        lambda t: orders_told_once(t).assign(Klantnr=t["Klantnr"]), {"amount_per": "order"},
        "orders of LOG, such as .* have lines of several customers"),
    "currencies": (lambda t: t.assign(Valuta=["EUR", "USD"] * (len(t) // 2)), {}, "2 currencies"),
    "currencies by customer": (
        lambda t: t.assign(Valuta=["EUR" if int(k[1:]) else "USD" for k in t["Klantnr"]]), {},
        "currenc"),
    "capitals": (lambda t: t.assign(
        Klantnr=[k if i % 7 else k.upper() for i, k in enumerate(t["Klantnr"])]), {},
        "differ by capitals alone"),
    "no customer": (some_without("Klantnr"), {}, "'customer_id' is missing"),
    "a word": (lambda t: t.assign(Bedrag=t["Bedrag"].where(t.index != 7, "veel")), {},
               r"what is not a number .* \(LOG is read in parts"),
    "an unknown state": (lambda t: t.assign(Status=t["Status"].where(t.index != 7, "hm")), {},
                         "it is not known whether that is money earned"),
}  # fmt: skip


def _sum(table):
    sold = table[table["Status"] == "betaald"]
    return sold["Bedrag"].str.replace(",", ".").astype(float).sum()


@pytest.mark.parametrize("what", ASKED)
def test_what_is_asked_of_the_whole_is_asked_of_parts(tmp_path, what):
    change, options, words = ASKED[what]
    path = tmp_path / "log.csv"
    change(lines()).to_csv(path, sep=";", index=False)
    if "orders of two" not in what:
        with pytest.raises(InputError):
            read_transactions(path, **options)
    with pytest.raises(InputError, match=words):
        in_parts(path, tmp_path / "parts", **options)


def test_what_one_part_does_not_prove_others_prove(tmp_path):
    path = tmp_path / "log.csv"
    table = lines(600, 3)
    # Of two customers no date has a day above 12.
    first = table["Klantnr"] == "k0"
    table.loc[~first, "Datum"] = "03-04-2024"
    table.to_csv(path, sep=";", index=False)
    whole = read_transactions(path)
    try:
        parts = in_parts(path, tmp_path / "parts", 3)
    except InputError as error:
        assert "which part is the day" in str(error)  # noqa: PT017 - asked, never guessed
    else:
        pd.testing.assert_frame_equal(
            in_order(rows_of(parts)), in_order(whole), check_dtype=False, rtol=1e-12
        )


def test_what_parts_prove_differently_is_asked(tmp_path):
    path = tmp_path / "log.csv"
    table = lines(600, 40)
    american = table["Klantnr"].isin([f"k{place}" for place in range(20)])
    other = pd.to_datetime(table["Datum"], format="%d-%m-%Y").dt.strftime("%m-%d-%Y")
    table["Datum"] = table["Datum"].mask(american, other)
    table.to_csv(path, sep=";", index=False)
    with pytest.raises(InputError, match=r"first in some dates|to be read with|not a date"):
        in_parts(path, tmp_path / "parts", 40)


def test_a_column_of_several_kinds_is_refused(tmp_path):
    base = sqlite3.connect(tmp_path / "shop.sqlite")
    base.execute("CREATE TABLE orders (customer_id, date, amount)")
    some = [(place % 9, "2024-01-05", 2.5) for place in range(30)]
    base.executemany("INSERT INTO orders VALUES (?, ?, ?)", [*some, ("x", "2024-01-06", 1)])
    base.commit()
    base.close()
    with pytest.raises(InputError, match="'customer_id' of LOG holds values of several kinds"):
        in_parts(tmp_path / "shop.sqlite", tmp_path / "parts")


def test_files_of_two_schemas_are_refused(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    table = pd.DataFrame({"customer_id": [1, 2], "date": ["2024-01-05"] * 2, "amount": [1.0, 2.0]})
    table.to_parquet(folder / "1.parquet")
    table.assign(customer_id=["a", "b"], amount=[3.0, 4.0]).to_parquet(folder / "2.parquet")
    with pytest.raises(InputError, match="'customer_id' of LOG is int64 in one file"):
        in_parts(folder, tmp_path / "parts")


def test_apostrophes_are_not_taken_off_by_parts(tmp_path):
    path = tmp_path / "log.csv"
    lines(60, 9).assign(Artikel="'=a").to_csv(path, sep=";", index=False)
    with pytest.raises(InputError, match="'Artikel' of LOG holds texts with an apostrophe"):
        in_parts(path, tmp_path / "parts")


def test_a_customer_larger_than_a_part_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("crmkit._reading.dealing._SMALL", 100)
    path = tmp_path / "log.csv"
    table = lines(600, 60)
    table.assign(Klantnr=table["Klantnr"].where(table.index % 2 > 0, "k7")).to_csv(
        path, index=False
    )
    with pytest.raises(
        InputError, match=r"'k7' of LOG has 30[0-9] rows, more than the 75 of a part"
    ):
        in_parts(path, tmp_path / "parts", 8)


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    lines(60, 9).to_csv(path, index=False)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
    with pytest.raises(InputError, match=r"that disk is full\. Set TMPDIR"):
        in_parts(path, tmp_path / "parts")
