"""Files as well-known systems export them: the right lines, customers, orders and money."""

import csv
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.errors import InputError
from reading._shop import cells, dutch, english, orders_of, shop

LINES = shop()
SOLD = LINES[LINES["units"] > 0].reset_index(drop=True)
ORDERS = orders_of(SOLD)


def first_of_order(lines, values):
    return np.where(lines["order"].duplicated(), "", values)


def square():
    money = LINES["amount"].map(lambda v: f"${v:,.2f}" if v >= 0 else f"(${-v:,.2f})")
    return cells({
        "Date": LINES["moment"].dt.strftime("%m/%d/%y"), "Time": "09:30:56",
        "Time Zone": "Eastern Time (US & Canada)", "Category": "Tea", "Item": LINES["product"],
        "Qty": LINES["units"].map("{:.1f}".format), "Gross Sales": money, "Discounts": "$0.00",
        "Net Sales": money, "Tax": "$0.00", "Transaction ID": LINES["order"],
        "Event Type": np.where(LINES["units"] > 0, "Payment", "Refund"),
        "Customer ID": LINES["customer"],
    }), LINES  # fmt: skip


def magento():
    lost = ORDERS.iloc[:9].assign(order="9" + ORDERS["order"])
    every = pd.concat([ORDERS, lost])
    total = every["amount"].map(lambda v: f"${v:,.2f}")
    return cells({
        "ID": every["order"], "Purchase Point": "Main Website",
        "Purchase Date": every["moment"].dt.strftime("%b %d, %Y %I:%M:%S %p"),
        "Bill-to Name": every["customer"], "Ship-to Name": every["customer"],
        "Grand Total (Base)": total, "Grand Total (Purchased)": total,
        "Status": ["complete"] * 100 + ["processing"] * (len(ORDERS) - 100) + ["canceled"] * 9,
        "Customer Email": every["customer"] + "@example.org", "Customer Group": "General",
        "Subtotal": total, "Total Refunded": "",
    }, quoting=csv.QUOTE_ALL), ORDERS  # fmt: skip


def hubspot():
    lost = ORDERS.iloc[::5].assign(order="9" + ORDERS["order"])
    every = pd.concat([ORDERS, lost])
    return cells({
        "Record ID": every["order"], "Deal Name": "Deal " + every["order"],
        "Deal Stage": ["Closed won"] * len(ORDERS) + ["Closed lost"] * len(lost),
        "Close Date": every["moment"].dt.strftime("%Y-%m-%d %H:%M"),
        "Deal owner": "A. User", "Amount": every["amount"], "Currency": "EUR",
        "Associated Company": "Company " + every["customer"],
        "Associated Company IDs": every["customer"],
    }, quoting=csv.QUOTE_ALL), ORDERS  # fmt: skip


def ga4():
    before = "# ----------\n# Free form 1\n# 20240101-20250630\n# ----------\n\n"
    after = f"Grand total,,,,{LINES['amount'].sum():.2f},{LINES['units'].sum()}\n"
    return cells({
        "Date": LINES["moment"].dt.strftime("%Y%m%d"), "Effective user ID": LINES["customer"],
        "Transaction ID": LINES["order"], "Item name": LINES["product"],
        "Item revenue": LINES["amount"], "Items purchased": LINES["units"],
    }, before=before, after=after), LINES  # fmt: skip


def lightspeed():
    return cells({
        "Sale ID": LINES["order"], "Date": LINES["moment"].dt.strftime("%d/%m/%Y"),
        "Customer": LINES["customer"], "Item": LINES["product"], "Qty": LINES["units"],
        "Price": LINES["price"].map(lambda v: f"€ {dutch(v)}"),
        "Total": LINES["amount"].map(lambda v: f"€ {dutch(v)}".replace("€ -", "-€ ")),
    }, separator=";"), LINES  # fmt: skip


def german():
    return cells({
        "Kundennr.": LINES["customer"], "Bestelldatum": LINES["moment"].dt.strftime("%d.%m.%Y"),
        "Bestellnummer": LINES["order"], "Artikelbezeichnung": LINES["product"],
        "Menge": LINES["units"], "Einzelpreis": LINES["price"].map(dutch),
        "Gesamtpreis": LINES["amount"].map(lambda v: f"{dutch(v)} €"),
    }, separator=";", before="sep=;\r\n", end="\r\n"), LINES  # fmt: skip


def sap():
    money = LINES["amount"].map(lambda v: f"{dutch(abs(v))}{'-' if v < 0 else ' '}")
    names = ("Kunde", "Fakturadat", "Faktura", "Material", "Fakt. Menge", "Nettowert", "Währg")
    columns = (
        LINES["customer"], LINES["moment"].dt.strftime("%d.%m.%Y"), LINES["order"],
        LINES["product"], LINES["units"].map(lambda v: f"{abs(v)}{'-' if v < 0 else ''}"), money,
        pd.Series("EUR", LINES.index),
    )  # fmt: skip
    names = ("Kunde", "Fakturadatum", "Faktura", "Material", "Fakt. Menge", "Nettowert", "Währg")
    rule = "-" * 90

    def barred(row):
        return "|" + "|".join(f"{cell:<14}" for cell in row) + "|"

    rows, head = list(map(barred, zip(*columns, strict=True))), barred(names)
    total = barred(("*", "", "", "", "", dutch(LINES["amount"].sum()), "EUR"))
    parts = ["Faktura-Liste", "", rule, head, rule, *rows[:50], rule, head, rule, *rows[50:]]
    return "\n".join([*parts, rule, total, rule, ""]), LINES


def shopify():
    whole = SOLD["order"].map(ORDERS.set_index("order")["amount"]).map("{:.2f}".format)
    summer = SOLD["moment"].dt.month.isin(range(4, 11))
    clock = SOLD["moment"].dt.strftime("%Y-%m-%d %H:%M:%S ") + np.where(summer, "-0400", "-0500")
    return cells({
        "Name": "#" + SOLD["order"], "Email": SOLD["customer"] + "@example.org",
        "Financial Status": first_of_order(SOLD, "paid"), "Paid at": first_of_order(SOLD, clock),
        "Currency": first_of_order(SOLD, "USD"), "Subtotal": first_of_order(SOLD, whole),
        "Total": first_of_order(SOLD, whole), "Created at": clock,
        "Lineitem quantity": SOLD["units"], "Lineitem name": SOLD["product"],
        "Lineitem price": SOLD["price"], "Refunded Amount": first_of_order(SOLD, "0.00"),
        "Vendor": "Shop", "Id": first_of_order(SOLD, SOLD["order"]),
    }), SOLD  # fmt: skip


def stripe():
    failed = ORDERS.iloc[::9].assign(order="9" + ORDERS["order"])
    every = pd.concat([ORDERS, failed])
    back = np.where(np.arange(len(every)) % 20 == 3, every["amount"], 0)
    truth = ORDERS.assign(amount=ORDERS["amount"] - back[: len(ORDERS)])
    return cells({
        "id": "ch_" + every["order"], "Created date (UTC)": every["moment"],
        "Amount": every["amount"],
        "Amount Refunded": back, "Currency": "eur", "Captured": "true", "Fee": 0.5,
        "Status": ["Paid"] * len(ORDERS) + ["Failed"] * len(failed),
        "Customer ID": np.where(np.arange(len(every)) % 8 == 1, "", "cus_" + every["customer"]),
        "Customer Email": every["customer"] + "@example.org",
    }), truth  # fmt: skip


def salesforce():
    lost = ORDERS.iloc[::4].assign(order="9" + ORDERS["order"])
    every = pd.concat([ORDERS, lost])
    after = '\n"Closed deals"\n"Confidential"\n"Generated By:  A User 30-6-2025 9:12"\n'
    return cells({
        "Opportunity Name": "Deal " + every["order"], "Account Name": "Firm " + every["customer"],
        "Account ID": "001A" + every["customer"],
        "Stage": ["Closed Won"] * len(ORDERS) + ["Closed Lost"] * len(lost),
        "Close Date": every["moment"].map(lambda d: f"{d.month}/{d.day}/{d.year}"),
        "Amount": every["amount"], "Amount Currency": "USD",
    }, quoting=csv.QUOTE_ALL, after=after), ORDERS  # fmt: skip


def amazon():
    gone = SOLD.iloc[::15].assign(order="9" + SOLD["order"], units=0)
    every = pd.concat([SOLD, gone])
    every["product"] = every["product"].str.replace("Kettle", 'Kettle 7"')
    return cells({
        "amazon-order-id": every["order"], "merchant-order-id": "",
        "purchase-date": every["moment"].dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "order-status": ["Shipped"] * len(SOLD) + ["Cancelled"] * len(gone),
        "product-name": every["product"], "sku": "S",
        "quantity": every["units"], "currency": "EUR",
        "item-price": [*SOLD["amount"].map("{:.2f}".format), *[""] * len(gone)],
        "buyer-email": every["customer"] + "@marketplace.example",
    }, separator="\t", quoting=csv.QUOTE_NONE), every.iloc[: len(SOLD)]  # fmt: skip


def woocommerce():
    packed = SOLD["units"].astype(str) + "× " + SOLD["product"]
    # What each product cost is not in the file: each unit of an order gets the same.
    whole = SOLD["order"].map(ORDERS.set_index("order")["amount"])
    units = SOLD["order"].map(ORDERS.set_index("order")["units"])
    return cells({
        "Date": ORDERS["moment"], "Order #": ORDERS["order"], "Status": "completed",
        "Customer": "Customer " + ORDERS["customer"], "Customer type": "returning",
        "Product(s)": packed.groupby(SOLD["order"]).agg(", ".join).to_numpy(),
        "Items sold": ORDERS["units"], "Coupon(s)": "",
        "N. Revenue": ORDERS["amount"], "Attribution": "Direct",
    }), SOLD.assign(amount=whole / units * SOLD["units"])  # fmt: skip


def plain(**columns):
    base = {
        "CustNo": LINES["customer"], "When": LINES["moment"].dt.strftime("%Y-%m-%d"),
        "Total": LINES["amount"], "OrderNo": LINES["order"], "Product": LINES["product"],
    }  # fmt: skip
    return {**base, **columns}


def order_totals():
    whole = LINES["order"].map(orders_of(LINES).set_index("order")["amount"])
    return cells(plain(Total=whole)), LINES


MOIS = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."


def sap_text():
    """Quantities with three places beside amounts of two: the dot is proved to be the other."""

    def signed(text, value):
        return f"{text}{'-' if value < 0 else ''}"

    units = LINES["units"].map(lambda v: signed(f"{abs(v)},000", v))
    return cells({
        "Auftraggeber": LINES["customer"], "Fakturadatum": LINES["moment"].dt.strftime("%Y%m%d"),
        "Faktura": LINES["order"], "Material": LINES["product"], "Fakturierte Menge": units,
        "Nettowert": LINES["amount"].map(lambda v: signed(dutch(abs(v)), v)),
        "Belegwährung": "EUR",
    }, separator="\t"), LINES  # fmt: skip


def shop_api():
    """Order totals on each line, prices and quantities beside them."""
    whole = SOLD["order"].map(ORDERS.set_index("order")["amount"])
    return cells({
        "order_id": SOLD["order"], "email": SOLD["customer"], "created_at": SOLD["moment"],
        "sku": SOLD["product"], "qty": SOLD["units"], "unit_price": SOLD["price"],
        "order_total": whole,
    }), SOLD  # fmt: skip


def french():
    months = dict(enumerate(MOIS.split(), 1))
    days = LINES["moment"].map(lambda day: f"{day.day} {months[day.month]} {day.year}")
    price = LINES["price"].map(lambda v: english(v).replace(",", "\u202f").replace(".", ","))
    return cells({
        "Code client": LINES["customer"], "Date de commande": days, "N° commande": LINES["order"],
        "Désignation": LINES["product"], "Qté": LINES["units"], "Prix unitaire": price,
    }, separator=";"), LINES  # fmt: skip


def spanish():
    return cells({
        "Cliente": LINES["customer"], "Fecha": LINES["moment"].dt.strftime("%d/%m/%Y %H:%M"),
        "Pedido": LINES["order"], "Producto": LINES["product"], "Cantidad": LINES["units"],
        "Importe": LINES["amount"].map(lambda v: f"{dutch(v)} €"),
    }, separator="\t"), LINES  # fmt: skip


SIMPLE = {
    "dutch": lambda: (cells({
        "Klantnummer": LINES["customer"], "Orderdatum": LINES["moment"].dt.strftime("%d-%m-%Y"),
        "Bedrag": LINES["amount"].map(dutch), "Ordernummer": LINES["order"],
        "Artikel": LINES["product"], "Aantal": LINES["units"],
    }, separator=";"), LINES),
    "thousands": lambda: (cells(plain(Total=LINES["amount"].map(english))), LINES),
    "preamble": lambda: (cells(plain(), before="Sales by customer\nPeriod: 2024\n\n"), LINES),
    "dated totals": lambda: (
        cells(plain(), after=f"Total,2025-06-30,{LINES['amount'].sum():.2f},,\n"), LINES),
    "us dates": lambda: (cells(plain(When=LINES["moment"].dt.strftime("%m/%d/%Y"))), LINES),
    "quoted newlines": lambda: (cells(plain(Note='one\ntwo; "three", four')), LINES),
    "trailing minus": lambda: (cells(plain(
        Total=LINES["amount"].map(lambda v: f"{abs(v):.2f}{'-' if v < 0 else ''}"))), LINES),
    "brackets": lambda: (cells(plain(
        Total=LINES["amount"].map(lambda v: f"({-v:.2f})" if v < 0 else f"{v:.2f}"))), LINES),
    "caret": lambda: (cells(plain(), separator="^"), LINES),
    "epoch": lambda: (cells(plain(When=LINES["moment"].astype("int64") // 10**9
        if str(LINES["moment"].dtype).endswith("[ns]")
        else LINES["moment"].astype("datetime64[s]").astype("int64"))), LINES),
    "excel days": lambda: (cells(plain(
        When=(LINES["moment"] - pd.Timestamp("1899-12-30")) / timedelta(days=1))), LINES),
}  # fmt: skip
SYSTEMS = (square, magento, hubspot, ga4, lightspeed, german, sap, shopify, stripe, salesforce,
           amazon, woocommerce, order_totals, sap_text, shop_api, french, spanish)  # fmt: skip
LAYOUTS = {system.__name__: system for system in SYSTEMS} | SIMPLE


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read_with_no_flags(tmp_path, name):
    text, truth = LAYOUTS[name]()
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8", newline="")
    log = crmkit.read_transactions(path)
    assert len(log) == len(truth)
    assert log["customer_id"].nunique() == truth["customer"].nunique()
    assert log["order_id"].nunique() == truth["order"].nunique()
    assert log["amount"].sum() == pytest.approx(truth["amount"].sum(), abs=0.005)
    of_customers = log.groupby("customer_id")["amount"].sum().sort_index().to_numpy()
    wanted = truth.groupby("customer")["amount"].sum().sort_index().to_numpy()
    assert of_customers == pytest.approx(wanted, abs=0.005)
    if "product" in log.columns:
        assert sorted(log["product"]) == sorted(truth["product"])
    days = log["date"].dt.strftime("%Y-%m-%d").tolist()
    assert days == truth["moment"].dt.strftime("%Y-%m-%d").tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "cp850"])
@pytest.mark.parametrize("name", ["dutch", "german"])
def test_encodings(tmp_path, name, encoding):
    text, truth = LAYOUTS[name]()
    path = tmp_path / "export.csv"
    path.write_bytes(text.replace(" €", "").encode(encoding))
    log = crmkit.read_transactions(path)
    assert log["product"].tolist() == truth["product"].tolist()
    assert log["amount"].sum() == pytest.approx(truth["amount"].sum(), abs=0.005)


def asked(tmp_path, text, **options):
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        crmkit.read_transactions(path, **options)
    return str(caught.value)


GUESTS = np.where(np.arange(len(LINES)) % 3 == 0, "0", LINES["customer"])
ODD = LINES.index % 2 == 1
EARLY = LINES["moment"].dt.strftime("%m/0%w/%Y").str.replace("/00/", "/07/")
DAYS = plain()["When"].tolist()
EACH = LINES["price"].where(LINES["units"] > 0, -LINES["price"])
# The columns of a file, what the one sentence says, and an answer to it.
TRAPS = {
    "no day above 12": (plain(When=EARLY), "='%d/%m/%Y'", {"date_format": "%m/%d/%Y"}),
    "a typing error": (plain(When=["2205-01-03", *DAYS[1:]]), "as_of='", {"as_of": "2025-06-30"}),
    "placeholders": (
        plain(When=["1900-01-01"] * 2 + DAYS[2:]), "since='2024-01-1", {"since": "2024-01-10"}),
    "guests": (plain(CustNo=GUESTS), "guests='0'", {"guests": "0"}),
    "two currencies": (
        plain(Currency=np.where(ODD, "EUR", "USD")), "where='Currency=", {"where": "Currency=EUR"}),
    "price for amount": (
        plain(Total=EACH, Quantity=LINES["units"]), "amount_per='unit'", {"amount_per": "unit"}),
    "unknown states": (
        plain(Status=np.where(ODD, "paid", "zzz")), "where='Status=paid'",
        {"where": "Status=paid"}),
    "thousands or decimals": (
        plain(Total="1.240"), "decimal=','", {"decimal": ",", "thousands": "."}),
    "two amounts": (plain(Amount=LINES["amount"] * 1.21), "amount='Total'", {"amount": "Total"}),
    "no customer": (
        plain(CustNo=LINES["customer"].mask(LINES.index % 4 == 0, "")), "missing_customers='drop'",
        {"missing_customers": "drop"}),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_what_is_not_settled_is_asked_once(tmp_path, name):
    columns, flag, answer = TRAPS[name]
    text = cells(columns)
    sentence = asked(tmp_path, text)
    assert flag in sentence
    log = crmkit.read_transactions(tmp_path / "export.csv", **answer)
    assert 0 < len(log) <= len(LINES)


def test_a_file_that_holds_everything_twice(tmp_path):
    text = cells(plain())
    twice = text + text.partition("\n")[2]
    assert "duplicates='drop'" in asked(tmp_path, twice)
    log = crmkit.read_transactions(tmp_path / "export.csv", duplicates="drop")
    assert len(log) == len(LINES)
    assert len(crmkit.read_transactions(tmp_path / "export.csv", duplicates="keep")) == 2 * len(
        LINES
    )


@pytest.mark.parametrize(
    "options",
    [{"where": 5}, {"where": "Status"}, {"where": "Product=none"}, {"guests": 5}, {"guests": "7"},
     {"separator": "ab"}, {"separator": 5}, {"header_line": 0}, {"header_line": "x"},
     {"header_line": 900_000}, {"table": "x"}, {"amount_per": "box"}, {"amount_per": "unit"},
     {"since": "soon"}, {"since": "2099-01-01"}, {"duplicates": "x"}, {"encoding": 5},
     {"decimal": ",,"}, {"tz": "Mars"}, {"date_format": "%s"}, {"price": "Total"},
     {"amount": "Total", "price": "OrderNo"}, {"amount": "When", "date": "When"}],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_said_is_told_in_a_sentence(tmp_path, options):
    sentence = asked(tmp_path, cells(plain()), **options)
    assert sentence.endswith(".")
    assert any(name in sentence for name in options)


def test_a_log_without_amounts_says_so(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("customer,date\na,2024-01-31\nb,2024-02-01\n", encoding="utf-8")
    log = crmkit.read_transactions(path)
    assert list(log.columns) == ["customer_id", "date"]
    told = [line for line in log.attrs["account"]["how_read"] if line["what"] == "amount"]
    assert [line["value"] for line in told] == ["none"]


def test_rows_outside_the_days_asked_for_are_counted(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(cells(plain()), encoding="utf-8")
    log = crmkit.read_transactions(path, since="2024-03-01", as_of="2024-08-31")
    inside = LINES["moment"].between("2024-03-01", "2024-09-01")
    assert len(log) == inside.sum()
    account = log.attrs["account"]
    assert account["before_since_dropped"] == (LINES["moment"] < "2024-03-01").sum()
    assert account["after_as_of_dropped"] == (LINES["moment"] >= "2024-09-01").sum()
    left = account["before_since_dropped_amount"] + account["after_as_of_dropped_amount"]
    assert left == pytest.approx(LINES["amount"][~inside].sum())
