"""The words of the page: the same sentences in every language, with the same values in them."""

import re
from string import Formatter

import pandas as pd
import pytest

from crmkit import datasets, read_transactions
from crmkit._report.language import Language, catalogue
from crmkit.errors import InputError
from crmkit.report import make_report
from reading import test_layouts as layouts

ENGLISH = {"the", "column", "columns", "rows", "row", "says", "its", "it", "they", "name", "likely",
           "certain", "said", "each", "order", "every", "amount", "left", "day", "first", "kind",
           "header", "date", "customer", "quantity", "with", "and", "has", "how", "of"}  # fmt: skip


def fields(sentence):
    return {(name, form) for _, name, form, _ in Formatter().parse(sentence) if name}


def test_every_language_has_every_sentence_with_the_same_values():
    english, dutch = catalogue("en"), catalogue("nl")
    assert english.keys() == dutch.keys()
    for chapter in english.keys() - {"columns", "form", "how_read"}:
        assert english[chapter].keys() == dutch[chapter].keys(), chapter
        for key, sentence in english[chapter].items():
            assert fields(sentence) == fields(dutch[chapter][key]), f"{chapter}.{key}"
    assert english["form"].keys() == dutch["form"].keys()


def test_numbers_money_and_days_are_written_as_the_language_does():
    english, dutch = Language("en", "€"), Language("nl", "€")
    assert (english.money(1234.5), dutch.money(1234.5)) == ("€1,234", "€\N{NO-BREAK SPACE}1.234")
    assert (english.money(12.345), dutch.money(-12.345)) == ("€12.35", "−€\N{NO-BREAK SPACE}12,35")
    assert (english.number(0.0123), dutch.number(1234567)) == ("0.0123", "1.234.567")
    assert (english.share(0.1234), dutch.share(0.1234)) == ("12.3%", "12,3%")
    assert dutch.day(pd.Timestamp("2025-06-30")) == "30 juni 2025"
    assert (english.change(-0.5), dutch.change(0.0123)) == ("−50%", "+1,2%")
    assert (english.change(0.0), english.change(float("inf"))) == ("±0.0%", "")
    assert (english.short_money(-1_234_567), dutch.short_money(1500)) == (
        "−€1.23M",
        "€\N{NO-BREAK SPACE}1,5k",
    )


@pytest.fixture(scope="module")
def dutch():
    log = datasets.make_transactions(400, random_state=5)["transactions"]
    return make_report(log, language="nl", currency="€", title="Onze winkel")


def test_the_whole_page_speaks_one_language(dutch):
    assert '<html lang="nl">' in dutch.html
    assert "Deze maand: drie dingen om te doen" in dutch.html
    for word in (" customers", "the ", "Table:", "expected", "Share of", " and "):
        assert word not in dutch.html.split("</style>")[1], word


def test_a_dutch_list_opens_in_a_dutch_spreadsheet(dutch):
    name = next(iter(dutch.figures["actions"]))
    assert dutch.tables[name]["reason"].str.contains("kans nog klant te zijn").all()
    assert "%22Klant%22;%22Groep%22" in dutch.html
    assert set(dutch.tables[name]["decision"]) <= {"benaderen", "met rust laten (controlegroep)"}


@pytest.mark.parametrize("name", layouts.LAYOUTS)
def test_how_a_file_was_read_is_told_in_dutch(tmp_path, name):
    path = tmp_path / "export.csv"
    path.write_text(layouts.LAYOUTS[name]()[0], encoding="utf-8")
    lines = read_transactions(path).attrs["account"]["how_read"]
    for line in lines:
        for part in ("what", "value", "evidence", "sure"):
            told = re.sub(r"'[^']*'", "", Language("nl").told(line[part]))
            assert not ENGLISH & set(re.findall("[a-z]+", told.lower())), line


def test_an_unknown_language_is_told():
    log = datasets.make_transactions(20, random_state=5)["transactions"]
    with pytest.raises(InputError, match="`language` must be one of"):
        make_report(log, language="la")
