"""The page in a real browser: nothing cut off at three widths, letters large enough, no message."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

from crmkit import datasets
from crmkit.report import make_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")

# What the page itself must not hold: a copy of it gets a script that measures what is seen.
MEASURE = """
<script>addEventListener("load", () => {
  const cut = (e) => e.scrollWidth > e.clientWidth + 1;
  const texts = [...document.querySelectorAll("svg text")].map((t) => {
    const s = t.ownerSVGElement, box = s.getBoundingClientRect(), at = t.getBoundingClientRect();
    return {size: parseFloat(getComputedStyle(t).fontSize) * box.width / s.viewBox.baseVal.width,
            out: at.left < box.left - 2 || at.right > box.right + 2, text: t.textContent};
  });
  const found = {
    wide: cut(document.documentElement),
    cells: [...document.querySelectorAll("h1,h2,h3,p,dd,dt,figcaption")].filter(cut).length,
    smallest: Math.min(...texts.map((t) => t.size)),
    out: texts.filter((t) => t.out).map((t) => t.text),
    todo: document.querySelector("#todo h2").getBoundingClientRect().bottom,
    steps: document.querySelectorAll(".step a[download]").length,
    regions: [...document.querySelectorAll(".scroll")].every((e) => e.tabIndex === 0),
  };
  const told = document.createElement("pre");
  told.id = "measured"; told.textContent = JSON.stringify(found); document.body.append(told);
});</script>
"""


def chromium(folder, *words):
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'user'}"]
    return subprocess.run(
        [CHROMIUM, *options, *words], capture_output=True, text=True, timeout=120, check=True
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    shop = datasets.make_transactions(600, random_state=5)
    made = make_report(shop["transactions"], contact_cost=0.02, currency="€", title="Our shop")
    made.write(folder / "page.html")
    bare = re.sub(r"<meta http-equiv[^>]*>", "", made.html)
    (folder / "measured.html").write_text(bare.replace("</body>", f"{MEASURE}</body>"), "utf-8")
    return folder


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_nothing_is_cut_off_and_letters_can_be_read(page, width):
    # A window is never narrower than 500 pixels, so the page stands in a frame of the width.
    frame = page / f"frame-{width}.html"
    frame.write_text(
        f'<iframe style="border:0;width:{width}px;height:844px" src="measured.html"></iframe>'
        "<script>addEventListener('load', () => setTimeout(() => { document.body.append("
        "document.querySelector('iframe').contentDocument.querySelector('#measured')); }, 200));"
        "</script>",
        "utf-8",
    )
    told = chromium(
        page, "--allow-file-access-from-files", "--virtual-time-budget=4000", "--dump-dom",
        f"--window-size={max(width, 520)},900", frame.as_uri(),
    )  # fmt: skip
    found = json.loads(unescape(re.search(r'<pre id="measured">(.*?)</pre>', told.stdout)[1]))
    assert not found["wide"]
    assert found["cells"] == 0
    assert found["out"] == []
    assert found["smallest"] >= 11
    assert found["todo"] < 844
    assert found["steps"] == 3
    assert found["regions"]


def test_the_page_says_nothing_to_the_console_and_prints(page):
    told = chromium(
        page, "--enable-logging=stderr", f"--print-to-pdf={page / 'page.pdf'}",
        (page / "page.html").as_uri(),
    )  # fmt: skip
    assert "CONSOLE" not in told.stderr
    pages = re.findall(rb"/Type\s*/Page\b", (page / "page.pdf").read_bytes())
    assert 3 <= len(pages) <= 12
