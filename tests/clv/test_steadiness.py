"""What tracking says of bases that no model of new customers can follow."""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv
from crmkit.clv._math.steadiness import Base, drift, season

DAY = pd.Timestamp("2022-01-01")


def base_of(rng, n, *, days=900, split=700, wave=0.0, change=1.0, leave=400.0):
    """The log of a base that comes steadily, whose rates differ, with a season or a change."""
    came = rng.integers(0, split, n)
    rate, life = rng.gamma(1.0, 1 / 60, n), rng.exponential(leave, n)
    most = rng.poisson(2 * rate * (days - came))
    owner = np.repeat(np.arange(n), most)
    day = came[owner] + rng.random(owner.size) * (days - came[owner])
    height = (1 + wave * np.cos(2 * np.pi * day / 365.25)) * np.where(day > split, change, 1.0)
    kept = (rng.random(owner.size) < height / 2) & (day < came[owner] + life[owner])
    customer = np.r_[np.arange(n), owner[kept]]
    date = DAY + pd.to_timedelta(np.floor(np.r_[came, day[kept]]), unit="D")
    return pd.DataFrame({"customer_id": customer, "date": date})


def told_of(log, split=700, **options):
    as_of = DAY + pd.Timedelta(days=split)
    model = clv.ParetoNBD().fit(clv.purchase_table(log, as_of=as_of))
    options = {"purchases": model, "as_of": as_of, "period_days": 28, **options}
    return clv.tracking_table(log, **options).attrs["account"]


def test_a_steady_base_is_left_alone_and_an_unsteady_one_is_not():
    rng = np.random.default_rng(3)
    steady = told_of(base_of(rng, 1500))
    assert steady["warnings"] == {}
    assert abs(steady["drift"]) < 0.1 > steady["season"]
    (words,) = told_of(base_of(rng, 1500, wave=0.5))["warnings"].values()
    assert words.startswith("Season: repeat purchases go ")
    (words,) = told_of(base_of(rng, 1500, change=0.5))["warnings"].values()
    assert "fewer repeat purchases" in words
    short = told_of(base_of(rng, 300, days=500, split=300), split=300)
    assert np.isnan(short["season"])


def test_steady_bases_are_not_warned_of(long):
    called = [
        told_of(base_of(np.random.default_rng([9, 400, run]), 400))["warnings"]
        for run in range(60 if long else 3)
    ]
    assert sum(map(bool, called)) <= len(called) // 30


def test_an_id_that_many_share_is_named():
    rng = np.random.default_rng(4)
    log = base_of(rng, 200)
    till = pd.DataFrame({"customer_id": 999, "date": np.repeat(log["date"].min(), 2 * len(log))})
    both = pd.concat([log, till], ignore_index=True)
    told = told_of(both)
    assert told["largest_share_of_rows"] == pytest.approx(2 / 3)
    assert "999" in told["warnings"]["shared_id"]


def test_sums_beyond_are_those_of_each_customer_and_period():
    rng = np.random.default_rng(5)
    kind, cells = rng.integers(0, 3, 40), rng.random((3, 6))
    buyer, period = rng.integers(0, 40, 90), rng.integers(0, 6, 90)
    base = Base(lambda j: cells[:, j], kind, buyer, period, 6)
    weight, level = rng.normal(size=(6, 2)), rng.random(6)
    count = np.zeros((40, 6))
    np.add.at(count, (buyer, period), 1.0)
    expected = (count - cells[kind] * level) @ weight
    np.testing.assert_allclose(base.beyond(weight, level), expected)
    np.testing.assert_allclose(base.foreseen(), cells[kind].sum(axis=0))
    share, chance = drift(base, np.arange(6) > 3)
    ratio = count.sum(axis=0) / cells[kind].sum(axis=0)
    before, after = (
        count[:, part].sum() / cells[kind][:, part].sum() for part in (slice(0, 4), slice(4, 6))
    )
    assert share == pytest.approx(after / before - 1)
    assert 0 <= chance <= 1
    assert ratio.size == 6


def test_a_season_is_measured_as_it_is():
    """Many customers of one kind, whose purchases of a period are all but certain."""
    middle = 14.0 + 28 * np.arange(40)
    height = 1 + 0.3 * np.cos(2 * np.pi * middle / 365.25)
    bought = np.round(2000 * height).astype(int)
    period = np.repeat(np.arange(40), bought)
    buyer = np.concatenate([np.arange(k) for k in bought]) % 3000
    one = np.ones(1)
    base = Base(lambda _: one, np.zeros(3000, dtype=np.int64), buyer, period, 40)
    share, chance = season(base, middle, middle > 900)
    assert share == pytest.approx(0.3, abs=0.03)
    assert chance < 1e-6
