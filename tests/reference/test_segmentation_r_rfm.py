"""R's package rfm 0.3.0 (commit 297ed8b, MIT): its own test snapshots on its own orders.

Segment counts, heat map and order histogram are those of tests/testthat/_snaps/rfm-plotly.md, for
the ten overlapping rules of tests/testthat/test-rfm-plotly.R (the first wins). Cut points are
those in the documentation of rfm_table_order, with their decimals. The counts under the map in
the documentation of rfm_segment are not in a snapshot; the rules are the package's.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmkit.segmentation import (
    rfm_cut_points,
    rfm_scores,
    rfm_segments,
    rfm_table,
    segment_overview,
)

CUTS = {
    "recency_days": [115, 181, 297.4, 482],
    "frequency": [4, 5, 6, 8],
    "total_amount": [255.8, 382, 506.4, 666],
}
SCORES = {
    "Abbey O'Reilly": 343,
    "Add Senger": 412,
    "Aden Lesch": 323,
    "Aden Murphy": 544,
    "Admiral Senger": 433,
}
COUNTS = {
    "About To Sleep": 50,
    "At Risk": 86,
    "Champions": 158,
    "Lost": 111,
    "Loyal Customers": 278,
    "Need Attention": 35,
    "other": 48,
    "Potential Loyalist": 229,
}
# Mean amount by frequency score (rows) and recency score (columns).
HEAT_MAP = [
    [208.40, 246.98, 246.30, 213.42, 262.17],
    [380.50, 407.54, 355.08, 375.17, 370.03],
    [530.24, 516.65, 446.61, 451.88, 467.00],
    [575.41, 599.47, 603.79, 617.07, 564.51],
    [746.67, 873.11, 846.90, 866.43, 862.40],
]
ORDERS = [42, 83, 143, 187, 176, 150, 94, 51, 38, 20, 3, 5, 2, 1]


def segment_map(names, recency, frequency, money):
    rules = pd.DataFrame({"segment": names})
    ranges = {"recency_score": recency, "frequency_score": frequency, "monetary_score": money}
    for score, pairs in ranges.items():
        digits = pairs.split()
        rules[f"{score}_from"] = [int(pair[0]) for pair in digits]
        rules[f"{score}_to"] = [int(pair[1]) for pair in digits]
    return rules


TEST_MAP = segment_map(
    [
        "Champions",
        "Loyal Customers",
        "Potential Loyalist",
        "New Customers",
        "Promising",
        "Need Attention",
        "About To Sleep",
        "At Risk",
        "Can't Lose Them",
        "Lost",
    ],
    "45 25 35 45 34 23 23 12 11 12",
    "45 35 13 11 11 23 12 25 45 12",
    "45 35 13 11 11 23 12 25 45 12",
)
DOCUMENTED_MAP = segment_map(
    [
        "Champions",
        "Potential Loyalist",
        "Loyal Customers",
        "Promising",
        "New Customers",
        "Can't Lose Them",
        "At Risk",
        "Need Attention",
        "About To Sleep",
        "Lost",
    ],
    "55 35 24 34 45 12 12 13 23 11",
    "55 35 24 13 13 34 25 35 13 15",
    "55 25 24 35 15 45 45 35 14 15",
)


@pytest.fixture(scope="module")
def orders():
    path = Path(__file__).parent / "data" / "rfm_data_orders.csv.gz"
    table = pd.read_csv(path, parse_dates=["order_date"])
    return table.rename(columns={"order_date": "date", "revenue": "amount"})


def scored(orders):
    rfm = rfm_table(orders, as_of="2006-12-31", frequency="rows")
    return rfm, rfm_scores(rfm, method="r_rfm", monetary="total")


def test_cut_points(orders):
    rfm, _ = scored(orders)
    cuts = rfm_cut_points(rfm, method="r_rfm", monetary="total")
    for variable, expected in CUTS.items():
        found = cuts.loc[cuts["variable"] == variable, "lower"].to_numpy()[1:]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_scores_and_histogram(orders):
    rfm, scores = scored(orders)
    assert len(rfm) == 995
    assert scores.set_index("customer_id")["rfm_score"][list(SCORES)].to_dict() == SCORES
    assert np.bincount(rfm["frequency"])[1:].tolist() == ORDERS


def test_heat_map(orders):
    rfm, scores = scored(orders)
    cells = segment_overview(rfm, scores, by=["recency_score", "frequency_score"])
    grid = cells.pivot_table(index="frequency_score", columns="recency_score", values="mean_amount")
    np.testing.assert_array_equal(np.round(grid.to_numpy(), 2), HEAT_MAP)


def test_segments_of_its_tests_in_any_row_order(orders):
    for log in (orders, orders.sample(frac=1, random_state=0)):
        _, scores = scored(log)
        counts = rfm_segments(scores, segment_map=TEST_MAP)["segment"].value_counts()
        assert counts.to_dict() == COUNTS


def test_segments_of_its_documentation(orders):
    _, scores = scored(orders)
    counts = rfm_segments(scores, segment_map=DOCUMENTED_MAP)["segment"].value_counts()
    assert counts.sort_index().tolist() == [102, 28, 47, 35, 148, 170, 10, 104, 342, 9]
