"""Fixtures for all tests."""

import os
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings

from _short_form import left_out

mpl.use("Agg")

# How many examples a property test draws: few in every run, more in the checks of a change (--wide)
# and with --long, for a change of numerics. All draw the same ones each time, so that a failure
# belongs to the change at hand; `--hypothesis-profile explore` looks for new ones.
settings.register_profile("short", max_examples=10, deadline=None, derandomize=True)
settings.register_profile("wide", settings.get_profile("short"), max_examples=25)
settings.register_profile("long", settings.get_profile("short"), max_examples=150)
settings.register_profile("explore", max_examples=2000, deadline=None)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the long form of tests that have one")
    parser.addoption("--wide", action="store_true", help="all that tests sweep over; so has --long")


def pytest_configure(config):
    if not config.getoption("--hypothesis-profile"):
        chosen = [name for name in ("long", "wide") if config.getoption(f"--{name}")]
        settings.load_profile([*chosen, "short"][0])


# Examples in docstrings of what an extra fits, and the module that brings.
EXAMPLES_OF_EXTRAS = {"crmkit.churn._model.aft.AFTModel": "lifelines"}


def pytest_collection_modifyitems(config, items):
    for item in items:
        extra = EXAMPLES_OF_EXTRAS.get(item.name)
        if extra is not None and find_spec(extra) is None:
            item.add_marker(pytest.mark.skip(reason=f"{extra} is not installed"))
    if not in_full(config):
        out = left_out(items)
        config.hook.pytest_deselected(items=out)
        out = set(out)
        items[:] = [item for item in items if item not in out]


def in_full(config):
    return config.getoption("--wide") or config.getoption("--long")


@pytest.fixture(scope="session")
def long(request):
    """Whether the long form of a test is asked for: every seed, not every sixth, say."""
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def wide(request):
    """Whether a test sweeps over all it can, as in the checks of a change."""
    return in_full(request.config)


@pytest.fixture(scope="session")
def reference_data():
    """The folder of public reference data, where the environment names one."""
    folder = os.environ.get("CRMKIT_REFERENCE_DATA")
    if not folder:
        pytest.skip("CRMKIT_REFERENCE_DATA names no folder of public reference data")
    return Path(folder)


@pytest.fixture(scope="session")
def lifetimes_data():
    """The folder of data sets that the lifetimes wheel brings."""
    spec = find_spec("lifetimes")
    if spec is None:
        pytest.skip("the data are read from the lifetimes wheel")
    return Path(spec.origin).parent / "datasets"
