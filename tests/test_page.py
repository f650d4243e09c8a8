"""The first screen: four figures, three lists, and downloads that hold what the lists hold."""

import io
import re
from html import unescape
from urllib.parse import unquote_to_bytes

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets
from crmkit.__main__ import main
from crmkit._report.downloads import as_download
from crmkit._report.language import Language
from crmkit.report import make_report

LISTS = ("keep", "second", "win_back", "grow")
LINK = re.compile(r'href="data:text/csv;charset=utf-8,([^"]*)" download="([a-z_]+)\.csv"')


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(800, random_state=5)


@pytest.fixture(scope="module")
def people(shop):
    ids = shop["customers"]["customer_id"]
    agreed = np.where(ids % 3 == 0, "yes", np.where(ids % 3 == 1, "no", ""))
    return pd.DataFrame(
        {"customer_id": ids, "Name": [f"Zoë {n}" for n in ids], "E-mail": "a@b.example",
         "opt_in": agreed}
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(shop, people):
    return make_report(
        shop["transactions"], customers=people, contact_cost=0.05, save_rate=0.1, currency="€"
    )


def downloads(made):
    return {
        name: pd.read_csv(io.BytesIO(unquote_to_bytes(unescape(address))), encoding="utf-8-sig")
        for address, name in LINK.findall(made.html)
    }


def lists(made):
    return {name: made.tables[name] for name in LISTS if name in made.tables}


def test_no_customer_is_in_two_lists_and_each_is_expected_to_pay(made):
    tables = lists(made)
    assert 1 <= len(tables) <= 3
    ids = pd.concat([table["customer_id"] for table in tables.values()])
    assert ids.is_unique
    for table in tables.values():
        assert (table["expected_gain"] > 0).all()
        assert set(table["decision"]) <= {"contact", "leave alone (control)"}
        assert (table["p_alive"] >= 0.1).all()
        assert table["reason"].str.contains("customer still with").all()


def test_an_action_is_worth_what_its_list_adds_up_to(made):
    for line in made.tables["actions"].itertuples():
        table = made.tables[line.list]
        contacted = table[table["decision"] == "contact"]
        assert len(contacted) == line.contacts
        assert len(table) - len(contacted) == line.controls
        assert contacted["expected_gain"].sum() == pytest.approx(line.expected_gain, rel=1e-3)


def test_only_who_agreed_is_in_a_list_with_name_and_address(made):
    for table in lists(made).values():
        assert (table["consent"] == "yes").all()
        assert (table["customer_id"] % 3 == 0).all()
        assert (table["Name"] == [f"Zoë {n}" for n in table["customer_id"]]).all()
        assert "E-mail" in table.columns


def test_names_and_consent_are_taken_from_the_log_as_it_last_said(shop):
    log = shop["transactions"].sort_values("date", ignore_index=True)
    first = log["date"] == log.groupby("customer_id")["date"].transform("min")
    odd = log["customer_id"] % 2 == 1
    known = log.assign(
        Naam=np.where(first, "oud", "nieuw " + log["customer_id"].astype(str)),
        Nieuwsbrief=np.where(first, "ja", np.where(odd, " Nee ", "")),
        afgemeld=np.where(log["customer_id"] % 10 == 0, "ja", None),
    )
    made = make_report(known.sample(frac=1, random_state=0))
    again = set(log["customer_id"][~first])
    for table in lists(made).values():
        ids = table["customer_id"]
        assert (table["consent"] == "yes").all()
        assert not (ids % 10 == 0).any()
        assert not (ids.isin(again) & (ids % 2 == 1)).any()
        told = np.where(ids.isin(again), "nieuw " + ids.astype(str), "oud")
        assert (table["Naam"] == told).all()
    assert any(len(table) for table in lists(made).values())


def test_what_the_table_of_customers_lacks_is_taken_from_the_log(shop, people):
    log = shop["transactions"].assign(phone="555", opt_in="no")
    made = make_report(log, customers=people[["customer_id", "Name"]].assign(consent=1))
    assert not lists(made)
    assert "Nobody agreed to be contacted, by consent, opt_in." in made.html
    made = make_report(log.drop(columns="opt_in"), customers=people[["customer_id", "Name"]])
    table = next(iter(lists(made).values()))
    assert (table["phone"] == "555").all()
    assert table["Name"].str.startswith("Zoë").all()


def test_words_that_are_neither_yes_nor_no_count_for_nothing_and_are_told(shop):
    made = make_report(shop["transactions"].assign(newsletter="weekly"))
    assert "neither yes nor no, so it counts for nothing: &#39;newsletter&#39;" in made.html
    assert "Whether they agreed to be contacted is not known" in made.html


def test_a_file_of_a_shop_brings_names_and_consent(tmp_path, shop):
    log = shop["transactions"]
    log = log.assign(Email=log["customer_id"].map("{}@shop.example".format), opt_in="yes")
    log.loc[log["order_id"].duplicated(), "opt_in"] = None
    log.to_csv(tmp_path / "log.csv", index=False)
    words = ["report", str(tmp_path / "log.csv"), "--out", str(tmp_path / "page.html"), "--quiet"]
    assert main([*words, "--tables", str(tmp_path / "tables")]) == 0
    table = pd.read_csv(tmp_path / "tables" / "grow.csv")
    assert (table["Email"] == table["customer_id"].map("{}@shop.example".format)).all()
    assert (table["consent"] == "yes").all()


def test_what_is_expected_has_an_interval_of_what_comes_in(shop):
    log = shop["transactions"]
    day = log["date"].min().normalize() + pd.Timedelta(days=540)
    early = log[log["date"] < day]
    made = make_report(log, as_of=day - pd.Timedelta(days=1), horizon_days=180)
    low, high = (
        float(number.replace(",", ""))
        for number in re.search(r"today&#39;s customers; 95% interval ([\d,]+) to ([\d,]+)",
                                made.html).groups()
    )  # fmt: skip
    known = log["customer_id"].isin(early["customer_id"])
    came = log["amount"][known & (log["date"] >= day)
                         & (log["date"] < day + pd.Timedelta(days=180))].sum()  # fmt: skip
    assert low < came < high
    assert low < made.figures["figures"]["expected"] < high
    # Chance alone makes a sum of so few customers uncertain by several parts in a hundred.
    assert (high - low) / came > 0.1


def test_the_page_says_where_consent_is_not_known(shop):
    made = make_report(shop["transactions"])
    assert "Whether they agreed to be contacted is not known" in made.html
    for table in lists(made).values():
        assert (table["consent"] == "not known").all()


def test_downloads_hold_what_the_lists_hold(made):
    tables = lists(made)
    found = downloads(made)
    assert found.keys() == tables.keys()
    for name, table in tables.items():
        told = found[name]
        assert told.iloc[:, 0].tolist() == table["customer_id"].tolist()
        assert told["Name"].tolist() == table["Name"].tolist()
        assert told["Reason"].tolist() == table["reason"].tolist()
        assert told["Expected gain"].to_numpy() == pytest.approx(table["expected_gain"])


def test_a_list_of_a_million_has_its_best_in_the_page():
    one = pd.DataFrame({"customer_id": ["c"], "reason": ["silent for 142 days, é"], "value": [1.5]})
    for rows in (100, 1_000_000):
        table = one.loc[np.zeros(rows, dtype=int)].assign(customer_id=np.arange(rows))
        made = as_download(table.reset_index(drop=True), "keep", Language("nl", "€"))
        assert len(made.address) <= 300_100
        assert made.rows + made.more == rows
        text = unquote_to_bytes(made.address.partition(",")[2])
        told = pd.read_csv(io.BytesIO(text), encoding="utf-8-sig", sep=";", decimal=",")
        assert told["Klant"].tolist() == list(range(made.rows))
        assert (told["Verwachte waarde"] == 1.5).all()


def test_gain_is_one_definition(made, shop):
    from crmkit import churn, clv

    table = clv.purchase_table(shop["transactions"])
    name = str(made.tables["models"].set_index("model")["holdout_log_score"].idxmax())
    weak = {"prior": "weak", "n_draws": 0}
    model = {"MBG/NBD": clv.MBGNBD, "Pareto/NBD": clv.ParetoNBD}[name](**weak).fit(table)
    log = shop["transactions"]
    margin = 1 - log["cost"].sum() / log["amount"].sum()
    worth = clv.lifetime_value(
        table, purchases=model, spend=clv.GammaGamma(**weak).fit(table), margin=margin
    )
    away = model.purchase_probabilities(table, horizon_days=365, max_purchases=0)
    people = worth.assign(
        p_away=away["p_exactly"], value=worth["lifetime_value"] / worth["p_alive"]
    )
    gains = churn.save_gain(people, p_churn="p_away", save_rate=0.1, contact_cost=0.05)
    gains = gains.set_index("customer_id")["expected_gain"]
    for listed in lists(made).values():
        told = listed.set_index("customer_id")["expected_gain"]
        assert told.to_numpy() == pytest.approx(gains.loc[told.index].to_numpy(), abs=1e-4)


def test_the_four_figures_are_those_of_the_log(shop, made):
    log = shop["transactions"]
    day = log["date"].dt.normalize()
    days = (day.max() - day.min()).days + 1
    stretch = min(365, days // 2)
    last = day > day.max() - pd.Timedelta(days=stretch)
    before = ~last & (day > day.max() - pd.Timedelta(days=2 * stretch))
    now, then = set(log["customer_id"][last]), set(log["customer_id"][before])
    text = re.sub(r"\s+", " ", made.html)
    assert f'<span class="value">{len(now):,}</span>' in text
    assert f'<span class="value">€{log["amount"][last].sum():,.0f}</span>' in text
    assert f'<span class="value">{100 * len(now & then) / len(then):.1f}%</span>' in text
    assert f"in the last {stretch} days, against the {stretch} before" in text


def test_money_is_profit_only_where_margin_and_cost_are_known(shop):
    log = shop["transactions"].drop(columns="cost").head(3000)
    bare = make_report(log).html
    assert "<small>profit expected" not in bare
    assert "<small>sales expected" in bare
    assert "<small>profit expected" in make_report(log, margin=0.3, contact_cost=0.01).html


def test_a_log_without_amounts_has_its_lists(shop):
    made = make_report(shop["transactions"][["customer_id", "date"]])
    assert lists(made)
    assert "<small>purchases expected" in made.html


def test_too_short_a_history_gives_no_list_and_says_why(shop):
    made = make_report(shop["transactions"].head(40))
    assert not lists(made)
    assert "Nothing in the log calls for an action" in made.html
    assert "guesswork" in made.html


LIMITS = {"keep": (0.3, 0.7), "win_back": (0.1, 0.3), "second": (0.3, 1.0), "grow": (0.7, 1.0)}


def test_lists_go_by_limits_that_hold_everywhere_never_by_rank(made):
    for name, table in lists(made).items():
        low, high = LIMITS[name]
        assert table["p_alive"].between(low, high).all(), name


def test_what_was_spent_in_the_past_moves_nobody_into_a_list(shop, made):
    log = shop["transactions"].drop(columns="cost")
    cheap, dear = (
        lists(make_report(log, margin=0.3, acquisition_cost=cost)) for cost in (None, 500.0)
    )
    assert cheap.keys() == dear.keys()
    for name, table in cheap.items():
        pd.testing.assert_frame_equal(table, dear[name])


def test_every_table_has_one_verdict_of_a_customer(made):
    people = made.tables["customers"].set_index("customer_id")
    worth = made.tables["lifetime_value"].set_index("customer_id")
    assert worth["p_alive"].to_numpy() == pytest.approx(people["p_alive"].loc[worth.index])
    for table in lists(made).values():
        told = people.loc[table["customer_id"]]
        assert table["p_alive"].to_numpy() == pytest.approx(told["p_alive"], abs=0.0005)
        assert table["value"].to_numpy() == pytest.approx(told["lifetime_value"], abs=0.005)
    counts = people["segment"].value_counts()
    assert f"{counts['gone']:,} probably gone" in made.html
    by_segment = made.tables["segments"].set_index("segment")["customers"]
    assert by_segment.to_dict() == counts.to_dict()
    # Who has been silent for far longer than usual is no loyal customer, in no chapter.
    silent = people["recency_days"] > 10 * people["usual_days"]
    assert (
        not people.loc[silent & (people["recency_days"] > 400), "segment"]
        .isin(["best", "regular"])
        .any()
    )


def test_in_a_base_in_which_nobody_seems_to_have_left_nobody_is_certain():
    days = pd.date_range("2024-01-01", periods=24, freq="30D")
    log = pd.DataFrame(
        [(who, day + pd.Timedelta(days=who % 29)) for who in range(60) for day in days],
        columns=["customer_id", "date"],
    )
    last = log["date"].max()
    rare = pd.DataFrame({"customer_id": [99], "date": [days[2]]})
    people = make_report(pd.concat([log, rare]), as_of=last).tables["customers"]
    alive = people.set_index("customer_id")["p_alive"]
    assert alive.max() < 1
    assert alive[99] < alive.drop(99).min()


def test_the_interval_is_no_narrower_than_what_the_held_out_days_missed(shop):
    log = shop["transactions"]
    made = make_report(log)
    low, high = (
        float(n.replace(",", ""))
        for n in re.search(
            r"today&#39;s customers; 95% interval ([\d,]+) to ([\d,]+)", made.html
        ).groups()
    )
    models = made.tables["models"].set_index("model").dropna(subset=["holdout_log_score"])
    chosen = models.loc[models["holdout_log_score"].idxmax()]
    missed = abs(np.log(chosen["expected_total"] / chosen["actual_total"]))
    total = made.figures["figures"]["expected"]
    assert np.log(high / total) > missed
    assert np.log(total / low) > missed


def test_a_month_that_is_not_whole_is_pale(shop):
    log = shop["transactions"]
    html = make_report(log, as_of="2025-06-14").html
    bars = re.search(r'<svg[^>]*aria-label="Bars of net sales by month.*?</svg>', html, re.S)[0]
    css = re.findall(r'class="(a|a pale)"', bars)
    assert css[-1] == "a pale"
    assert css[1:-1] == ["a"] * (len(css) - 2)


def test_whether_online_crm_fits_is_measured_by_four_conditions(shop, made):
    log = shop["transactions"].assign(day=shop["transactions"]["date"].dt.normalize())
    end = log["day"].max()
    days = min(365, ((end - log["day"].min()).days + 1) // 2)
    since = end - pd.Timedelta(days=days - 1)
    last = log[(log["day"] >= since) & (log["amount"] > 0)]
    orders = last.groupby("customer_id")["order_id"].nunique()
    spent = log.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
    best = np.interp(0.2, np.arange(1, len(spent) + 1) / len(spent), spent.cumsum()) / spent.sum()
    margin = 1 - log["cost"].sum() / log["amount"].sum()
    told = made.tables["fit"]
    assert told["measured"].tolist()[:2] == [
        f"{orders.mean() * 365 / days:.3g} orders a year", f"best fifth: {100 * best:.0f}% of all",
    ]  # fmt: skip
    assert told["measured"].iloc[3] == f"margin of {100 * margin:.0f}%"
    known = log[log["amount"] > 0].groupby("customer_id")["day"]
    first = known.min()
    come = [
        ((dates > first[who]) & (dates <= first[who] + pd.Timedelta(days=days - 1))).any()
        for who, dates in known
        if first[who] + pd.Timedelta(days=days - 1) <= end
    ]
    share = float(re.match(r"(\d+)% of new ones", told["measured"].iloc[2])[1])
    assert share == pytest.approx(100 * np.mean(come), abs=3)
    assert set(told["verdict"]) <= {"favourable", "in between", "unfavourable"}
