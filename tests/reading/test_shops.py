"""Exports as shops of five languages have them, with all that real ones hold beside the lines."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.errors import InputError
from reading._shop import cells, dutch, english, orders_of, shop

LINES = shop()
SOLD = LINES[LINES["units"] > 0].reset_index(drop=True)
ORDERS = orders_of(SOLD)
TURN = np.arange(len(ORDERS))
OF = [lines for _, lines in SOLD.groupby("order", sort=False)]


def first(values):
    """What is told on the first line of each order only."""
    of_lines = SOLD["order"].map(pd.Series(np.asarray(values), index=ORDERS["order"].to_numpy()))
    return np.where(SOLD["order"].duplicated(), "", of_lines)


def paid(*lost):
    """Which orders count, and the word of each: the first for most, the others here and there."""
    words = np.full(len(ORDERS), lost[0], dtype=object)
    for place, word in enumerate(lost[1:], 1):
        words[place == TURN % 11] = word
    return words == lost[0], words


def euro(value):
    return english(value).replace(",", "\u202f").replace(".", ",") + " €"


def shopify():
    """An order's discount, costs of sending and taxes; some orders given back as a whole."""
    less = np.where(TURN % 5 == 1, (ORDERS["amount"] * 0.1).round(2), 0)
    net = (ORDERS["amount"] - less).round(2)
    back = np.where(TURN % 17 == 4, net, 0)
    clock = SOLD["moment"].dt.strftime("%Y-%m-%d %H:%M:%S +0100")
    send = np.where(net > 50, 0, 4.95)
    return cells({
        "Name": "#" + SOLD["order"], "Email": SOLD["customer"] + "@example.org",
        "Financial Status": first(np.where(back > 0, "refunded", "paid")),
        "Paid at": np.where(SOLD["order"].duplicated(), "", clock),
        "Currency": first(["EUR"] * len(ORDERS)),
        "Subtotal": first(net), "Shipping": first(send), "Taxes": first((net * 0.17).round(2)),
        "Total": first((net + send).round(2)), "Discount Amount": first(less), "Created at": clock,
        "Lineitem quantity": SOLD["units"], "Lineitem name": SOLD["product"],
        "Lineitem price": SOLD["price"], "Billing Name": "A B", "Cancelled at": "",
        "Refunded Amount": first(back), "Id": first(ORDERS["order"]),
    }), ORDERS.assign(amount=net - back), len(SOLD)  # fmt: skip


def keyed_lines():
    """WooCommerce with the lines of an order in one cell."""

    def line(row):
        return f"name:{row.product}|product_id:7|quantity:{row.units}|total:{row.amount:.2f}"

    good, words = paid("completed", "cancelled")
    return cells({
        "order_number": ORDERS["order"], "order_date": ORDERS["moment"], "status": words,
        "shipping_total": "0.00", "order_total": ORDERS["amount"], "order_currency": "EUR",
        "customer_id": ORDERS["customer"],
        "line_items": [";".join(map(line, lines.itertuples())) for lines in OF],
    }), ORDERS[good], sum(len(lines) for lines, ok in zip(OF, good, strict=True) if ok)  # fmt: skip


def mollie():
    good, words = paid("paid", "expired", "canceled", "failed")
    return cells({
        "Datum": ORDERS["moment"], "Betaalmethode": "iDEAL", "Valuta": "EUR",
        "Bedrag": ORDERS["amount"].map(dutch), "Status": words, "ID": "tr_" + ORDERS["order"],
        "Omschrijving": "Bestelling " + ORDERS["order"],
        "Naam consument": "Klant " + ORDERS["customer"], "Valuta uitbetaling": "EUR",
        "Bedrag uitbetaling": ORDERS["amount"].map(dutch), "Bedrag teruggestort": "0,00",
    }), ORDERS[good], good.sum()  # fmt: skip


def exact():
    total = f"Totaal;;;;;;;{dutch(LINES['amount'].sum())};\n"
    return cells({
        "Factuurnr.": LINES["order"], "Factuurdatum": LINES["moment"].dt.strftime("%d-%m-%Y"),
        "Code debiteur": LINES["customer"], "Naam debiteur": "Firma " + LINES["customer"],
        "Omschrijving": LINES["product"], "Aantal": LINES["units"].map("{},00".format),
        "Verkoopprijs": LINES["price"].map(dutch), "Bedrag (EUR)": LINES["amount"].map(dutch),
        "Btw-code": "2",
    }, separator=";", before="Administratie 1\nFacturen\n\n", after=total), LINES  # fmt: skip


def prestashop_fr():
    good, words = paid("Paiement accepté", "Annulé", "Erreur de paiement")
    return cells({
        "ID": ORDERS["order"], "Référence": "XKB" + ORDERS["order"], "Nouveau client": "0",
        "Client": "M. " + ORDERS["customer"], "Total": ORDERS["amount"].map(euro),
        "Paiement": "Carte", "État": words, "Date": ORDERS["moment"],
    }, separator=";"), ORDERS[good], good.sum()  # fmt: skip


def prestashop_es():
    """What was given back stays a purchase, worth nothing."""
    good, words = paid("Pago aceptado", "Cancelado", "Error en pago", "Reembolsado")
    back = words == "Reembolsado"
    truth = ORDERS.assign(amount=ORDERS["amount"].where(~back, 0))[good | back]
    return cells({
        "ID": ORDERS["order"], "Cliente": "C. " + ORDERS["customer"], "Estado": words,
        "Total": ORDERS["amount"].map(lambda v: f"{dutch(v)} €"), "Pago": "Tarjeta",
        "Fecha": ORDERS["moment"].dt.strftime("%d/%m/%Y %H:%M:%S"),
    }, separator=";"), truth, len(truth)  # fmt: skip


def magento_de():
    good, words = paid("Abgeschlossen", "Storniert")
    total = ORDERS["amount"].map(lambda v: f"{dutch(v)} €")
    return cells({
        "ID": ORDERS["order"], "Kaufdatum": ORDERS["moment"].dt.strftime("%d.%m.%Y %H:%M:%S"),
        "Rechnung an Name": "A B", "Gesamtsumme (Basis)": total, "Gesamtsumme (Bezahlt)": total,
        "Status": words, "Kunden-E-Mail": ORDERS["customer"] + "@x.de", "Gesamt erstattet": "",
    }, quoting=csv.QUOTE_ALL), ORDERS[good], good.sum()  # fmt: skip


def square_fr():
    money = LINES["amount"].map(euro)
    return cells({
        "Date": LINES["moment"].dt.strftime("%d/%m/%Y"), "Heure": "09:30:56",
        "Article": LINES["product"], "Qté": LINES["units"].map("{},0".format), "UGS": "",
        "Ventes brutes": money, "Ventes nettes": money, "Taxes": "0,00 €",
        "ID de transaction": LINES["order"], "ID de paiement": "P" + LINES["order"],
        "Type d'événement": np.where(LINES["units"] > 0, "Paiement", "Remboursement"),
        "ID client": LINES["customer"], "Nom du client": "N",
    }), LINES  # fmt: skip


def stripe():
    """A description of its own in each row is no product; captured says yes or no."""
    good, words = paid("Paid", "Failed", "requires_payment_method", "Refunded")
    back = words == "Refunded"
    truth = ORDERS.assign(amount=ORDERS["amount"].where(~back, 0))[good | back]
    return cells({
        "id": "ch_" + ORDERS["order"], "Created date (UTC)": ORDERS["moment"],
        "Amount": ORDERS["amount"], "Amount Refunded": ORDERS["amount"].where(back, 0),
        "Currency": "eur", "Captured": np.where(good | back, "true", "false"),
        "Description": "Order " + ORDERS["order"], "Fee": 0.5, "Mode": "Live", "Status": words,
        "Customer ID": "cus_" + ORDERS["customer"], "Customer Email": "a@x.org", "Invoice ID": "",
    }), truth, len(truth)  # fmt: skip


def stripe_balance():
    """Money that goes to the bank is nobody's purchase."""
    bank = ORDERS.iloc[::10].assign(kind="payout", amount=-500.0)
    back = ORDERS.iloc[::20].assign(kind="refund", amount=-ORDERS["amount"])
    every = pd.concat([ORDERS.assign(kind="charge"), bank, back]).sort_values("moment")
    truth = every[every["kind"] != "payout"]
    return cells({
        "created_utc": every["moment"], "currency": "eur", "gross": every["amount"], "fee": 0.3,
        "net": (every["amount"] - 0.3).round(2), "reporting_category": every["kind"],
        "source_id": "ch_" + every["order"],
        "customer_id": np.where(every["kind"] == "payout", "", every["customer"]),
    }), truth, len(truth)  # fmt: skip


def lightspeed():
    def money(values):
        return values.map(lambda v: f"€ {dutch(v)}")

    return cells({
        "Verkoop ID": SOLD["order"], "Datum": SOLD["moment"].dt.strftime("%d-%m-%Y %H:%M"),
        "Klant": SOLD["customer"], "Omschrijving": SOLD["product"], "Aantal": SOLD["units"],
        "Prijs": money(SOLD["price"]), "Korting": "€ 0,00", "Totaal": money(SOLD["amount"]),
        "Kosten": money(SOLD["amount"] * 0.6),
    }, separator=";"), SOLD  # fmt: skip


def ebay():
    after = f'\n"{len(ORDERS)}, record(s) downloaded,"\n"Seller ID : x"\n'
    return cells({
        "Sales Record Number": ORDERS["order"], "Order Number": "12-" + ORDERS["order"],
        "Buyer Username": ORDERS["customer"], "Buyer Name": "A", "Item Title": "Tea",
        "Quantity": ORDERS["units"],
        "Sold For": (ORDERS["amount"] / ORDERS["units"]).map("${:.2f}".format),
        "Total Price": ORDERS["amount"].map("${:,.2f}".format),
        "Sale Date": ORDERS["moment"].dt.strftime("%b-%d-%y"),
    }, quoting=csv.QUOTE_ALL, before=",,,,,,,,\n", after=after), ORDERS  # fmt: skip


def credit_notes():
    back = ORDERS.iloc[::9].assign(kind="Credit note")
    every = pd.concat([ORDERS.assign(kind="Invoice"), back]).sort_values("moment")
    every["order"] = every["order"] + np.where(every["kind"] == "Invoice", "", "C")
    net = every["amount"].where(every["kind"] == "Invoice", -every["amount"])
    return cells({
        "Invoice date": every["moment"].dt.strftime("%d %b %Y"), "Invoice number": every["order"],
        "Type": every["kind"], "Client": every["customer"], "Currency": "GBP",
        "Net amount": every["amount"].map(english),
    }), every.assign(amount=net)  # fmt: skip


def addresses_in_capitals():
    mail = ORDERS["customer"] + "@example.org"
    return cells({
        "E-mailadres": np.where(TURN % 2 == 0, mail, mail.str.upper() + " "),
        "Besteldatum": ORDERS["moment"].dt.strftime("%Y/%m/%d"), "Ordernummer": ORDERS["order"],
        "Orderbedrag": ORDERS["amount"].map(dutch),
    }, separator=";"), ORDERS  # fmt: skip


def sap_list():
    def signed(values, form):
        return values.map(lambda v: form(abs(v)) + ("-" if v < 0 else ""))

    return cells({
        "Auftraggeber": LINES["customer"], "Name 1": "F", "Faktura": LINES["order"],
        "Fakturadat.": LINES["moment"].dt.strftime("%d.%m.%Y"), "Bezeichnung": LINES["product"],
        "Fakt.Menge": signed(LINES["units"], "{},000".format), "ME": "ST",
        "Nettowert": signed(LINES["amount"], dutch), "Währg": "EUR",
    }, separator="\t", before="Dynamische Listausgabe\t\t\n\n"), LINES  # fmt: skip


def yes_and_no():
    gone, got = TURN % 9 == 1, TURN % 7 != 2
    truth = ORDERS[~gone & got]
    return cells({
        "Order": ORDERS["order"], "Date": ORDERS["moment"], "Customer": ORDERS["customer"],
        "Total": ORDERS["amount"], "Is cancelled": np.where(gone, "yes", "no"),
        "Paid": np.where(got, "TRUE", "FALSE"),
    }), truth, len(truth)  # fmt: skip


def cents():
    return cells({
        "order_id": ORDERS["order"], "created_at": ORDERS["moment"],
        "customer_id": ORDERS["customer"],
        "amount_in_cents": (ORDERS["amount"] * 100).round().astype(int),
    }), ORDERS  # fmt: skip


def totals_of_customers():
    out = ["Klant;Datum;Bedrag"]
    for customer, rows in LINES.groupby("customer"):
        out += [
            f"{customer};{row.moment:%d-%m-%Y};{dutch(row.amount)}" for row in rows.itertuples()
        ]
        out.append(f"Totaal {customer};31-12-2025;{dutch(rows['amount'].sum())}")
    out.append(f"Eindtotaal;31-12-2025;{dutch(LINES['amount'].sum())}")
    return "\n".join(out), LINES.sort_values("customer", kind="stable")


def totals_of_months():
    out = ["CustNo,When,Total"]
    for month, rows in LINES.groupby(LINES["moment"].dt.strftime("%Y-%m")):
        out += [
            f"{row.customer},{row.moment:%Y-%m-%d},{row.amount:.2f}" for row in rows.itertuples()
        ]
        out.append(f"Subtotal {month},{month}-28,{rows['amount'].sum():.2f}")
    return "\n".join(out), LINES


def opening_balance():
    text = cells({
        "Klant": ["Beginsaldo", *LINES["customer"]],
        "Datum": ["2024-01-01", *LINES["moment"].dt.strftime("%Y-%m-%d")],
        "Bedrag": [99_999.0, *LINES["amount"]],
    })  # fmt: skip
    return text, LINES


def shopify_interface():
    """Orders with their lines within them: the total of an order counts once."""
    return json.dumps({"orders": [
        {"id": int(lines["order"].iloc[0]), "name": "#" + lines["order"].iloc[0],
         "created_at": lines["moment"].iloc[0].isoformat() + "+01:00", "currency": "EUR",
         "customer": {"id": int(lines["customer"].iloc[0])}, "financial_status": "paid",
         "total_price": f"{lines['amount'].sum():.2f}",
         "line_items": [
             {"id": 1, "title": row.product, "quantity": row.units, "price": f"{row.price:.2f}"}
             for row in lines.itertuples()]}
        for lines in OF]}), SOLD  # fmt: skip


def woocommerce_interface():
    return json.dumps([
        {"id": int(lines["order"].iloc[0]), "status": "completed", "currency": "EUR",
         "date_created": lines["moment"].iloc[0].isoformat(),
         "customer_id": int(lines["customer"].iloc[0]), "total": f"{lines['amount'].sum():.2f}",
         "line_items": [
             {"id": 1, "name": row.product, "quantity": row.units, "total": f"{row.amount:.2f}"}
             for row in lines.itertuples()]}
        for lines in OF]), SOLD  # fmt: skip


SHOPS = (
    shopify, keyed_lines, mollie, exact, prestashop_fr, prestashop_es, magento_de, square_fr,
    stripe, stripe_balance, lightspeed, ebay, credit_notes, addresses_in_capitals, sap_list,
    yes_and_no, cents, totals_of_customers, totals_of_months, opening_balance, shopify_interface,
    woocommerce_interface,
)  # fmt: skip


@pytest.mark.parametrize("make", SHOPS, ids=lambda make: make.__name__)
def test_an_export_is_read_with_no_flags(tmp_path, make):
    text, truth, *lines = make()
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8", newline="")
    log = crmkit.read_transactions(path)
    assert len(log) == (lines[0] if lines else len(truth))
    of_customers = log.groupby("customer_id")["amount"].sum().sort_values().to_numpy()
    wanted = truth.groupby("customer")["amount"].sum().sort_values().to_numpy()
    assert of_customers == pytest.approx(wanted, abs=0.006)
    if "order_id" in log.columns and make is not stripe_balance:
        of_orders = log.groupby("order_id")["amount"].sum().sort_values().to_numpy()
        wanted = truth.groupby("order")["amount"].sum().sort_values().to_numpy()
        assert of_orders == pytest.approx(wanted, abs=0.006)
    if "product" in truth.columns and not make.__name__.startswith(("totals", "opening")):
        assert sorted(log["product"]) == sorted(truth["product"])
    days = set(log["date"].dt.strftime("%Y-%m-%d"))
    assert days == set(truth["moment"].dt.strftime("%Y-%m-%d"))


def rows_of_several_kinds():
    """A till: each order as a whole, then its lines, then its payment."""
    rows = []
    for lines in OF:
        day, order, who = (
            f"{lines['moment'].iloc[0]:%Y-%m-%d}",
            *lines.iloc[0][["order", "customer"]],
        )
        whole = lines["amount"].sum()
        rows.append((day, order, "Sale", who, "", whole, ""))
        rows += [
            (day, order, "Sale Line", who, row.units, row.amount, row.product)
            for row in lines.itertuples()
        ]
        rows.append((day, order, "Payment", who, "", whole, "Cash"))
    names = ("Date", "Receipt Number", "Line Type", "Customer Code", "Quantity", "Total", "Details")
    return cells(pd.DataFrame(rows, columns=list(names)))


def partly():
    words = np.where(TURN % 13 == 4, "partially refunded", "completed")
    return cells({
        "Date": ORDERS["moment"], "Order": ORDERS["order"], "Status": words,
        "Customer": ORDERS["customer"], "Total": ORDERS["amount"],
    })  # fmt: skip


def capitals():
    who = np.where(TURN % 2 == 0, "ab" + ORDERS["customer"], "AB" + ORDERS["customer"])
    return cells({"Date": ORDERS["moment"], "Customer": who, "Total": ORDERS["amount"]})


def same_whatever_the_quantity():
    """Without products: amounts of several units are prices of one."""
    each = SOLD["price"]
    return cells({
        "Klant": SOLD["customer"], "Datum": SOLD["moment"], "Bedrag": each, "Aantal": SOLD["units"],
    })  # fmt: skip


def charges():
    return json.dumps([
        {"object": "charge", "amount": int(row.amount * 100), "created": 1_700_000_000 + row.Index,
         "customer": row.customer} for row in ORDERS.itertuples()
    ])  # fmt: skip


WHOLE = ORDERS["amount"].sum()
# What the sentence says, an answer to it, and the money that this makes.
ASKED = {
    rows_of_several_kinds: ("'Line Type=Sale Line'", {"where": "Line Type=Sale Line"}, WHOLE),
    partly: ("refunded='none'", {"refunded": "none"}, WHOLE),
    capitals: ("ignore_case='yes'", {"ignore_case": "yes"}, WHOLE),
    same_whatever_the_quantity: ("amount_per='unit'", {"amount_per": "unit"}, WHOLE),
    charges: ("whole cents", None, None),
}


@pytest.mark.parametrize("make", ASKED, ids=lambda make: make.__name__)
def test_what_is_not_settled_is_asked(tmp_path, make):
    path = tmp_path / "export.csv"
    path.write_text(make(), encoding="utf-8")
    word, answer, money = ASKED[make]
    with pytest.raises(InputError, match=word):
        crmkit.read_transactions(path)
    if answer is not None:
        log = crmkit.read_transactions(path, **answer)
        assert log["amount"].sum() == pytest.approx(money)
        assert log["customer_id"].nunique() == ORDERS["customer"].nunique()


MONTHS = ["janv.", "févr.", "mars", "avr.", "mai", "juin"]
MONTHS += ["juil.", "août", "sept.", "oct.", "nov.", "déc."]
WEEK = ["ma", "di", "wo", "do", "vr", "za", "zo"]
DATES = {
    "long": lambda d: f"{d:%A, %B} {d.day}, {d:%Y %I:%M %p}",
    "with at": lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year} à {d:%H:%M}",
    "with a zone's name": lambda d: f"{d:%a %b %d %Y %H:%M:%S} GMT+0100 (CET)",
    "ordinal": lambda d: f"{d:%b} {d.day}{'st' if d.day in (1, 21, 31) else 'th'}, {d.year}",
    "day of the week": lambda d: f"{WEEK[d.weekday()]} {d:%d-%m-%Y}",
    "stamp": "{:%Y%m%d%H%M%S}".format,
    "clock": "{:%d.%m.%Y, %H:%M} Uhr".format,
    "short": lambda d: f"{d.day}.{d.month}.{d:%y}",
    "mail": "{:%a, %d %b %Y %H:%M:%S} +0000".format,
    "capitals": lambda d: f"{d:%d-%b-%y %I.%M.%S.000000 %p}".upper(),
}
NUMBERS = {
    "sign first": lambda v: f"{'-' if v < 0 else ''}€ {dutch(abs(v))}",
    "sign last": lambda v: f"€ {dutch(abs(v))}{'-' if v < 0 else ''}",
    "sign inside": lambda v: f"€ {dutch(v)}",
    "no cents": lambda v: dutch(v).replace(",00", ",-"),
    "apostrophe": lambda v: "CHF " + english(v).replace(",", "'"),
    "code behind": "{:.2f}EUR".format,
    "typeset": lambda v: dutch(v).replace("-", "\u2212"),
    "power": "{:.6e}".format,
    "brackets": lambda v: f"(${-v:,.2f})" if v < 0 else f"${v:,.2f}",
}


@pytest.mark.parametrize("form", [*DATES, *NUMBERS])
def test_forms_of_dates_and_numbers(tmp_path, form):
    text = cells({
        "CustNo": LINES["customer"], "OrderNo": LINES["order"], "Product": LINES["product"],
        "When": LINES["moment"].map(DATES.get(form, "{:%Y-%m-%d}".format)),
        "Total": LINES["amount"].map(NUMBERS.get(form, "{:.2f}".format)),
    }, separator=";")  # fmt: skip
    (tmp_path / "e.csv").write_text(text, encoding="utf-8")
    log = crmkit.read_transactions(tmp_path / "e.csv")
    assert log["amount"].tolist() == pytest.approx(LINES["amount"].tolist())
    assert log["date"].dt.floor("D").tolist() == LINES["moment"].dt.floor("D").tolist()


def told(tmp_path, columns):
    """What is to be checked first, by what it is about."""
    (tmp_path / "e.csv").write_text(cells(columns), encoding="utf-8")
    how = crmkit.read_transactions(tmp_path / "e.csv").attrs["account"]["how_read"]
    return {line["what"]: line["value"] + line["evidence"] for line in how
            if line["sure"] == "not known"}  # fmt: skip


def test_what_to_check_first(tmp_path):
    plain = {
        "Klant": LINES["customer"], "Datum": LINES["moment"].dt.strftime("%Y-%m-%d"),
        "Ordernr": LINES["order"], "Product": LINES["product"], "Bedrag": LINES["amount"],
    }  # fmt: skip
    half = told(tmp_path, plain)["half a month"]
    assert "ends on 2025-04-05" in half
    assert "whole months end on 2025-03-31" in half
    large = LINES["amount"].where(LINES["customer"] != "00003", 5000.0)
    assert "'00003' has" in told(tmp_path, {**plain, "Bedrag": large})["largest customer"]
    bare = LINES["customer"].str.lstrip("0").where(LINES.index % 2 == 0, LINES["customer"])
    assert "zeros in front" in told(tmp_path, {**plain, "Klant": bare})["ids"]
    words = np.where(LINES.index % 3 == 1, "op maat", "naar wens")
    assert "no known states" in told(tmp_path, {**plain, "Status": words})["state"]
