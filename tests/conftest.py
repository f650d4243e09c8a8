"""Fixtures for all tests."""

import os
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")


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
