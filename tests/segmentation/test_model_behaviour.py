"""Clusters: found where they are, and the same whatever the order of rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from crmkit.errors import InputError
from crmkit.segmentation import BehaviourSegments, segment_quality
from crmkit.segmentation._model.clusters import content_sample


def people(n=450, kinds=3, seed=0):
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % kinds
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "kind": [f"kind {k}" for k in kind],
            "visits": np.exp(np.array([0.0, 2.5, 5.0])[kind] + 0.3 * rng.normal(size=n)),
            "basket": np.array([60.0, 10.0, 35.0])[kind] + 4 * rng.normal(size=n),
        }
    )


@pytest.mark.parametrize("method", ["kmeans", "gaussian_mixture"])
def test_three_kinds_are_found(method):
    table = people()
    model = BehaviourSegments(
        columns=["visits", "basket"],
        method=method,
        max_segments=4,
        min_stability=0.85,
        n_draws=6,
        random_state=0,
    ).fit(table)
    assert model.selection_.loc[model.selection_["chosen"], "n_segments"].tolist() == [3]
    assert (model.stability_["jaccard"] > 0.9).all()
    predicted = model.predict(table)
    cross = pd.crosstab(predicted["segment"], table["kind"]).to_numpy()
    assert (np.sort(cross, axis=1)[:, :-1].sum()) <= 0.01 * len(table)
    later = model.predict(people(seed=9))
    cross = pd.crosstab(later["segment"], people(seed=9)["kind"]).to_numpy()
    assert (np.sort(cross, axis=1)[:, :-1].sum()) <= 0.01 * len(table)
    assert "stable" in set(
        segment_quality(table, predicted, stability=model.stability_)["criterion"]
    )


def test_names_say_what_marks_the_cluster():
    table = people()
    names = BehaviourSegments(
        columns=["visits", "basket"], n_segments=3, n_draws=2, random_state=0
    ).fit(table)
    words = names.predict(table).assign(kind=table["kind"]).groupby("kind")["segment"].agg(set)
    assert words["kind 0"] == {"high basket, low visits"}
    assert words["kind 1"] == {"low basket, low visits"}


def test_one_cloud_is_not_cut_into_many():
    rng = np.random.default_rng(3)
    cloud = pd.DataFrame(rng.normal(size=(500, 4)), columns=list("abcd"))
    cloud["customer_id"] = np.arange(500)
    model = BehaviourSegments(n_draws=5, max_segments=5, random_state=0).fit(cloud)
    assert len(model.segments_) <= 3
    selection = model.selection_
    assert not selection.loc[selection["n_segments"] > 3, "accepted"].any()


def test_a_sample_is_the_same_in_any_order_and_keeps_shares():
    rng = np.random.default_rng(4)
    matrix = np.concatenate((np.zeros((700, 2)), rng.normal(size=(300, 2))))
    sample = content_sample(matrix, 100)
    assert abs((sample == 0).all(axis=1).sum() - 70) <= 1
    again = content_sample(matrix[rng.permutation(1000)], 100)
    assert (again == sample).all()


def test_fitting_on_a_sample_does_not_depend_on_row_order():
    table = people(1500)
    options = {"columns": ["visits", "basket"], "n_draws": 3, "max_segments": 3}
    model = BehaviourSegments(**options, sample_size=300, random_state=0).fit(table)
    shuffled = table.sample(frac=1, random_state=2)
    again = BehaviourSegments(**options, sample_size=300, random_state=0).fit(shuffled)
    pd.testing.assert_frame_equal(again.segments_, model.segments_)


def test_what_is_refused():
    few = pd.DataFrame({"customer_id": range(6), "visits": [1.0, 1, 1, 2, 2, 2]})
    with pytest.raises(InputError, match="2 different rows"):
        BehaviourSegments(n_segments=3).fit(few)
    for wrong in (
        {"method": "ward"},
        {"n_segments": 1},
        {"n_segments": "best"},
        {"min_share": 2},
        {"max_segments": 1},
    ):
        with pytest.raises(InputError, match=next(iter(wrong))):
            BehaviourSegments(**wrong).fit(few)


def test_names_speak_of_levels_and_missing_values():
    rng = np.random.default_rng(5)
    kind = np.arange(300) % 3
    table = pd.DataFrame(
        {
            "customer_id": np.arange(300),
            "channel": np.array(["web", "shop", "web"])[kind],
            "score": np.where(kind == 2, np.nan, rng.normal(size=300) / 100 + 1),
        }
    )
    model = BehaviourSegments(n_segments=3, n_draws=2, random_state=0).fit(table)
    assert model.segments_["segment"].nunique() == 3
    words = " ".join(model.segments_["segment"])
    assert "channel=shop" in words
    assert "score missing" in words


def test_progress_is_shown_on_request(capsys):
    BehaviourSegments(n_segments=2, n_draws=2, random_state=0, progress=True).fit(
        people(60).drop(columns="kind")
    )
    assert "segments" in capsys.readouterr().err


def test_a_column_that_crosses_zero_keeps_its_shape():
    # A logarithm of either sign pulls apart what lies near zero: 70 fast growers were torn up.
    rng = np.random.default_rng(0)
    grows = np.r_[np.zeros(930, int), np.ones(70, int)]
    table = pd.DataFrame(
        {
            "customer_id": range(1000),
            "growth": np.where(grows == 1, 6.0, 0.0) + rng.normal(size=1000),
            "other": rng.normal(size=1000),
        }
    )
    model = BehaviourSegments(n_segments=2, random_state=0).fit(table)
    found = model.predict(table)["segment"]
    assert adjusted_rand_score(grows, found) >= 0.95
    skewed = table.assign(growth=table["growth"] - table["growth"].min())
    told = BehaviourSegments(n_segments=2, random_state=0).fit(skewed).columns_
    assert told["transformation"].tolist()[1] == "standardised"
