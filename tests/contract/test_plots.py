"""The contract of every plot."""

import contextlib
import inspect
import io
import os
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from contract._tools import of_kind
from contract.cases._case import PlotCase
from crmkit.errors import InputError

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


# A formula twice over, a command, letters of no usual font, signs that no file of a picture holds.
HOSTILE = "_$a_{b$\\frac $1$ {東😀\x01\t\u202e<b>&"


def hostile(cell):
    if isinstance(cell, str):
        return HOSTILE + cell
    return tuple(map(hostile, cell)) if isinstance(cell, tuple) else cell


def with_hostile_words(case):
    """The case's tables with odd words in every column of words that the plot takes as they come,
    and with odd groups where it may be split."""
    tables = case.tables()
    for name, table in list(tables.items()):
        words = [c for c in table if len(table) and isinstance(table[c].iloc[0], (str, tuple))]
        for column in words:
            # Words of a closed choice stay.
            changed = tables[name].assign(**{column: table[column].map(hostile)})
            with contextlib.suppress(InputError, KeyError, IndexError, UserWarning):
                case.function(*{**tables, name: changed}.values(), **case.kwargs)
                tables[name] = changed
        if not words:
            split = pd.concat([pd.DataFrame({HOSTILE: [HOSTILE] * len(table)}), table], axis=1)
            with contextlib.suppress(InputError):
                case.function(*{**tables, name: split}.values(), **case.kwargs)
                tables[name] = split
    return tables


@plots
def test_plot_draws_any_words_as_they_stand(case):
    figure = case.function(*with_hostile_words(case).values(), **case.kwargs).figure
    # Warnings, of letters that no font has, are errors here.
    picture = io.BytesIO()
    figure.savefig(picture, format="svg")
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    ElementTree.fromstring(picture.getvalue())
    for text in figure.findobj(Text):
        drawn, is_math = text._preprocess_math(text.get_text())
        assert not is_math, drawn


@plots
def test_plot_refuses_what_is_no_table_and_one_without_rows(case):
    tables = list(case.tables().values())
    for wrong in (None, 3, "table", [1, 2], tables[0].iloc[:0], tables[0].iloc[:, :0]):
        with pytest.raises(InputError):
            case.function(wrong, *tables[1:], **case.kwargs)
