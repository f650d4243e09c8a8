"""Audits of segment maps."""

import itertools

import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.segmentation import rfm_segments, segment_map_audit

# The map in the tests of R's rfm: three of its ten rules are never reached, 36 cells are open.
NAMES = [
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
]
RECENCY = ["45", "25", "35", "45", "34", "23", "23", "12", "11", "12"]
OTHERS = ["45", "35", "13", "11", "11", "23", "12", "25", "45", "12"]


def overlapping_map():
    rules = pd.DataFrame({"segment": NAMES})
    for score, pairs in (("recency", RECENCY), ("frequency", OTHERS), ("monetary", OTHERS)):
        rules[f"{score}_score_from"] = [int(pair[0]) for pair in pairs]
        rules[f"{score}_score_to"] = [int(pair[1]) for pair in pairs]
    return rules


def every_cell(n_bins=5):
    cells = list(itertools.product(range(1, n_bins + 1), repeat=3))
    columns = ["recency_score", "frequency_score", "monetary_score"]
    return pd.DataFrame(cells, columns=columns).assign(customer_id=range(len(cells)))


def test_unreachable_rules_and_open_cells_are_found():
    audit = segment_map_audit(overlapping_map())
    unreachable = audit.loc[~audit["reachable"], "segment"].tolist()
    assert unreachable == ["New Customers", "Promising", "Can't Lose Them"]
    assert audit.loc[audit["rule"] == 0, "cells_won"].tolist() == [36]
    assert audit["cells_won"].sum() == 125


@pytest.mark.parametrize("name", ["standard", "octants", "compact"])
def test_shipped_maps_pass(name):
    audit = segment_map_audit(name)
    assert (audit["cells_lost"] == 0).all()
    assert audit["reachable"].tolist() == [True] * (len(audit) - 1) + [False]
    assert (segment_map_audit(name, detail=True)["rules"] == 1).all()


def test_audit_cells_and_segments_agree():
    scores = every_cell().iloc[::2]
    rules = overlapping_map()
    audit = segment_map_audit(rules, scores)
    cells = segment_map_audit(rules, scores, detail=True)
    given = rfm_segments(scores, segment_map=rules)["segment"].value_counts()
    by_rule = audit.set_index("segment")["customers"]
    assert by_rule[by_rule > 0].to_dict() == given.to_dict()
    assert cells.groupby("segment")["customers"].sum().loc[given.index].tolist() == given.tolist()
    overlap = cells[cells["rules"] > 1]
    assert (overlap["segments"].str.split("; ").str[0] == overlap["segment"]).all()
    assert (cells.loc[cells["rules"] == 0, "segment"] == "other").all()


def test_other_numbers_of_bins():
    assert len(segment_map_audit(overlapping_map(), n_bins=3, detail=True)) == 27
    with pytest.raises(InputError, match="n_bins"):
        segment_map_audit(overlapping_map(), n_bins=12)
