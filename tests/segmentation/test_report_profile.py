"""Profiles of segments against direct computation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import segment_profile


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    n = 200
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "age": np.where(rng.random(n) < 0.1, np.nan, rng.normal(40, 9, n) + 1e6),
            "channel": rng.choice(["web", "shop", None], n),
            "member": rng.random(n) < 0.3,
            "since": pd.Timestamp("2024-01-01"),
        }
    )


@pytest.fixture(scope="module")
def segments(people):
    rng = np.random.default_rng(1)
    names = rng.choice(["a", "b", "c"], len(people))
    return pd.DataFrame({"customer_id": people["customer_id"], "segment": names})


def test_numbers(people, segments):
    profile = segment_profile(people, segments, confidence_level=0.9)
    rows = profile[profile["variable"] == "age"].set_index("segment")
    both = people.merge(segments).dropna(subset="age")
    for name, own in both.groupby("segment")["age"]:
        rest = both.loc[both["segment"] != name, "age"]
        row = rows.loc[name]
        low, high = stats.t.interval(0.9, len(own) - 1, own.mean(), stats.sem(own))
        spread = np.sqrt(
            ((len(own) - 1) * own.var() + (len(rest) - 1) * rest.var()) / (len(both) - 2)
        )
        assert row["customers"] == len(own)
        assert row["estimate"] == pytest.approx(own.mean())
        assert row["index"] == pytest.approx(100 * own.mean() / both["age"].mean())
        assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high))
        assert row["effect_size"] == pytest.approx((own.mean() - rest.mean()) / spread, rel=1e-6)


def test_levels_and_missing(people, segments):
    profile = segment_profile(people, segments)
    rows = profile[(profile["variable"] == "channel") & (profile["segment"] == "a")]
    assert rows["level"].tolist() == ["shop", "web", "(missing)"]
    own = people.merge(segments).query("segment == 'a'")["channel"].fillna("(missing)")
    counts = own.value_counts()
    assert rows["customers"].tolist() == counts[rows["level"]].tolist()
    assert rows["estimate"].sum() == pytest.approx(1)
    assert (rows["conf_low"] < rows["estimate"]).all()
    every = profile.groupby(["variable", "level"])
    size = segments["segment"].value_counts()
    for (variable, _), part in every:
        if variable == "channel":
            weights = size[part["segment"]].to_numpy()
            assert np.average(part["estimate"], weights=weights) == pytest.approx(
                part["base"].iloc[0]
            )


def test_yes_and_no_is_a_number_and_dates_are_left_out(people, segments):
    profile = segment_profile(people, segments)
    assert profile["variable"].unique().tolist() == ["age", "channel", "member"]
    assert set(profile.loc[profile["variable"] == "member", "level"]) == {"mean"}


def test_customers_without_segment_are_left_out(people, segments):
    part = segments.head(50)
    profile = segment_profile(people, part, columns=["member"])
    assert profile["customers"].sum() == 50
    assert profile.attrs["account"] == {"customers_without_segments": len(people) - 50}
    assert profile["base"].iloc[0] == pytest.approx(people["member"].head(50).mean())


def test_one_segment_has_no_rest(people, segments):
    profile = segment_profile(people, segments.assign(segment="all"), columns=["age", "channel"])
    assert profile["effect_size"].isna().all()
    assert profile["index"].to_numpy() == pytest.approx(100)


def test_what_is_refused(people, segments):
    with pytest.raises(InputError, match="`customers` lacks 1 of the"):
        segment_profile(people.iloc[1:], segments)
    with pytest.raises(InputError, match="'segment' is missing"):
        segment_profile(people, segments.assign(segment=None))
    with pytest.raises(MissingColumnsError, match="weight"):
        segment_profile(people, segments, columns=["weight"])
    with pytest.raises(InputError, match="column 'since' holds dates"):
        segment_profile(people, segments, columns=["age", "since"])
    with pytest.raises(InputError, match="no column to profile"):
        segment_profile(people[["customer_id", "since"]], segments)
