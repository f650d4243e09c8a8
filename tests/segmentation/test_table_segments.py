"""Maps from scores to segments."""

import itertools

import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.segmentation import rfm_scores, rfm_segments, segment_map_audit, segment_maps

COLUMNS = ["recency_score", "frequency_score", "monetary_score"]


def every_cell(n_bins):
    cells = list(itertools.product(range(1, n_bins + 1), repeat=3))
    return pd.DataFrame(cells, columns=COLUMNS).assign(customer_id=range(len(cells)))


@pytest.mark.parametrize(("name", "n_bins"), [("standard", 5), ("octants", 5), ("compact", 3)])
def test_shipped_maps_are_complete_and_do_not_overlap(name, n_bins):
    cells = every_cell(n_bins)
    rules = segment_maps().query("segment_map == @name")
    assert (rules["n_bins"] == n_bins).all()
    ends = rules.filter(regex="_(from|to)$")
    assert (ends.min().min(), ends.max().max()) == (1, n_bins)
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
    with pytest.raises(InputError, match="'recency_score' is no whole number from 1 to 9"):
        rfm_segments(cells.assign(recency_score=0))
    one_end = pd.DataFrame({"segment": ["a"], "recency_score_from": [1]})
    with pytest.raises(InputError, match="without the other end"):
        rfm_segments(cells, segment_map=one_end)
    backwards = one_end.assign(recency_score_from=4, recency_score_to=1)
    with pytest.raises(InputError, match="runs backwards"):
        rfm_segments(cells, segment_map=backwards)
    with pytest.raises(InputError, match="it has no rules"):
        rfm_segments(cells, segment_map=one_end.head(0))
    with pytest.raises(InputError, match="none of the columns"):
        rfm_segments(cells, segment_map=one_end[["segment"]])
    with pytest.raises(InputError, match="`segment_map` must be one of"):
        rfm_segments(cells, segment_map="standart")


def customers(n=60):
    return pd.DataFrame(
        {
            "customer_id": range(n),
            "recency_days": range(n),
            "frequency": range(n, 0, -1),
            "monetary": [float(n - i) for i in range(n)],
        }
    )


@pytest.mark.parametrize("n_bins", [2, 3, 4, 6, 9])
@pytest.mark.parametrize("judge", [rfm_segments, lambda s: segment_map_audit("standard", s)])
def test_a_map_refuses_scores_of_another_scale(n_bins, judge, tmp_path):
    scores = rfm_scores(customers(), n_bins=n_bins)
    with pytest.raises(InputError, match=f"made for 5 bins.*{n_bins}"):
        judge(scores)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    for kept in (pd.read_csv(tmp_path / "scores.csv"), scores.drop(columns="rfm_scale")):
        with pytest.raises(InputError, match="made for 5 bins"):
            judge(kept)
    # A part of the customers says no less.
    with pytest.raises(InputError, match="made for 5 bins"):
        judge(scores[scores["rfm_score"] < scores["rfm_score"].max()])


def test_the_map_of_the_scale_is_named_and_fits():
    scores = rfm_scores(customers(), n_bins=3)
    with pytest.raises(InputError, match="use the map 'compact'"):
        rfm_segments(scores)
    assert rfm_segments(scores, segment_map="compact")["segment"].iloc[0] == "champions"
    assert rfm_segments(rfm_scores(customers()))["segment"].iloc[0] == "champions"


def test_scores_that_do_not_say_their_scale_are_asked():
    low = pd.DataFrame({"customer_id": [1, 2], **{score: [3, 1] for score in COLUMNS}})
    with pytest.raises(InputError, match=r"which reach 3, do not say theirs.*n_bins="):
        rfm_segments(low)
    said = rfm_segments(low, n_bins=5)
    assert said["segment"].tolist() == ["need attention", "hibernating"]
    with pytest.raises(InputError, match="goes from 1 to 4"):
        rfm_segments(low, n_bins=4)
    reaching = low.assign(recency_score=[5, 1])
    found = rfm_segments(reaching)
    assert found.attrs["account"] == {"assumed_n_bins": 5}
    assert found["segment"].tolist() == rfm_segments(reaching, n_bins=5)["segment"].tolist()
    both = reaching.assign(rfm_scale=555)
    with pytest.raises(InputError, match="'rfm_scale' is 555, not of n_bins=4"):
        rfm_segments(both, n_bins=4)


def test_scores_of_two_scales_in_one_table_are_refused():
    mixed = pd.concat([rfm_scores(customers()), rfm_scores(customers(), n_bins=3)])
    mixed = mixed.assign(customer_id=range(len(mixed)))
    with pytest.raises(InputError, match="'rfm_scale' must be one number"):
        rfm_segments(mixed)
    for wrong in (55, 5, 512, 5.5, 555.5, 5550, -555, 0):
        with pytest.raises(InputError, match="'rfm_scale' must be one number"):
            rfm_segments(rfm_scores(customers()).assign(rfm_scale=wrong))


def test_a_score_that_the_map_does_not_read_may_have_any_scale():
    scores = rfm_scores(customers(), cut_points={"monetary": [20, 40]})
    assert set(scores["rfm_scale"]) == {553}
    assert "champions" in set(rfm_segments(scores)["segment"])
    with pytest.raises(InputError, match="'monetary_score' of `scores` goes from 1 to 3"):
        rfm_segments(scores, segment_map="octants")


def own_map(**ranges):
    rules = pd.DataFrame({"segment": ["high", "low"]})
    for score, pairs in ranges.items():
        rules[f"{score}_score_from"] = [pairs[0][0], pairs[1][0]]
        rules[f"{score}_score_to"] = [pairs[0][1], pairs[1][1]]
    return rules


def test_maps_of_ones_own_have_a_scale_too():
    three = rfm_scores(customers(), n_bins=3)
    five = rfm_scores(customers())
    of_three = own_map(recency=[(3, 3), (1, 2)])
    assert set(rfm_segments(three, segment_map=of_three)["segment"]) == {"high", "low"}
    # The other way round the best of five would be nobody, and middling ones the best.
    with pytest.raises(InputError, match=r"names scores up to 3.*column 'n_bins'"):
        rfm_segments(five, segment_map=of_three)
    assert "other" in set(rfm_segments(five, segment_map=of_three.assign(n_bins=5))["segment"])
    with pytest.raises(InputError, match="made for 5 bins"):
        rfm_segments(three, segment_map=own_map(recency=[(5, 5), (1, 4)]))
    with pytest.raises(InputError, match="made for 5 bins"):
        rfm_segments(three, segment_map=of_three.assign(n_bins=5))
    # From 4 upwards is open, but cannot be reached with three scores.
    open_end = own_map(recency=[(4, 9), (1, 3)])
    assert set(rfm_segments(five, segment_map=open_end)["segment"]) == {"high", "low"}
    with pytest.raises(InputError, match="goes from 1 to 3"):
        rfm_segments(three, segment_map=open_end)
    with pytest.raises(InputError, match="'n_bins' must be one whole number"):
        rfm_segments(five, segment_map=of_three.assign(n_bins=[3, 5]))


def test_who_bought_nothing_is_a_segment_of_its_own():
    table = customers(10).assign(recency_days=lambda t: t["recency_days"].astype(float))
    table.loc[10] = [10, float("nan"), 0, 0.0]
    scores = rfm_scores(table)
    assert scores.iloc[-1].tolist() == [10, 0, 0, 0, 0, 555]
    pd.testing.assert_frame_equal(scores.head(10), rfm_scores(table.head(10)), check_dtype=False)
    segments = rfm_segments(scores)
    assert segments["segment"].iloc[-1] == "no purchase"
    assert (segments["segment"].head(10) != "no purchase").all()
    audit = segment_map_audit("standard", scores)
    assert audit["customers"].sum() == 10
    assert audit.attrs["account"]["customers_without_purchase"] == 1
    with pytest.raises(InputError, match="'recency_days' is missing"):
        rfm_scores(table.assign(frequency=1))
    with pytest.raises(InputError, match="nobody in it has bought anything"):
        rfm_scores(table.tail(1))
