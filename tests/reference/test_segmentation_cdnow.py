"""CDNOW: how far the cut moves customers, and scores that ties leave empty.

Counts computed independently with pandas on the log of the lifetimes wheel, purchases = rows.
"""

import pytest

from crmkit import datasets
from crmkit.segmentation import rfm_cut_points, rfm_table, value_matrix


@pytest.fixture(scope="module")
def rfm():
    return rfm_table(datasets.load_cdnow(), frequency="rows")


@pytest.mark.parametrize(
    ("cut", "counts"),
    [
        ("pooled_mean", {"best": 2771, "frequent": 4812, "spender": 4231, "uncertain": 11756}),
        ("mean", {"best": 3241, "frequent": 4342, "spender": 4772, "uncertain": 11215}),
        ("median", {"best": 6669, "frequent": 4993, "spender": 5116, "uncertain": 6792}),
    ],
)
def test_quadrants(rfm, cut, counts):
    matrix = value_matrix(rfm, preset="marcus", cut=cut)
    assert matrix["segment"].value_counts().to_dict() == counts


def test_half_of_all_bought_once_so_score_two_is_empty(rfm):
    cuts = rfm_cut_points(rfm)
    frequency = cuts[cuts["variable"] == "frequency"].set_index("score")["customers"]
    assert frequency.to_dict() == {1: 11908, 2: 0, 3: 4079, 4: 3658, 5: 3925}
