"""Old names warn, say what replaced them, and do the same."""

import importlib
import inspect

import pytest

from crmkit._deprecation import renamed_parameters
from crmkit.errors import InputError


@renamed_parameters("0.3", level="confidence_level")
def interval(table, *, confidence_level=0.95):
    return table, confidence_level


def test_an_old_parameter_works_and_says_its_new_name():
    message = r"`level` of interval is called `confidence_level` since crmkit 0\.3"
    with pytest.warns(FutureWarning, match=message) as caught:
        assert interval(1, level=0.9) == (1, 0.9)
    assert caught[0].filename == __file__  # where the call stands, not where the warning does


def test_new_parameters_are_silent_and_alone_in_the_signature():
    assert interval(1, confidence_level=0.8) == (1, 0.8)
    assert interval(1) == (1, 0.95)
    assert list(inspect.signature(interval).parameters) == ["table", "confidence_level"]


def test_old_and_new_at_once_are_refused():
    with pytest.raises(InputError, match="give `confidence_level` alone"):
        interval(1, level=0.9, confidence_level=0.9)
    with pytest.raises(TypeError, match="unknown"):
        interval(1, unknown=2)


ROOM = """
from crmkit._deprecation import renamed_name

def forecast_table():
    return 7

def __getattr__(name):
    return renamed_name(__name__, name, "0.3", calibration_table="forecast_table")
"""


def test_an_old_name_of_a_module(monkeypatch, tmp_path):
    (tmp_path / "a_room.py").write_text(ROOM, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    room = importlib.import_module("a_room")
    message = r"a_room\.calibration_table is called a_room\.forecast_table since crmkit 0\.3"
    with pytest.warns(FutureWarning, match=message) as caught:
        assert room.calibration_table is room.forecast_table
    assert caught[0].filename == __file__
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = room.other
