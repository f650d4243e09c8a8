"""Maps from scores to segments."""

import itertools

import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.segmentation import rfm_segments, segment_maps

COLUMNS = ["recency_score", "frequency_score", "monetary_score"]


def every_cell(n_bins):
    cells = list(itertools.product(range(1, n_bins + 1), repeat=3))
    return pd.DataFrame(cells, columns=COLUMNS).assign(customer_id=range(len(cells)))


@pytest.mark.parametrize(("name", "n_bins"), [("standard", 5), ("octants", 5), ("compact", 3)])
def test_shipped_maps_are_complete_and_do_not_overlap(name, n_bins):
    cells = every_cell(n_bins)
    rules = segment_maps().query("segment_map == @name")
    assert (rules["n_bins"] == n_bins).all()
    fits = pd.Series(0, index=cells.index)
    for rule in rules.to_dict("records"):
        inside = [cells[c].between(rule[f"{c}_from"], rule[f"{c}_to"]) for c in COLUMNS]
        fits += (inside[0] & inside[1] & inside[2]).astype(int)
    assert (fits == 1).all()
    segments = rfm_segments(cells, segment_map=name)
    assert set(segments["segment"]) == set(rules["segment"])
    as_table = rfm_segments(cells, segment_map=rules)
    pd.testing.assert_frame_equal(as_table, segments)


def test_the_first_rule_wins_and_the_rest_is_other():
    rules = pd.DataFrame(
        {
            "segment": ["top", "active"],
            "recency_score_from": [5, 4],
            "recency_score_to": [5, 5],
        }
    )
    segments = rfm_segments(every_cell(5), segment_map=rules)
    by_recency = segments.groupby("recency_score")["segment"].unique().map(list)
    assert by_recency.tolist() == [["other"]] * 3 + [["active"], ["top"]]


def test_maps_and_scores_that_make_no_sense():
    cells = every_cell(5)
    with pytest.raises(InputError, match="made for 3 bins, and `scores` reach 5"):
        rfm_segments(cells, segment_map="compact")
    with pytest.raises(InputError, match="whole number from 1 to 9"):
        rfm_segments(cells.assign(recency_score=2.5))
    one_end = pd.DataFrame({"segment": ["a"], "recency_score_from": [1]})
    with pytest.raises(InputError, match="without the other end"):
        rfm_segments(cells, segment_map=one_end)
    backwards = one_end.assign(recency_score_from=4, recency_score_to=1)
    with pytest.raises(InputError, match="runs backwards"):
        rfm_segments(cells, segment_map=backwards)
    with pytest.raises(InputError, match="none of the columns"):
        rfm_segments(cells, segment_map=one_end[["segment"]])
    with pytest.raises(InputError, match="`segment_map` must be one of"):
        rfm_segments(cells, segment_map="standart")
