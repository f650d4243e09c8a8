"""What the pictures show, read from the artists."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from crmkit import segmentation as sg
from crmkit.errors import MissingColumnsError


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_heat_map_writes_each_cell_once():
    cells = pd.DataFrame(
        {
            "recency_score": [1, 3],
            "frequency_score": [2, 3],
            "customers": [3, 1],
            "share_of_customers": [0.75, 0.25],
        }
    )
    assert texts(sg.plot_rfm_heatmap(cells, measure="customers")) == ["3", "1"]
    assert texts(sg.plot_rfm_heatmap(cells, measure="share_of_customers")) == ["75.0%", "25.0%"]


@pytest.mark.parametrize(("largest", "scale"), [(10.0, "linear"), (10_000.0, "symlog")])
def test_value_matrix_counts_quadrants_and_bends_long_axes(largest, scale):
    frame = pd.DataFrame(
        {"customer_id": range(5), "now": [1.0, 9, 9, 0, -1], "then": [0.0, 9, 1, largest, 2]}
    )
    matrix = sg.value_matrix(frame, current="now", potential="then", cut=(5, 5))
    ax = sg.plot_value_matrix(matrix)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["star (1)", "mainstay (1)", "growth (1)", "marginal (1)", "loss (1)"]
    assert ax.get_yscale() == scale
    assert ax.get_xscale() == "linear"


def test_whale_curve_marks_its_peak():
    profit = pd.DataFrame({"customer_id": range(4), "profit": [60.0, 50.0, -20.0, 0.0]})
    ax = sg.plot_whale_curve(sg.whale_curve(profit))
    assert texts(ax) == ["all: 90", "peak: 110 at 50.0% of customers"]


def test_overview_draws_where_total_profit_is_negative():
    profit = pd.DataFrame({"customer_id": range(3), "profit": [-1.0, -2.0, -3.0]})
    tiers = pd.DataFrame({"customer_id": range(3), "segment": ["a", "b", "b"]})
    ax = sg.plot_segment_overview(sg.segment_overview(profit, tiers))
    assert texts(ax) == ["1", "-1", "2", "-5"]


def test_overview_draws_the_money_that_is_asked_for():
    people = pd.DataFrame({"customer_id": range(3), "total_amount": [5.0, 3, 2], "value": 1.0})
    overview = sg.segment_overview(people)
    assert texts(sg.plot_segment_overview(overview)) == ["3", "10"]
    assert texts(sg.plot_segment_overview(overview, measure="value")) == ["3", "3"]
    with pytest.raises(MissingColumnsError, match="profit"):
        sg.plot_segment_overview(overview, measure="profit")


def test_profile_shows_levels_of_texts():
    people = pd.DataFrame(
        {"customer_id": range(4), "age": [1.0, 2, 3, 4], "channel": ["web", "web", "shop", "web"]}
    )
    segments = pd.DataFrame({"customer_id": range(4), "segment": list("aabb")})
    ax = sg.plot_segment_profile(sg.segment_profile(people, segments))
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows == ["age", "channel: shop", "channel: web"]
    assert len(texts(ax)) == 6


def test_migration_names_every_segment_on_both_sides():
    before = pd.DataFrame({"customer_id": [1, 2, 3], "segment": ["a", "a", "b"]})
    after = pd.DataFrame({"customer_id": [2, 3, 4], "segment": ["b", "b", "a"]})
    ax = sg.plot_segment_migration(sg.segment_migration(before, after), ax=Figure().add_subplot())
    assert texts(ax) == ["a (2)", "b (1)", "not yet (1)", "a (1)", "b (2)", "gone (1)"]
    assert len(ax.collections) == 6 + 4


def test_pictures_of_many_customers_stay_small(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"customer_id": range(20_000), "frequency": rng.poisson(3, 20_000), "monetary": 5.0}
    )
    ax = sg.plot_value_matrix(sg.value_matrix(frame, preset="marcus"))
    ax.figure.savefig(tmp_path / "matrix.svg")
    assert (tmp_path / "matrix.svg").stat().st_size < 400_000
