"""Next items against plain loops, and what must never be offered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from basket._logs import baskets_of, log_of
from crmkit import basket, datasets
from crmkit.basket._math import recommend
from crmkit.errors import InputError


def dated(baskets):
    log = log_of(baskets)
    log["date"] += pd.to_timedelta(np.arange(len(log)) % 50, unit="D")
    return log


def slow_scores(log, model, customer):
    """Return item -> score of one customer, from the definition."""
    last = log.groupby(["customer_id", "product"])["date"].max()
    weight = 0.5 ** ((log["date"].max() - last).dt.days / model.half_life_days)
    n = log["customer_id"].nunique()
    popularity = weight.groupby("product").sum() / n
    buyers = log.groupby("product")["customer_id"].agg(set)
    history = weight[customer]
    scores = {}
    for j in buyers.index:
        total = 0.0
        for i, w in history.items():
            both = len(buyers[i] & buyers[j])
            if i != j and both >= model.min_support:
                total += w * both / np.sqrt(len(buyers[i]) * len(buyers[j]))
        score = model.similarity * total / history.sum() + model.popularity * popularity[j]
        scores[j] = score
    return scores


@given(baskets_of(n_items=7, max_orders=12))
def test_scores_follow_their_definition(baskets):
    log = dated(baskets)
    model = basket.NextItem(rules=0, popularity=0.3, half_life_days=20, min_support=1).fit(log)
    offers = model.predict(log, n_items=3)
    for customer, part in offers.groupby("customer_id"):
        scores = slow_scores(log, model, customer)
        owned = set(log.loc[log["customer_id"] == customer, "product"])
        free = {item: score for item, score in scores.items() if item not in owned}
        assert part["rank"].tolist() == list(range(1, min(3, len(free)) + 1))
        best = sorted(free.values(), reverse=True)[:3]
        np.testing.assert_allclose(part["score"], best, rtol=1e-9)
        np.testing.assert_allclose([free[i] for i in part["item"]], best, rtol=1e-9)


def test_chunks_change_nothing(monkeypatch):
    log = datasets.make_transactions(80, random_state=1)["transactions"]
    model = basket.NextItem(min_support=2).fit(log)
    expected = model.predict(log)
    monkeypatch.setattr(recommend, "CELLS", 100)
    pd.testing.assert_frame_equal(model.predict(log), expected)


def test_what_is_not_to_be_offered_is_not():
    log = datasets.make_transactions(150, random_state=2)["transactions"]
    model = basket.NextItem(min_support=2).fit(log)
    offers = model.predict(log, n_items=5)
    owned = set(zip(log["customer_id"], log["product"], strict=True))
    assert not owned & set(zip(offers["customer_id"], offers["item"], strict=True))
    again = model.predict(log, n_items=5, exclude_owned=False)
    assert owned & set(zip(again["customer_id"], again["item"], strict=True))
    first = offers.loc[offers["rank"] == 1, ["customer_id", "item"]]
    other = model.predict(log, n_items=5, unwanted=first)
    assert first.merge(other, on=["customer_id", "item"]).empty
    some = offers["item"].unique()[:4].tolist()
    assert set(model.predict(log, stock=some)["item"]) <= set(some)
    assert not set(model.predict(log, exclude=some)["item"]) & set(some)
    with pytest.raises(InputError, match="stock"):
        model.predict(log, stock="milk")


def test_lists_of_items_and_of_customers_meet_the_model_and_the_log():
    log = log_of([["a", "b"], ["a", "c"], ["a", "b"], ["d"]])
    model = basket.NextItem(min_support=1).fit(log)
    first = log["customer_id"].iloc[0]
    unwanted = pd.DataFrame({"customer_id": [float(first), -1.0, -1.0], "item": ["d", "d", "gone"]})
    offers = model.predict(
        log, exclude=["c", "gone"], stock=["b", "c", "d", "new"], unwanted=unwanted
    )
    assert set(offers["item"]) == {"b", "d"}
    assert "d" not in set(offers.loc[offers["customer_id"] == first, "item"])
    account = offers.attrs["account"]
    assert account["exclude_unmatched"] == account["stock_unmatched"] == 1
    assert account["unwanted_unmatched"] == account["unwanted_items_unmatched"] == 1
    assert account["products_unmatched"] == 0
    assert not model.predict(log, exclude=["gone"]).empty
    everything = model.predict(log)
    pd.testing.assert_frame_equal(model.predict(log, unwanted=unwanted[:0]), everything)
    for wrong in ({"exclude": ["A"]}, {"stock": ["b", "c "]}, {"stock": ["gone"]}):
        with pytest.raises(InputError, match=f"`{next(iter(wrong))}`"):
            model.predict(log, **wrong)
    as_text = unwanted.assign(customer_id=str(first))
    for wrong in (as_text, unwanted.assign(customer_id=-1), unwanted.assign(item="D")):
        with pytest.raises(InputError, match="`unwanted`"):
            model.predict(log, unwanted=wrong)
    with pytest.raises(InputError, match="`transactions` and `model` do not write item alike"):
        model.predict(log.assign(product=log["product"].str.upper()))


def test_strangers_get_what_is_popular():
    log = log_of([["a", "b"], ["a", "c"], ["a", "b"], ["d"]])
    model = basket.NextItem(min_support=1).fit(log)
    stranger = log_of([["never seen"]])
    offers = model.predict(stranger, n_items=2)
    assert offers["item"].tolist() == ["a", "b"]
    assert offers.attrs["account"]["products_unmatched"] == 1
    nobody = basket.NextItem(min_support=1, popularity=0).fit(log).predict(stranger)
    assert nobody.empty


def test_later_rows_teach_nothing():
    log = datasets.make_transactions(100, random_state=3)["transactions"]
    split = log["date"].sort_values().iloc[len(log) // 2]
    early = log[log["date"] <= split]
    options = {"min_support": 2}
    model = basket.NextItem(**options).fit(log, as_of=split)
    pd.testing.assert_frame_equal(
        model.predict(log, as_of=split), basket.NextItem(**options).fit(early).predict(early)
    )


def test_evaluation_counts_hits():
    day = pd.Timestamp("2025-01-01")
    before = log_of([["a", "b"]] * 6 + [["a"]] * 4 + [["c"]] * 7 + [["d"]])
    after = pd.DataFrame({"customer_id": [6, 7, 8, 17], "product": ["b", "b", "e", "a"]})
    log = pd.concat([before.assign(date=day), after.assign(date=day + pd.Timedelta(days=5))])
    model = basket.NextItem(min_support=1)
    table = model.evaluate(log, horizon_days=5, n_items=1)
    value = table.set_index(["recommender", "measure"])["estimate"]
    # customers 6 and 7 are rightly offered b, 8 wrongly; 17 is offered the most popular, a
    assert value["model", "hit_rate"] == 0.75
    assert value["model", "recall"] == 0.75
    # by popularity 6 to 8 are offered c
    assert value["popularity", "hit_rate"] == 0.25
    assert value["difference", "mrr"] == 0.5
    assert (table["customers"] == 4).all()
    ranges = table.dropna()
    assert (
        (ranges["conf_low"] <= ranges["estimate"]) & (ranges["estimate"] <= ranges["conf_high"])
    ).all()


def test_planted_tastes_are_found():
    rng = np.random.default_rng(0)
    rows = []
    for customer in range(400):
        taste = customer % 4
        for _ in range(12):
            own = rng.random() < 0.8
            item = taste * 10 + rng.integers(10) if own else rng.integers(40)
            rows.append((customer, rng.integers(200), f"item {item}"))
    log = pd.DataFrame(rows, columns=["customer_id", "day", "product"])
    log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(log["day"], unit="D")
    table = basket.NextItem().evaluate(log, horizon_days=60, n_items=5)
    difference = table[table["recommender"] == "difference"].set_index("measure")
    assert (difference.loc[["hit_rate", "recall", "mrr"], "conf_low"] > 0.1).all()


def test_wrong_parameters_and_splits():
    log = datasets.make_transactions(50, random_state=4)["transactions"]
    for parameters in ({"rules": -1}, {"half_life_days": 0}, {"unit": "day"}):
        with pytest.raises(InputError, match=next(iter(parameters))):
            basket.NextItem(**parameters).fit(log)
    with pytest.raises(InputError, match="above 0"):
        basket.NextItem(rules=0, similarity=0, popularity=0).fit(log)
    with pytest.raises(InputError, match="earlier"):
        basket.NextItem().evaluate(log, horizon_days=30, as_of=log["date"].max())
    with pytest.raises(InputError, match="missing in every row"):
        basket.NextItem().fit(log.assign(product=pd.NA))


def test_habits_count_where_items_may_come_again():
    day = pd.Timestamp("2025-01-01")
    rows = [(1, d, "milk") for d in range(10)] + [(1, 3, "tea"), (2, 4, "tea"), (3, 4, "tea")]
    log = pd.DataFrame(rows, columns=["customer_id", "day", "product"])
    log["date"] = day + pd.to_timedelta(log["day"], unit="D")
    model = basket.NextItem(min_support=1, half_life_days=None, popularity=0).fit(log)
    offers = model.predict(log, exclude_owned=False).set_index(["customer_id", "item"])["score"]
    # the rule between them is not significant, so that only the cosine counts
    assert offers[1, "milk"] == pytest.approx(1.0 + 1 / np.sqrt(3) / 2)
    assert offers[1, "tea"] == pytest.approx(0.1 + 1 / np.sqrt(3) / 2)
    assert offers[2, "tea"] == 1.0
    popular = basket.NextItem(rules=0, similarity=0, popularity=1, min_support=1).fit(log)
    first = popular.predict(log, exclude_owned=False).query("rank == 1")
    assert set(first["item"]) == {"tea"}
