"""The page in a real browser: widths, print, dark mode, contrast, keyboard, script, downloads."""

import base64
import re
import time

import pandas as pd
import pytest

from browser._chromium import CHROMIUM, Browser
from crmkit import datasets
from crmkit.report import make_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")

MEASURE = """(() => {
  const cut = (e) => e.scrollWidth > e.clientWidth + 1;
  const texts = [...document.querySelectorAll("svg text")].map((t) => {
    const s = t.ownerSVGElement, box = s.getBoundingClientRect(), at = t.getBoundingClientRect();
    return {size: parseFloat(getComputedStyle(t).fontSize) * box.width / s.viewBox.baseVal.width,
            out: at.left < box.left - 2 || at.right > box.right + 2, text: t.textContent};
  });
  return {
    wide: cut(document.documentElement),
    cells: [...document.querySelectorAll("h1,h2,h3,p,dd,dt,figcaption,summary")].filter(cut).length,
    smallest: Math.min(...texts.map((t) => t.size)),
    letters: Math.min(...[...document.querySelectorAll("main *, header *")]
      .filter((e) => e.offsetParent && e.textContent.trim())
      .map((e) => parseFloat(getComputedStyle(e).fontSize))),
    out: texts.filter((t) => t.out).map((t) => t.text),
    todo: document.querySelector("#todo h2").getBoundingClientRect().bottom,
    steps: document.querySelectorAll(".step a[download]").length,
    regions: [...document.querySelectorAll(".scroll")].every((e) => e.tabIndex === 0),
  };
})()"""

# Contrast as WCAG 2.2 counts it: of every text against the nearest ground that is not clear.
CONTRAST = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const box = e.getBoundingClientRect();
    const unseen = ["SCRIPT", "STYLE", "title"].includes(e.tagName);
    if (!own || !box.width || box.right < 0 || unseen) continue;
    const style = getComputedStyle(e), svg = e.tagName === "text";
    const pair = [light(parts(svg ? style.fill : style.color)), light(ground(e))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) bad.push([e.textContent.slice(0, 40), ratio]);
  }
  return bad;
})()"""

PLACE = """(() => {
  const e = document.activeElement, style = getComputedStyle(e);
  return [e.tagName, e.className || e.getAttribute("href") || "",
          style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1];
})()"""


@pytest.fixture(scope="module")
def made():
    shop = datasets.make_transactions(600, random_state=5)
    people = shop["customers"].assign(Name="Zoë", opt_in="yes")
    return make_report(
        shop["transactions"], customers=people, products=shop["products"], contact_cost=0.02,
        currency="€", title="Our shop",
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    made.write(path)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_nothing_is_cut_off_and_letters_can_be_read(browser, address, width):
    browser.console.clear()
    browser.show(address, width)
    found = browser.run(MEASURE)
    assert not found["wide"]
    assert found["cells"] == 0
    assert found["out"] == []
    assert found["smallest"] >= 11
    assert found["letters"] >= 11
    assert found["todo"] < 844
    assert found["steps"] == 3
    assert found["regions"]
    assert browser.console == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_its_ground(browser, address, width, dark):
    browser.show(address, width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.run(CONTRAST) == []


def test_the_keyboard_reaches_lists_chapters_and_tables_in_the_order_of_the_page(browser, address):
    browser.show(address, 1280)
    places = []
    for _ in range(60):
        browser.press("Tab")
        places.append(browser.run(PLACE))
    tags = [tag for tag, _, _ in places]
    assert tags[:4] == ["A", "A", "A", "A"]
    assert places[0][1] == "skip"
    assert all(where.startswith("data:text/csv") for _, where, _ in places[1:4])
    assert tags[4:7] == ["SUMMARY"] * 3
    assert places[7][1] == "#fit"
    assert {"BUTTON", "DIV"} <= set(tags)
    assert all(seen for _, _, seen in places)
    browser.show(address, 1280)
    browser.press("Tab")
    browser.press("Enter")
    assert browser.run("location.hash") == "#main"


def test_tables_are_sorted_and_filtered_by_keyboard_and_say_so(browser, address):
    browser.show(address, 1280)
    browser.run("document.querySelector('details').open = true")
    gains = """[...document.querySelectorAll("details tbody")][0].rows"""
    cells = f"[...{gains}].filter((r) => !r.hidden).map((r) => r.cells[0].textContent)"
    before = browser.run(cells)
    browser.run("document.querySelector('details th button').focus()")
    browser.press("Enter")
    up = browser.run(cells)
    assert sorted(before, key=int) == up != before
    assert browser.run("document.querySelector('details th').ariaSort") == "ascending"
    browser.press("Enter")
    assert browser.run(cells) == up[::-1]
    typed = "document.querySelector('details input')"
    browser.run(f"{typed}.value = '{up[3]}'; {typed}.dispatchEvent(new Event('input'))")
    told = browser.run("document.querySelector('details [role=status]').textContent")
    assert re.fullmatch(r"\d+ of \d+ rows", told)
    assert up[3] in browser.run(cells)


def test_without_its_script_the_page_holds_the_same(browser, address):
    browser.show(address, 1280)
    with_script = browser.run("document.querySelectorAll('th button').length")
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.show(address, 1280)
    assert with_script > 0
    assert browser.run("document.querySelectorAll('th button').length") == 0
    assert browser.run("document.querySelectorAll('.step a[download]').length") == 3
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_what_is_saved_from_the_page_is_the_list(browser, address, made, tmp_path):
    browser.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.show(address, 1280)
    names = list(made.figures["actions"])
    for at, name in enumerate(names):
        browser.run(f"document.querySelectorAll('.step a[download]')[{at}].click()")
        path = tmp_path / f"{name}.csv"
        end = time.monotonic() + 20
        while not (path.exists() and path.stat().st_size) and time.monotonic() < end:
            time.sleep(0.05)
        saved = pd.read_csv(path, encoding="utf-8-sig")
        table = made.tables[name]
        assert saved["Customer id"].tolist() == table["customer_id"].tolist()
        assert saved["Expected gain"].to_numpy() == pytest.approx(table["expected_gain"])


def pages_of(browser):
    printed = browser.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
    return len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"])))


def test_print_is_two_pages_of_summary_and_then_the_chapters(browser, address):
    browser.show(address, 1280, media="print")
    whole = pages_of(browser)
    browser.run("document.querySelectorAll('section, footer').forEach((e) => { e.hidden = true; })")
    summary = pages_of(browser)
    assert summary == 2
    assert summary < whole <= 12
    browser.show(address, 1280, media="print")
    # Printed, nothing scrolls: what is wider than the paper would be lost.
    browser.ask("Emulation.setDeviceMetricsOverride", width=703, height=1030,
                deviceScaleFactor=1, mobile=False)  # fmt: skip
    parts = "[...document.querySelectorAll('.scroll, main')]"
    assert browser.run(f"Math.max(...{parts}.map((e) => e.scrollWidth))") <= 704
