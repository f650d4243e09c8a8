"""Whether potential foretold growth: yes where it did, no where it did not."""

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets
from crmkit.errors import InputError
from crmkit.segmentation import potential_backtest, potential_table
from segmentation.worlds_of_potential import white_space_world


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(1200, random_state=3)["transactions"]


def split_of(log, horizon):
    return log["date"].max().normalize() - pd.Timedelta(days=horizon)


def test_rows_are_what_the_table_told_on_the_day(shop):
    """The same as telling potential by hand on the day, and passing it in."""
    day = split_of(shop, 90)
    then = pd.concat(
        potential_table(shop, method=method, as_of=day) for method in ("reach", "white_space")
    )
    found = potential_backtest(shop, potentials=then)
    figures = found.set_index("method").drop(columns="as_of")
    for method in ("reach", "white_space"):
        assert figures.loc[method].equals(figures.loc[f"{method} (given)"])
    assert (found["as_of"] == day).all()
    seen = shop[(shop["date"] < day + pd.Timedelta(days=1)) & (shop["amount"] >= 0)]
    assert set(found["customers"]) == {seen["customer_id"].nunique()}
    assert found["method"].iloc[-1] == "recency"
    ranked = found["estimate"].to_numpy()[:-1]
    assert (np.diff(ranked) <= 0).all()


def test_knowledge_of_what_comes_is_told_from_its_mirror(shop):
    """Who knows the future gets a yes and money; its opposite, noise and current value a no."""
    day = split_of(shop, 90)
    money = shop.assign(late=shop["date"] >= day + pd.Timedelta(days=1))
    money = money.pivot_table(
        index="customer_id", columns="late", values="amount", aggfunc="sum", fill_value=0.0
    )
    rng = np.random.default_rng(0)
    told = {
        "knows": money[True],
        "opposite": -money[True],
        "noise": pd.Series(rng.normal(size=len(money)), index=money.index),
        "mirror": (money[False].quantile(0.8) - money[False]).clip(lower=0),
        "current": money[False] ** 2,
    }
    own = pd.concat(
        pd.DataFrame({"customer_id": v.index, "potential": v.to_numpy(), "method": name})
        for name, v in told.items()
    )
    bare = shop.drop(columns="cost", errors="ignore")
    found = potential_backtest(bare, methods=[], potentials=own, as_of=day)
    found = found.set_index("method").rename(index=lambda name: name.removesuffix(" (given)"))
    verdict = found["verdict"].str.partition(":")[0].to_dict()
    assert verdict.pop("recency") in ("yes", "no")
    assert verdict == {
        "knows": "yes", "opposite": "no", "noise": "no", "mirror": "no", "current": "no"
    }  # fmt: skip
    assert found.loc["opposite", "verdict"].endswith("more potential brought less later")
    assert found.loc["noise", "verdict"].endswith("does not tell who brought more later")
    assert found.loc["knows", "estimate"] > 0.5
    assert found.loc["knows", "top_gain_low"] > 0
    assert found.loc[["mirror", "current"], "estimate"].isna().all()
    assert found.loc["mirror", "verdict"] == "no: it follows from current value alone"
    assert found.loc["opposite", "estimate"] == pytest.approx(-found.loc["knows", "estimate"])


def test_several_days_and_wallets():
    log, truth, people = white_space_world(1, n=200)
    people = people.assign(purse=truth / 4 + 1)
    found = potential_backtest(
        log, customers=people, by="kind", wallet="purse", horizon_days=60,
        as_of=["2024-10-01", "2024-08-01"],
    )  # fmt: skip
    assert found["as_of"].dt.month.tolist() == [8] * 4 + [10] * 4
    for _, part in found.groupby("as_of"):
        assert set(part["method"]) == {"reach", "white_space", "wallet", "recency"}
    assert found["estimate"].abs().max() <= 1


def test_what_is_refused(shop):
    with pytest.raises(InputError, match="`transactions` ends on"):
        potential_backtest(shop, as_of=shop["date"].max())
    with pytest.raises(InputError, match="no purchase before"):
        potential_backtest(shop, as_of="1990-01-01")
    with pytest.raises(InputError, match="`as_of` is an empty list"):
        potential_backtest(shop, as_of=[])
    with pytest.raises(InputError, match="`methods` must be one of"):
        potential_backtest(shop, methods=["hope"])
    with pytest.raises(InputError, match="no column 'product'"):
        potential_backtest(shop.drop(columns="product"), methods=["white_space"])
    own = pd.DataFrame({"customer_id": shop["customer_id"].iloc[[0, 0]], "potential": [1.0, 2.0]})
    with pytest.raises(InputError, match="several rows for one customer by 'own'"):
        potential_backtest(shop, potentials=own)
    with pytest.raises(InputError, match="were known on one day"):
        potential_backtest(shop, potentials=own, as_of=["2025-01-01", "2025-02-01"])
