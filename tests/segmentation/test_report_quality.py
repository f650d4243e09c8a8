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
            action_cost=100.0,
            stability=pd.DataFrame({"segment": ["few", "many"], "jaccard": [0.7, 0.99]}),
            previous=segments,
        )
    )
    assert found["measured"]["size"].tolist() == [200, 200]
    assert found["measured"]["homogeneous"].min() > 0.9
    assert found["measured"]["distinct"].min() > 0.999
    assert found["passed"]["profitable"].to_dict() == {"few": False, "many": True}
    assert found["passed"]["reachable"].to_dict() == {"few": False, "many": True}
    assert found["passed"]["pays_for_action"].to_dict() == {"few": False, "many": True}
    assert found["measured"]["pays_for_action"]["many"] == 100.0
    assert found["passed"]["stable"].to_dict() == {"few": False, "many": True}
    assert found["passed"]["drift"].all()


def test_random_segments_are_neither_homogeneous_nor_distinct(people):
    names = np.random.default_rng(1).choice(["x", "y"], len(people))
    segments = pd.DataFrame({"customer_id": people["customer_id"], "segment": names})
    found = measured(segment_quality(people, segments, columns=["visits", "noise"]))
    assert not found["passed"]["homogeneous"].any()
    assert not found["passed"]["distinct"].any()
    assert found["measured"]["distinct"].max() < 0.6


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
