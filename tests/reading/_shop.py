"""One small invented shop, and ways to write it down."""

import csv
import io
from datetime import timedelta

import numpy as np
import pandas as pd

from crmkit._reading.account import Account
from crmkit._reading.source import Opening, open_source

PRICES = {"Mug, large": 8.95, "Théière": 24.5, "Honey": 5.25, "Kettle": 49.0, "Spoon set": 1240.0}


def shop(n_orders=120, *, refunds=True):
    """Lines of orders: customer, moment, order, product, units, price of one, amount."""
    rng = np.random.default_rng(7)
    products = list(PRICES)
    rows = []
    for order in range(n_orders):
        moment = pd.Timestamp("2024-01-10 09:30:56") + timedelta(hours=91 * order)
        customer = f"{rng.integers(1, 25):05d}"
        # A product twice in an order would be one line of more units.
        for place in rng.choice(4, size=rng.integers(1, 4), replace=False, shuffle=True):
            product = products[place]
            units = int(rng.choice([1, 1, 1, 2, 3]))
            rows.append((customer, moment, str(1000 + order), product, units))
        if order % 40 == 5:
            rows.append((customer, moment, str(1000 + order), "Spoon set", 1 + order % 3))
        if refunds and order % 30 == 9:
            rows.append((customer, moment, str(1000 + order), product, -1))
    table = pd.DataFrame(rows, columns=["customer", "moment", "order", "product", "units"])
    table["price"] = table["product"].map(PRICES)
    table["amount"] = (table["units"] * table["price"]).round(2)
    return table


def orders_of(lines):
    """One row per order of a shop."""
    return lines.groupby("order", as_index=False, sort=False).agg(
        customer=("customer", "first"), moment=("moment", "first"), amount=("amount", "sum"),
        units=("units", "sum"),
    )  # fmt: skip


def english(value):
    return f"{value:,.2f}"


def dutch(value):
    return english(value).translate(str.maketrans(",.", ".,"))


def cells(columns, *, separator=",", before="", after="", end="\n", quoting=csv.QUOTE_MINIMAL):
    """Write columns as text."""
    table = pd.DataFrame(columns)
    if quoting == csv.QUOTE_NONE:
        rows = [table.columns, *table.itertuples(index=False, name=None)]
        return "".join(separator.join(map(str, row)) + end for row in rows)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(table.columns)
    writer.writerows(table.itertuples(index=False, name=None))
    return before + out.getvalue() + after


def read_table(path, columns=None, encoding="utf-8"):
    """Read the columns of a file, all if None, as the reader of logs does."""
    source = open_source(path, Opening(encoding), Account())
    return source.read(source.names if columns is None else columns)
