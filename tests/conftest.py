"""Fixtures for all tests."""

import os
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
