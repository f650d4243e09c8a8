"""Products packed in one cell: a row for each, the money of the order kept."""

import json

import pandas as pd
import pytest

import crmkit
from reading._shop import cells, orders_of, shop

LINES = shop(refunds=False)
ORDERS = orders_of(LINES)
OF = [lines for _, lines in LINES.groupby("order", sort=False)]


def keyed(lines):
    rows = zip(lines["product"], lines["units"], lines["amount"], strict=True)
    return ";".join(f"name:{p}|product_id:7|quantity:{n}|total:{a:.2f}" for p, n, a in rows)


def as_json(lines):
    names = {"product": "name", "units": "qty", "price": "price"}
    return json.dumps(lines[list(names)].rename(columns=names).to_dict("records"))


FORMS = {
    "counts before": lambda o: ", ".join(o["units"].astype(str) + " x " + o["product"]),
    "counts behind": lambda o: "; ".join(o["product"] + " (x" + o["units"].astype(str) + ")"),
    "counts in lines": lambda o: "\n".join(o["product"] + " x " + o["units"].astype(str)),
    "keyed": keyed,
    "json": as_json,
}


def store(tmp_path, packed, units=True):
    columns = {
        "Klant": ORDERS["customer"], "Datum": ORDERS["moment"].dt.strftime("%Y-%m-%d"),
        "Bestelnr": ORDERS["order"], "Artikelen": packed, "Totaal": ORDERS["amount"],
    }  # fmt: skip
    if units:
        columns["Aantal"] = ORDERS["units"]
    (tmp_path / "o.csv").write_text(cells(columns), encoding="utf-8")
    return tmp_path / "o.csv"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("units", [True, False])
def test_each_product_gets_a_row(tmp_path, form, units):
    log = crmkit.read_transactions(store(tmp_path, [FORMS[form](o) for o in OF], units))
    assert log["product"].tolist() == LINES["product"].tolist()
    assert log["quantity"].tolist() == LINES["units"].tolist()
    of_orders = log.groupby("order_id")["amount"].sum()
    wanted = LINES.groupby("order")["amount"].sum()
    assert of_orders.to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-6)
    if form in ("keyed", "json"):  # what each cost is in the cell
        assert log["amount"].tolist() == pytest.approx(LINES["amount"].tolist())
    else:
        how = {line["what"]: line for line in log.attrs["account"]["how_read"]}
        assert how["amount of a product"]["sure"] == "not known"


@pytest.mark.parametrize("mark", ["; ", " | ", ","])
def test_lists_without_counts_need_proof(tmp_path, mark):
    """A comma may stand in a name: only as many names as units prove a list of that kind."""
    names = LINES["product"].str.replace(",", " -")
    packed = [mark.join(names[o.index]) for o in OF]
    single = orders_of(LINES.assign(units=1))["units"]
    path = store(tmp_path, packed, units=False)
    log = crmkit.read_transactions(path)
    assert len(log) == len(ORDERS) if mark == "," else log["product"].tolist() == names.tolist()
    text = path.read_text(encoding="utf-8").splitlines()
    more = ["Aantal", *map(str, single)]
    path.write_text("\n".join(f"{a},{b}" for a, b in zip(text, more, strict=True)), "utf-8")
    log = crmkit.read_transactions(path)
    assert log["product"].tolist() == names.tolist()
    assert log["amount"].sum() == pytest.approx(LINES["amount"].sum())


def test_what_is_single_stays_single(tmp_path):
    packed = [FORMS["counts before"](o) for o in OF]
    path = store(tmp_path, packed)
    log = crmkit.read_transactions(path, product_separator="none")
    assert log["product"].tolist() == packed
    log = crmkit.read_transactions(path, product_separator=", ")
    assert len(log) >= len(LINES)
    # One product in each cell, and lines of orders: nothing to unpack.
    one = pd.DataFrame({"k": LINES["customer"], "Datum": "2024-01-31", "Bestelnr": LINES["order"]})
    one["Artikel"] = LINES["units"].astype(str) + " x " + LINES["product"]
    one["Bedrag"] = LINES["amount"]
    path.write_text(cells(one.rename(columns={"k": "Klant"})), encoding="utf-8")
    log = crmkit.read_transactions(path)
    assert log["product"].tolist() == one["Artikel"].tolist()
