"""Names that are imported when they are first asked for."""

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

from crmkit._lazy import attach

ROOMS = ("basket", "churn", "clv", "response", "segmentation")
THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from crmkit import clv
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(lambda name: getattr(clv, name), ["BGNBD", "purchase_table"] * 40))
assert found == [clv.BGNBD, clv.purchase_table] * 40
"""


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_shows_what_it_says(room):
    module = import_module(f"crmkit.{room}")
    every = {}
    exec(f"from crmkit.{room} import *", every)
    assert all(every[name] is getattr(module, name) for name in module.__all__)
    assert set(every) - {"__builtins__"} == set(module.__all__)
    with pytest.raises(AttributeError, match=f"'crmkit.{room}' has no attribute 'rfm_tabel'"):
        module.rfm_tabel  # noqa: B018 - asking is enough
    with pytest.raises(ImportError, match="cannot import name 'rfm_tabel'"):
        exec(f"from crmkit.{room} import rfm_tabel", {})


def test_threads_may_ask_first():
    code = [sys.executable, "-c", THREADS]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_copy_without_sources_says_so(monkeypatch, tmp_path):
    module = ModuleType("sourceless")
    module.__file__ = str(tmp_path / "sourceless.pyc")
    monkeypatch.setitem(sys.modules, "sourceless", module)
    with pytest.raises(ImportError, match=r"sourceless says .* with its \.py files"):
        attach("sourceless")
