"""Every public name is enrolled: one without a case fails the suite."""

import importlib
import inspect

import pytest

from contract._tools import ROOMS, cases_of
from contract.cases._case import FunctionCase, ModelCase, PlotCase


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_case(room):
    module = importlib.import_module(f"crmkit.{room}")
    cases = {case.target: case for case in cases_of(room)}
    for name in module.__all__:
        target = getattr(module, name)
        assert target in cases, (
            f"crmkit.{room}.{name} has no case in tests/contract/cases/{room}.py"
        )
        kind = FunctionCase
        if inspect.isclass(target):
            kind = ModelCase
        elif name.startswith("plot_"):
            kind = PlotCase
        assert isinstance(cases[target], kind)


@pytest.mark.parametrize("room", ROOMS)
def test_all_is_sorted_and_complete(room):
    module = importlib.import_module(f"crmkit.{room}")
    assert list(module.__all__) == sorted(module.__all__)
    assert module.__doc__
    assert ">>>" in module.__doc__
    assert dir(module) == list(module.__all__)
