"""Preferences against brute force, and whether later tables read like earlier ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.churn import ChurnModel
from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import BehaviourSegments, preference_table, segment_profile

lines = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.integers(0, 12),
        st.sampled_from(["tea", "cake", "soup", None]),
        st.integers(0, 23),
        st.booleans(),
    ),
    min_size=1,
    max_size=50,
)


def make_log(drawn):
    frame = pd.DataFrame(drawn, columns=["customer_id", "order_id", "category", "hour", "cheap"])
    order = frame["order_id"]
    # An order has one customer, day and hour.
    frame["order_id"] = frame["customer_id"] * 100 + order
    first = frame.groupby("order_id")["hour"].transform("first")
    frame["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(24 * order + first, unit="h")
    frame["off"] = np.where(frame["cheap"], 0.5, 0.0)
    return frame


@given(lines)
def test_counts_equal_brute_force(drawn):
    log = make_log(drawn)
    detail = preference_table(log, discount="off", detail=True)
    log["category"] = log["category"].fillna("(missing)")
    log["weekday"] = log["date"].dt.day_name().str.lower()
    names = ["night", "morning", "afternoon", "evening"]
    log["daytime"] = [names[hour // 6] for hour in log["date"].dt.hour]
    some = log.groupby("order_id")["cheap"].transform("any")
    log["discounted"] = np.where(some, "yes", "no")
    for variable, own in detail.groupby("variable"):
        pairs = log[["customer_id", "order_id", variable]].drop_duplicates()
        counts = pairs.groupby(["customer_id", variable]).size()
        total = counts.groupby("customer_id").sum()
        for row in own.itertuples():
            expected = counts.get((row.customer_id, row.level), 0)
            assert row.orders == expected
            assert row.share == pytest.approx(expected / total[row.customer_id])
            weight = row.base_orders
            shrunk = (expected + weight * row.base) / (total[row.customer_id] + weight)
            assert row.estimate == pytest.approx(shrunk)
        base = own.drop_duplicates("level").set_index("level")["base"]
        assert base.sum() == pytest.approx(1)
        for level, share in base.items():
            every = counts.xs(level, level=1).sum() if level in counts.index.levels[1] else 0
            assert share == pytest.approx(every / total.sum())


@given(lines)
def test_the_wide_table_says_the_same(drawn):
    log = make_log(drawn)
    wide = preference_table(log, discount="off").set_index("customer_id")
    detail = preference_table(log, discount="off", detail=True)
    assert wide["orders"].to_dict() == log.groupby("customer_id")["order_id"].nunique().to_dict()
    for row in detail.itertuples():
        name = f"{row.variable}_{row.level}_share"
        if row.variable == "discounted":
            name = "discounted_share"
            if row.level == "no":
                continue
        assert wide.loc[row.customer_id, name] == row.estimate
    squares = detail.assign(square=detail["estimate"] ** 2)
    breadth = 1 / squares[squares["variable"] == "category"].groupby("customer_id")["square"].sum()
    pd.testing.assert_series_equal(wide["category_breadth"], breadth, check_names=False)


def shop(n=400, seed=0, start="2025-01-01"):
    """Customers of two kinds: of tea in the web, and of cake in the shop."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    who = np.repeat(np.arange(n), 1 + rng.poisson(4, n))
    likes = rng.random(who.size) < np.where(kind[who] == 1, 0.9, 0.1)
    days = pd.to_timedelta(rng.integers(0, 200, who.size), unit="D")
    log = pd.DataFrame(
        {
            "customer_id": who,
            "date": pd.Timestamp(start) + days,
            "order_id": np.arange(who.size),
            "category": np.where(likes, "tea", "cake"),
            "channel": np.where(rng.random(who.size) < 0.5, "web", "shop"),
            "amount": 10.0,
        }
    )
    return log, kind


def test_refunds_and_hours_of_a_log_of_days_tell_nothing():
    log, _ = shop()
    assert not any("daytime" in name for name in preference_table(log))
    back = log.head(50).assign(amount=-5.0, category="soup", order_id=range(10**6, 10**6 + 50))
    stranger = back.head(1).assign(customer_id=10**6)
    both = pd.concat([log, back, stranger], ignore_index=True)
    table = preference_table(both, as_of="2026-01-01")
    pd.testing.assert_frame_equal(table, preference_table(log, as_of="2026-01-01"))
    assert table.attrs["account"]["customers_without_purchase"] == 1


def test_many_levels_become_other_by_the_customers_they_reach():
    log, _ = shop()
    log["product"] = [f"p{min(i % 40, 11):02d}" for i in log["order_id"]]
    table = preference_table(log, columns=["product"], max_levels=3)
    names = [name for name in table if name.startswith("product") and name.endswith("_share")]
    assert names[-1] == "product_(other)_share"
    assert len(names) == 3
    assert "product_p11_share" in names
    np.testing.assert_allclose(table[names].sum(axis=1), 1)


def test_a_kept_base_gives_later_tables_the_same_columns(tmp_path):
    log, _ = shop()
    log.loc[::7, "category"] = "soup"
    then = preference_table(log, as_of="2025-03-31")
    base = preference_table(log, as_of="2025-03-31", detail=True)
    base = base[["variable", "level", "base", "base_orders"]].drop_duplicates()
    base.to_csv(tmp_path / "base.csv", index=False)
    later = log[log["category"] != "cake"].assign(date=lambda t: t["date"] + pd.Timedelta("90D"))
    later.loc[later.index[:5], "category"] = "bread"
    now = preference_table(later, base=pd.read_csv(tmp_path / "base.csv"))
    assert list(now) == list(then)
    assert now.attrs["account"]["category_rows_of_new_levels"] == 5
    again = preference_table(log, as_of="2025-03-31", base=base)
    pd.testing.assert_frame_equal(again, then)
    assert list(preference_table(later)) != list(then)


def test_a_kept_base_keeps_a_level_that_has_become_rare():
    log, _ = shop()
    base = preference_table(log, max_levels=3, detail=True)
    later = log.assign(category=[f"c{i % 9}" for i in log["order_id"]])
    later.loc[:3, "category"] = "cake"
    now = preference_table(later, max_levels=3, base=base, detail=True)
    cake = now[now["level"] == "cake"]
    assert cake["orders"].sum() == 4


def test_segments_profiles_and_learners_take_the_table():
    log, kind = shop()
    table = preference_table(log, columns=["category"])
    shares = [name for name in table if name.startswith("category") and name.endswith("_share")]
    model = BehaviourSegments(n_segments=2, columns=shares, random_state=0).fit(table)
    groups = model.predict(table)
    agree = (groups["segment"].astype("category").cat.codes.to_numpy() == kind).mean()
    assert max(agree, 1 - agree) > 0.9
    profile = segment_profile(table, groups)
    likes = profile[profile["variable"] == "category_tea_share"]
    assert likes["effect_size"].abs().min() > 1.5
    churned = (np.random.default_rng(1).random(len(table)) < 0.1 + 0.6 * kind).astype(int)
    learned = ChurnModel(random_state=0).fit(table.assign(churned=churned))
    p = learned.predict(table)["p_churn"].to_numpy()
    assert p[kind == 1].mean() > p[kind == 0].mean() + 0.3


def test_shares_foretell_later_orders_better_than_own_and_base():
    log, _ = shop(1500, seed=3)
    half = log["date"] < "2025-03-01"
    detail = preference_table(log[half], detail=True)
    early = detail[detail["level"] == "tea"].set_index("customer_id")
    later = log[~half & log["customer_id"].isin(early.index)]
    tea = (later["category"] == "tea").to_numpy()
    off = {
        name: np.square(early.loc[later["customer_id"], name].to_numpy() - tea).mean()
        for name in ("estimate", "share", "base")
    }
    assert off["estimate"] < min(off["share"], off["base"])


def test_what_is_refused():
    log, _ = shop(20)
    with pytest.raises(MissingColumnsError, match="brand"):
        preference_table(log, columns=["brand"])
    with pytest.raises(InputError, match="no preferences"):
        preference_table(log, columns=["amount"])
    with pytest.raises(InputError, match="`max_levels`"):
        preference_table(log, max_levels=1)
    with pytest.raises(InputError, match="'off' must be at least 0"):
        preference_table(log.assign(off=-1.0), discount="off")
    alike = log.assign(a="b_c", a_b="c")
    with pytest.raises(InputError, match=r"same column twice: .'a_b_c_share'"):
        preference_table(alike, columns=["a", "a_b"])
    base = preference_table(log, columns=["channel"], detail=True)
    with pytest.raises(InputError, match="`base` lacks the variable 'category'"):
        preference_table(log, base=base)
    with pytest.raises(InputError, match="'base' must be at least 0"):
        preference_table(log, columns=["channel"], base=base.assign(base=-0.5))
    with pytest.raises(InputError, match="`base`: it has no rows"):
        preference_table(log, columns=["channel"], base=base.head(0))
    twice = pd.concat([base, base.assign(base=0.5)])
    with pytest.raises(InputError, match="a level has several shares"):
        preference_table(log, columns=["channel"], base=twice)
    with pytest.raises(InputError, match="no row from `since`"):
        preference_table(log, since="2027-01-01")
