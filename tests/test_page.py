"""The first screen: four figures, three lists, and downloads that hold what the lists hold."""

import io
import re
from html import unescape
from urllib.parse import unquote_to_bytes

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets
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


def test_gain_is_one_definition(made, shop):
    from crmkit import churn, clv

    table = clv.purchase_table(shop["transactions"])
    name = str(made.tables["models"].set_index("model")["holdout_log_score"].idxmax())
    model = {"MBG/NBD": clv.MBGNBD, "Pareto/NBD": clv.ParetoNBD}[name]().fit(table)
    log = shop["transactions"]
    margin = 1 - log["cost"].sum() / log["amount"].sum()
    worth = clv.lifetime_value(
        table, purchases=model, spend=clv.GammaGamma().fit(table), margin=margin
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
