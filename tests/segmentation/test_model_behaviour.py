"""Clusters: found where they are, and the same whatever the order of rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from crmkit._learn import FeatureEncoder
from crmkit.errors import InputError
from crmkit.segmentation import BehaviourSegments, segment_quality
from crmkit.segmentation._model.clusters import content_sample, searched
from crmkit.segmentation._model.divide import divide
from crmkit.segmentation._model.names import own_names
from structures import CROWDS, STRUCTURES, groups, normal, square, three_and_noise


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
        n_resamples=6,
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
        columns=["visits", "basket"], n_segments=3, n_resamples=2, random_state=0
    ).fit(table)
    words = names.predict(table).assign(kind=table["kind"]).groupby("kind")["segment"].agg(set)
    assert words["kind 0"] == {"high basket, low visits"}
    assert words["kind 1"] == {"low basket, low visits"}


def base(make, seed):
    """A customer table of a known structure, its rows shuffled, and the group of each customer."""
    rng = np.random.default_rng(seed)
    numbers, kind = make(rng)
    order = rng.permutation(len(kind))
    table = pd.DataFrame(numbers[order]).add_prefix("x")
    table.insert(0, "customer_id", range(len(table)))
    return table, kind[order]


def chosen(model):
    return int(model.selection_.loc[model.selection_["chosen"], "n_segments"].iloc[0])


@pytest.mark.parametrize("make", STRUCTURES, ids=lambda make: make.__name__)
def test_known_groups_are_found(make, long):
    if not long and STRUCTURES.index(make) % 3:
        pytest.skip("every third structure in the short form")
    for seed in range(3 if long else 1):
        table, kind = base(make, seed)
        model = BehaviourSegments(random_state=seed, n_resamples=2).fit(table)
        assert chosen(model) == len(set(kind))
        assert adjusted_rand_score(kind, model.predict(table)["segment"]) >= 0.95


@pytest.mark.parametrize("make", CROWDS, ids=lambda make: make.__name__)
def test_a_crowd_without_groups_is_not_divided(make, long):
    if not long and make not in (normal, square, CROWDS[-1]):
        pytest.skip("three crowds in the short form")
    divided = 0
    for seed in range(10 if long else 2):
        model = BehaviourSegments(random_state=seed, n_resamples=1).fit(base(make, seed)[0])
        divided += chosen(model) > 1
        assert divided or "no groups, only a gradient" in model.verdict_
    assert divided <= (1 if long else 0)


@pytest.mark.wide
def test_the_usual_rules_say_otherwise(long):
    # What the docstring tells of them; in full with --long.
    right = dict.fromkeys(["valley", "bic", "prediction_strength", "silhouette"], 0)
    makes = [*STRUCTURES, *CROWDS] if long else [STRUCTURES[10], square, CROWDS[7]]
    for make in makes:
        table, kind = base(make, 0)
        model = BehaviourSegments(random_state=0, n_resamples=1).fit(table)
        tried, number = model.selection_, len(set(kind))
        right["valley"] += chosen(model) == number
        right["bic"] += tried["n_segments"][tried["bic"].idxmin()] == number
        strong = tried.loc[tried["prediction_strength"] >= 0.8, "n_segments"]
        right["prediction_strength"] += strong.max() == number
        right["silhouette"] += tried["n_segments"][tried["silhouette"].idxmax()] == number
    assert right["valley"] == len(makes)
    assert max(right["prediction_strength"], right["silhouette"], right["bic"]) < len(makes)


def test_a_noise_column_does_not_split_what_is_three():
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], 600)
    table = pd.DataFrame(
        {
            "customer_id": range(1800),
            "a": 6.0 * (kind == 1) + rng.normal(size=1800),
            "b": 6.0 * (kind == 2) + rng.normal(size=1800),
            "noise": rng.normal(size=1800),
        }
    )
    model = BehaviourSegments(random_state=0, n_resamples=4).fit(table)
    assert chosen(model) == 3
    assert adjusted_rand_score(kind, model.predict(table)["segment"]) >= 0.98
    apart = model.separation_.set_index("column")["separates"]
    assert apart.to_dict() == {"a": True, "b": True, "noise": False}
    assert model.verdict_.endswith("nothing is separated by 'noise'")


def test_the_segments_do_not_depend_on_the_seed():
    table, _ = base(three_and_noise, 1)
    models = [
        BehaviourSegments(random_state=seed, n_resamples=2).fit(table) for seed in (0, 1, None)
    ]
    found = [model.predict(table) for model in models]
    for other in found[1:]:
        pd.testing.assert_frame_equal(other, found[0])


def test_without_groups_there_are_bands_or_one_segment_as_asked():
    table, _ = base(normal, 0)
    table["x0"] *= 3
    one = BehaviourSegments(n_resamples=2, random_state=0).fit(table)
    assert one.segments_["segment"].tolist() == ["everybody"]
    assert one.predict(table)["segment"].unique().tolist() == ["everybody"]
    assert not one.selection_["accepted"].any()
    model = BehaviourSegments(n_resamples=5, n_bands=4, random_state=0).fit(table)
    assert model.verdict_ == one.verdict_
    assert model.segments_["customers"].tolist() == [250] * 4
    assert model.segments_["segment"].str.startswith("band ").all()
    found = model.predict(table)
    means = table.assign(band=found["segment"]).groupby("band")[["x0", "x1"]].mean()
    assert means["x0"].is_monotonic_increasing
    assert means["x1"].is_monotonic_increasing
    assert found.columns.tolist() == ["customer_id", "segment", "distance"]
    limits = model.stability_[["conf_low", "jaccard", "conf_high"]].to_numpy()
    assert ((limits[:, 0] < limits[:, 1]) & (limits[:, 1] < limits[:, 2])).all()
    assert limits.min() > 0.5
    once = BehaviourSegments(n_resamples=1, n_bands=4, random_state=0).fit(table)
    assert once.stability_["conf_low"].isna().all()
    quality = segment_quality(table, once.predict(table)[["customer_id", "segment"]],
                              stability=once.stability_)  # fmt: skip
    assert not quality.loc[quality["criterion"] == "stable", "passed"].any()
    words = table.assign(x0=np.where(table["x0"] > 0, "yes", "no"), x1=0)
    assert len(BehaviourSegments(n_resamples=1, n_bands=9).fit(words).segments_) == 2


@pytest.mark.parametrize("method", ["kmeans", "gaussian_mixture"])
def test_as_many_segments_as_asked_whatever_there_is(method):
    table, _ = base(square, 0)
    model = BehaviourSegments(n_segments=5, method=method, n_resamples=3, random_state=0).fit(table)
    assert (model.segments_["customers"] > 0).sum() == 5
    assert model.verdict_.startswith("5 segments, as asked; not all of them stand apart")
    assert model.selection_["n_segments"].tolist() == [5]
    assert not model.selection_["accepted"].any()


def test_groups_that_are_too_small_or_unstable_are_not_accepted():
    table, _ = base(three_and_noise, 0)
    few = BehaviourSegments(min_share=0.4, n_resamples=2, random_state=0).fit(table)
    assert chosen(few) == 1
    near, _ = base(lambda rng: groups(rng, [[0, 0], [4, 0]], [400, 400]), 0)
    never = BehaviourSegments(min_stability=1.0, n_resamples=2, random_state=0).fit(near)
    assert chosen(never) == 1
    assert "2 parts stand apart, but not all come back in other samples" in never.verdict_
    assert never.selection_["jaccard"].notna().sum() == 1
    assert not never.selection_["accepted"].any()


def test_names_of_ones_own():
    table = people(240)
    options = {"columns": ["visits", "basket"], "n_resamples": 1, "random_state": 0}
    found = BehaviourSegments(**options).fit(table).segments_["segment"].tolist()
    model = BehaviourSegments(**options, names={found[1]: "gold"}).fit(table)
    assert model.segments_["segment"].tolist() == [found[0], "gold", found[2]]
    assert set(model.predict(table)["segment"]) == {found[0], "gold", found[2]}
    assert model.stability_["segment"].tolist() == [found[0], "gold", found[2]]
    assert own_names(None, found) == found
    assert own_names(("a", "b", "c"), found) == ["a", "b", "c"]
    for wrong, words in (
        (["a", "b"], "2 names for 3 segments"),
        (["a", "b", "b"], "different texts"),
        ({"nobody": "gold"}, "'nobody'"),
        ({found[0]: 3}, "different texts"),
        ("gold", "mapping or a list"),
        (7, "mapping or a list"),
    ):
        with pytest.raises(InputError, match="`names`.*" + words):
            own_names(wrong, found)


def answers(rng, chances):
    """Yes and no to ten questions, said yes to with the given chances, a row per customer."""
    said = np.where(rng.random((len(chances), 10)) < chances[:, None], "yes", "no")
    table = pd.DataFrame(said).add_prefix("q")
    table.insert(0, "customer_id", range(len(table)))
    return table


def test_words_make_groups_only_where_they_hang_together():
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 2, 1500)
    table = answers(rng, np.where(kind == 1, 0.85, 0.15))
    model = BehaviourSegments(n_resamples=2, random_state=0).fit(table)
    assert chosen(model) == 2
    assert adjusted_rand_score(kind, model.predict(table)["segment"]) >= 0.95
    assert sum("=yes" in name for name in model.segments_["segment"]) == 1
    assert "not" not in " ".join(model.segments_["segment"])
    alone = answers(rng, np.full(1500, 0.4)).assign(
        region=rng.choice(["north", "south", "west"], 1500, p=[0.5, 0.3, 0.2]),
        orders=rng.poisson(2, 1500),
        spend=pd.Series(rng.exponential(size=1500)).where(rng.random(1500) < 0.7),
    )
    assert chosen(BehaviourSegments(n_resamples=2, random_state=0).fit(alone)) == 1


def test_valleys_are_not_looked_for_between_levels_nor_at_missing_numbers():
    table = pd.DataFrame(
        {"town": ["a"] * 30 + ["b"] * 20 + ["c"] * 10, "age": [*range(40), *[np.nan] * 20]}
    )
    encoder = FeatureEncoder().fit(table)
    sample = encoder.transform(table)
    view = searched(sample, encoder.terms)
    assert view.shape == (60, sample.shape[1] - 1)
    assert ((view[:, 0] > 0.5) == (table["town"] == "b")).all()
    assert ((view[:, 1] > 0.5) == (table["town"] == "c")).all()
    known = set(np.round(sample[:40, encoder.feature_names.index("age")], 6))
    assert np.abs(view[40:, 2][:, None] - sorted(known)).min(axis=1).max() < 0.05
    assert np.unique(view[:, 2]).size == 60


def test_far_values_do_not_make_a_segment():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.standard_cauchy((900, 3)), columns=list("abc"))
    table.insert(0, "customer_id", range(900))
    kind = np.arange(900) % 2
    table["d"] = 6.0 * kind + rng.normal(size=900)
    model = BehaviourSegments(random_state=0, n_resamples=2).fit(table)
    assert chosen(model) == 2
    assert adjusted_rand_score(kind, model.predict(table)["segment"]) >= 0.95


def test_a_part_of_a_divided_group_is_not_divided():
    # Parts of a normal cut off by planes have no valley, so that p-values stay right.
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(20):
        matrix = rng.normal(size=(1200, 2)) * [3, 1]
        part = matrix[(matrix[:, 0] > 0.5) & (matrix @ [0.5, 1] < 1)]
        p_values.append(divide(part, 2, 10, 0.05)[1].p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.1


def test_a_sample_is_the_same_in_any_order_and_keeps_shares():
    rng = np.random.default_rng(4)
    matrix = np.concatenate((np.zeros((700, 2)), rng.normal(size=(300, 2))))
    sample = content_sample(matrix, 100)
    assert abs((sample == 0).all(axis=1).sum() - 70) <= 1
    again = content_sample(matrix[rng.permutation(1000)], 100)
    assert (again == sample).all()


def test_fitting_on_a_sample_does_not_depend_on_row_order():
    table = people(1500)
    options = {"columns": ["visits", "basket"], "n_resamples": 3, "max_segments": 3}
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
        {"n_bands": 0},
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
    model = BehaviourSegments(n_segments=3, n_resamples=2, random_state=0).fit(table)
    assert model.segments_["segment"].nunique() == 3
    words = " ".join(model.segments_["segment"])
    assert "channel=shop" in words
    assert "score missing" in words


def test_progress_is_shown_on_request(capsys):
    BehaviourSegments(n_segments=2, n_resamples=2, random_state=0, progress=True).fit(
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
