"""The contract of every plot."""

import inspect
import os

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contract._tools import of_kind
from contract.cases._case import PlotCase

plots = pytest.mark.parametrize("case", of_kind(PlotCase))


@plots
def test_plot_draws_on_the_axes_it_is_given(case):
    ax = Figure().add_subplot()
    tables = case.tables()
    copies = {name: table.copy(deep=True) for name, table in tables.items()}
    assert case.function(*tables.values(), ax=ax, **case.kwargs) is ax
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, copies[name])
    assert ax.has_data() or ax.texts
    ax.figure.savefig(os.devnull, format="svg")


@plots
def test_plot_makes_its_own_axes(case):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    ax = case.function(*case.tables().values(), **case.kwargs)
    assert isinstance(ax, Axes)
    assert plt.get_fignums() == before
    assert ax._repr_png_().startswith(b"\x89PNG")  # shown as the last value of a notebook's cell
    parameters = inspect.signature(case.function).parameters
    assert parameters["ax"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["ax"].default is None
    assert ">>>" in case.function.__doc__
