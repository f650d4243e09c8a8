"""Quality of segments: clear cases must come out clearly."""

import numpy as np
import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.segmentation import segment_quality


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    n = 400
    kind = np.repeat([0, 1], n // 2)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "visits": 10.0 * kind + rng.normal(size=n),
            "noise": rng.normal(size=n),
            "profit": np.where(kind == 1, 5.0, -5.0) + rng.normal(size=n),
            "consent": np.where(kind == 1, True, rng.random(n) < 0.2),
        }
    )


@pytest.fixture(scope="module")
def segments(people):
    names = np.where(people["visits"] > 5, "many", "few")
    return pd.DataFrame({"customer_id": people["customer_id"], "segment": names})


def measured(quality):
    return quality.set_index(["criterion", "segment"])


def test_clear_segments(people, segments):
    found = measured(
        segment_quality(
            people,
            segments,
            columns=["visits"],
            value="profit",
            reachable="consent",
            gain_per_contact=1.0,
            action_cost=75.0,
            stability=pd.DataFrame({"segment": ["few", "many"], "jaccard": [0.7, 0.99]}),
            previous=segments,
        )
    )
    assert found["measured"]["size"].tolist() == [200, 200]
    assert found["columns"]["distinct"].tolist() == ["visits", "visits"]
    assert found["columns"]["profitable"].tolist() == ["profit", "profit"]
    assert found["measured"]["homogeneous"].min() > 0.9
    assert found["measured"]["distinct"].min() > 0.999
    assert found["passed"]["profitable"].to_dict() == {"few": False, "many": True}
    assert found["passed"]["reachable"].to_dict() == {"few": False, "many": True}
    assert found["passed"]["pays_for_action"].to_dict() == {"few": False, "many": True}
    assert found["measured"]["pays_for_action"]["many"] == 125.0
    assert found["passed"]["stable"].to_dict() == {"few": False, "many": True}
    assert found["passed"]["drift"].all()
    assert found["passed"].xs("(all)", level="segment").to_dict() == dict.fromkeys(
        ["drift", "eta_squared", "agreement"], True
    )
    assert (found["conf_low"] <= found["measured"]).all()
    assert (found["measured"] <= found["conf_high"]).all()


def test_random_segments_are_neither_homogeneous_nor_distinct(people):
    names = np.random.default_rng(1).choice(["x", "y"], len(people))
    segments = pd.DataFrame({"customer_id": people["customer_id"], "segment": names})
    found = measured(segment_quality(people, segments, columns=["visits", "noise"]))
    assert not found["passed"]["homogeneous"].any()
    assert not found["passed"]["distinct"].any()
    assert found["measured"]["distinct"].max() < 0.6
    whole = found.xs("(all)", level="segment")
    assert not whole["passed"].any()
    assert whole["measured"].abs().max() < 0.05


def test_noise_cut_into_many_segments_is_not_distinct():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(2000, 10))).rename(columns=str)
    table.insert(0, "customer_id", range(2000))
    names = [f"s{min(i // 30, 14)}" for i in range(2000)]
    found = measured(
        segment_quality(table, pd.DataFrame({"customer_id": range(2000), "segment": names}))
    )
    distinct = found.loc["distinct"].drop("s14")
    assert abs(distinct["measured"].mean() - 0.5) < 0.03
    assert not distinct["passed"].any()
    assert not found["passed"]["homogeneous"].any()
    assert found.loc["distinct", "columns"].iloc[0] == ", ".join(map(str, range(10)))


@pytest.mark.parametrize(
    ("yes", "no"), [("yes", "no"), ("Yes ", "NO"), (True, False), (1, 0), (1.0, 0.0), ("true", "")]
)
def test_consent_in_words_and_missing_consent(people, segments, yes, no):
    consent = pd.Series([yes, no, None] * 133 + [yes], dtype=object)
    table = people.assign(consent=consent)
    found = measured(segment_quality(table, segments, columns=["visits"], reachable="consent"))
    expected = (consent == yes).groupby(segments["segment"]).mean()
    assert found["measured"]["reachable"].to_dict() == pytest.approx(expected.to_dict())
    assert found["columns"]["reachable"].tolist() == ["consent", "consent"]


@pytest.mark.parametrize("value", ["maybe", 2, -1.0, ["yes"]])
def test_consent_that_says_neither(people, segments, value):
    table = people.assign(consent=pd.Series([value] * 3 + [None] * 397, dtype=object))
    with pytest.raises(InputError, match="'consent'"):
        segment_quality(table, segments, reachable="consent")


def test_what_segments_tell_of_later_value(people, segments):
    rng = np.random.default_rng(2)
    many = people["visits"] > 5
    table = people.assign(
        later=np.where(many, 3.0, 1.0) * rng.lognormal(0, 0.5, len(people)),
        chance=rng.lognormal(0, 2, len(people)),
    )
    for column, told in (("later", True), ("chance", False)):
        quality = segment_quality(table, segments, columns=["visits"], later_value=column)
        row = measured(quality).loc[("later_value", "(all)")]
        assert row["passed"] == told
        assert row["columns"] == column
        again = table.assign(**{column: np.log(table[column])})  # ranks alone count
        again = segment_quality(again, segments, columns=["visits"], later_value=column)
        assert measured(again).loc[("later_value", "(all)"), "measured"] == row["measured"]


def test_segments_of_one_and_one_segment(people):
    names = ["alone"] + ["rest"] * 399
    one = pd.DataFrame({"customer_id": people["customer_id"], "segment": names})
    found = measured(segment_quality(people, one, columns=["visits"]))
    assert found["measured"]["distinct"].isna().all()
    assert not found["passed"]["distinct"].any()
    assert not found["passed"]["homogeneous"]["alone"]
    found = measured(segment_quality(people, one.assign(segment="all"), columns=["visits"]))
    assert "distinct" not in found.index.get_level_values("criterion")
    assert not found["passed"]["homogeneous"].any()


def test_ids_and_order_do_not_matter(people, segments):
    quality = segment_quality(people, segments, columns=["visits", "noise"])
    rows = np.random.default_rng(0).permutation(len(people))
    other = people.assign(customer_id=[f"id {i * 7919 % 400}" for i in range(400)])
    named = segments.assign(customer_id=other["customer_id"])
    again = segment_quality(other.iloc[rows], named.sample(frac=1), columns=["visits", "noise"])
    pd.testing.assert_frame_equal(again, quality)


def test_drift_counts_segments_that_vanished(people, segments):
    earlier = segments.assign(segment="gone long ago")
    found = measured(segment_quality(people, segments, previous=earlier))
    assert not found["passed"]["drift"].any()


def test_without_positive_value_there_is_no_share(people, segments):
    poor = people.assign(profit=-1.0)
    quality = segment_quality(poor, segments, value="profit")
    assert "share_of_value" not in set(quality["criterion"])


def test_what_is_refused(people, segments):
    with pytest.raises(InputError, match=r"`limits` names \['sice'\]"):
        segment_quality(people, segments, limits={"sice": 3})
    with pytest.raises(InputError, match=r"lacks the segment\(s\) \['many'\]"):
        segment_quality(
            people, segments, stability=pd.DataFrame({"segment": ["few"], "jaccard": [1.0]})
        )
