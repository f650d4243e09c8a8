"""Next items against plain loops, and what must never be offered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from scipy import optimize

from basket._logs import baskets_of, log_of
from crmkit import basket, datasets
from crmkit.basket._math import balance, links, recommend
from crmkit.basket._model import strengths
from crmkit.errors import InputError


def dated(baskets):
    log = log_of(baskets)
    log["date"] += pd.to_timedelta(np.arange(len(log)) % 50, unit="D")
    return log


def slow_scores(log, model, customer):
    """Return new item -> score of one customer before it becomes a chance, by the definition."""
    last = log.groupby(["customer_id", "product"])["date"].max()
    age = (log["date"].max() - last).dt.days
    recent = (0.5 ** (age / model.horizon_days)).groupby("product").sum()
    popularity = recent / log["customer_id"].nunique()
    owned = log.groupby("customer_id")["product"].agg(set)
    names = sorted(popularity.index)
    x = np.array([[float(item in items) for item in names] for items in owned])
    inverse = np.linalg.inv(x.T @ x + links.RIDGE * np.eye(len(names)))
    scores = {}
    for j, name in enumerate(names):
        if name not in owned[customer]:
            scores[name] = model.popularity_weight_ * popularity[name]
            for item in owned[customer]:
                strength = max(-inverse[names.index(item), j] / inverse[j, j], 0)
                scores[name] += 0.5 ** (age[customer, item] / model.half_life_days) * strength
    return scores


def chance(weights, features):
    return 1 / (1 + np.exp(-(weights[0] + np.dot(weights[1:], features))))


@given(baskets_of(n_items=7, max_orders=12))
def test_scores_of_new_items_follow_their_definition(baskets):
    log = dated(baskets)
    model = basket.NextItem(horizon_days=20, half_life_days=20, min_support=1).fit(log)
    weights = model.balance_.loc[model.balance_["items"] == "new", "weight"].to_numpy()
    offers = model.predict(log, n_items=3)
    for customer, part in offers.groupby("customer_id"):
        scores = slow_scores(log, model, customer)
        days = log.loc[log["customer_id"] == customer, "date"].drop_duplicates()
        recent = (0.5 ** ((log["date"].max() - days).dt.days / 20)).sum()
        expected = {
            name: chance(weights, [np.log(value), np.log1p(len(days)), np.log(recent + 0.05)])
            for name, value in scores.items()
        }
        assert part["rank"].tolist() == list(range(1, min(3, len(expected)) + 1))
        best = sorted(expected.values(), reverse=True)[:3]
        np.testing.assert_allclose(part["score"], best, rtol=1e-9)
        np.testing.assert_allclose([expected[i] for i in part["item"]], best, rtol=1e-9)
        assert not part["owned"].any()


def test_chances_of_owned_items_follow_their_definition():
    rng = np.random.default_rng(5)
    log = pd.DataFrame({"customer_id": rng.integers(0, 9, 300), "day": rng.integers(0, 70, 300)})
    log["product"] = rng.choice(list("abcde"), 300, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(log["day"], unit="D")
    log.loc[::17, "product"] = None  # a shopping day all the same
    model = basket.NextItem(horizon_days=10, min_support=1).fit(log)
    offers = model.predict(log, exclude_owned=False).query("owned")
    weights = model.balance_.loc[model.balance_["items"] == "repeat", "weight"].to_numpy()
    end, known = log["day"].max(), log.dropna().drop_duplicates()
    again, chances = dict.fromkeys("abcde", 0), dict.fromkeys("abcde", 0)
    for (_, item), days in known.groupby(["customer_id", "product"])["day"]:
        for day in days:
            chances[item] += day <= end - 10
            again[item] += day <= end - 10 and ((days > day) & (days <= day + 10)).any()
    mean = (sum(again.values()) + 1) / (sum(chances.values()) + 10)
    popularity = model.items_.set_index("item")["popularity"]
    for row in offers.itertuples():
        own = known[(known["customer_id"] == row.customer_id) & (known["product"] == row.item)]
        visits = log.loc[log["customer_id"] == row.customer_id, "day"].drop_duplicates()
        rate = (again[row.item] + 10 * mean) / (chances[row.item] + 10)
        told = [
            np.log(len(own)),
            np.log(len(visits)),
            np.log((0.5 ** ((end - own["day"]) / 10)).sum() + 0.02),
            np.log((0.5 ** ((end - visits) / 10)).sum() + 0.05),
            np.log1p(end - own["day"].max()),
            np.log1p((visits > own["day"].max()).sum()),
            np.log(rate / (1 - rate)),
            np.log(popularity[row.item] + 1e-4),
        ]
        assert row.score == pytest.approx(chance(weights, told), rel=1e-9)


def test_weights_are_the_most_probable_ones():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 2))
    outcome = rng.random(400) < chance([-1.0, 2.0, 0.5], features.T)
    prior = np.array([0.5, 0.0, -0.5])
    found = balance.fit_chances(features, outcome, prior)

    def loss(w):
        z = w[0] + features @ w[1:]
        return np.logaddexp(0, np.where(outcome, -z, z)).sum() + ((w - prior) ** 2).sum() / 2

    np.testing.assert_allclose(found, optimize.minimize(loss, prior, tol=1e-12).x, atol=1e-4)
    nothing = balance.fit_chances(features[:0], outcome[:0], prior)
    np.testing.assert_allclose(nothing, prior)


def test_links_of_many_items_are_cosines_that_weigh_by_size(monkeypatch):
    log = datasets.make_transactions(60, random_state=6)["transactions"]
    monkeypatch.setattr(strengths, "MOST_LINEAR", 3)
    model = basket.NextItem(min_support=2, n_neighbours=4).fit(log)
    assert model.account_["links"] == "cosine"
    monkeypatch.setattr(links, "CELLS", 7)
    same = basket.NextItem(min_support=2, n_neighbours=4).fit(log)
    pd.testing.assert_frame_equal(model.neighbours_, same.neighbours_)
    owned = pd.crosstab(log["customer_id"], log["product"]).clip(upper=1).astype(float)
    owned = owned.loc[:, owned.sum() >= 2]
    weighed = owned.div(np.sqrt(owned.sum(axis=1).clip(lower=1)), axis=0)
    weighed /= np.sqrt((weighed**2).sum())
    cosine = weighed.T @ weighed
    for item, part in model.neighbours_.groupby("item"):
        rest = cosine[item].drop(item).sort_values(ascending=False)
        best = rest[rest > 0].to_numpy()[:4]
        np.testing.assert_allclose(part["strength"], best, rtol=1e-12)
        np.testing.assert_allclose(cosine.loc[item, part["neighbour"]], best, rtol=1e-12)


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


def test_later_rows_teach_nothing():
    log = datasets.make_transactions(100, random_state=3)["transactions"]
    split = log["date"].sort_values().iloc[len(log) // 2]
    early = log[log["date"] <= split]
    options = {"min_support": 2}
    model = basket.NextItem(**options).fit(log, as_of=split)
    pd.testing.assert_frame_equal(
        model.predict(log, as_of=split), basket.NextItem(**options).fit(early).predict(early)
    )


def habits_and_tastes(seed=0, customers=400):
    """Customers of four tastes, who come back to the items that they have taken to."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        taste, mine = customer % 4, []
        for day in np.sort(rng.integers(0, 200, 14)):
            if mine and rng.random() < 0.5:
                item = mine[int(len(mine) * rng.random() ** 2)]
            else:
                own = rng.random() < 0.8
                item = taste * 10 + rng.integers(10) if own else rng.integers(40)
            mine.append(item)
            rows.append((customer, day, f"item {item}"))
    log = pd.DataFrame(rows, columns=["customer_id", "day", "product"])
    log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(log["day"], unit="D")
    return log


def slow_measures(offered, wanted, n_items):
    """Return hit, recall, reciprocal rank and discounted gain of one list of offers."""
    hits = [item in wanted for item in offered[:n_items]]
    gain = sum(1 / np.log2(rank + 2) for rank, hit in enumerate(hits) if hit)
    best = sum(1 / np.log2(rank + 2) for rank in range(min(n_items, len(wanted))))
    first = 1 / (hits.index(True) + 1) if any(hits) else 0.0
    return any(hits), sum(hits) / len(wanted), first, gain / best


def test_evaluation_is_what_offers_and_later_purchases_say():
    log = habits_and_tastes(1, 60)
    table = basket.NextItem().evaluate(
        log, horizon_days=40, n_items=4, n_splits=2, exclude_owned=False
    )
    end = log["date"].max()
    found = {}
    for back in (40, 80):
        day = end - pd.Timedelta(days=back)
        later = log[(log["date"] > day) & (log["date"] <= day + pd.Timedelta(days=40))]
        past = log[log["date"] <= day]
        model = basket.NextItem(horizon_days=40).fit(past)
        offers = model.predict(past, n_items=4, exclude_owned=False)
        alone = model.predict(past, n_items=4)
        popular = model.items_.sort_values(["popularity", "item"], ascending=[False, True])["item"]
        place = {item: number for number, item in enumerate(popular)}
        visits = past.drop_duplicates(["customer_id", "product", "day"])
        for customer in set(later["customer_id"]) & set(past["customer_id"]):
            mine = visits.loc[visits["customer_id"] == customer, "product"].value_counts()
            own = sorted(mine.index, key=lambda item: (-mine[item], place[item]))
            rest = [item for item in popular if item not in mine]
            wanted = set(later.loc[later["customer_id"] == customer, "product"])
            lists = {
                ("all", "model"): offers.loc[offers["customer_id"] == customer, "item"].tolist(),
                ("new", "model"): alone.loc[alone["customer_id"] == customer, "item"].tolist(),
                ("all", "favourites"): own + rest,
                ("repeat", "favourites"): own,
                ("all", "popularity"): list(popular),
                ("repeat", "popularity"): [item for item in popular if item in mine],
                ("new", "popularity"): rest,
            }
            for (kind, name), items in lists.items():
                right = {
                    "all": wanted, "repeat": wanted & set(mine.index), "new": wanted - set(own)
                }[kind]  # fmt: skip
                if right:
                    score = slow_measures(items, right, 4)
                    found.setdefault((kind, name), {}).setdefault(customer, []).append(score)
    rows = table.set_index(["items", "recommender", "measure"])
    for key, customers in found.items():
        scores = np.array([np.mean(one, axis=0) for one in customers.values()])
        part = rows.loc[[(*key, name) for name in ("hit_rate", "recall", "mrr", "ndcg")]]
        np.testing.assert_allclose(part["estimate"], scores.mean(axis=0))
        error = scores.std(axis=0, ddof=1) / np.sqrt(len(scores))
        np.testing.assert_allclose(part["std_error"], error)
        assert (part["customers"] == len(scores)).all()
    assert ("new", "favourites", "recall") not in rows.index
    both = rows["estimate"]
    assert both["all", "model - favourites", "recall"] == pytest.approx(
        both["all", "model", "recall"] - both["all", "favourites", "recall"]
    )


def test_planted_tastes_are_found_and_told():
    log = habits_and_tastes()
    table = basket.NextItem().evaluate(log, horizon_days=60, n_items=5)
    assert set(table["items"]) == {"new"}
    gain = table[table["recommender"] == "model - popularity"].set_index("measure")
    assert (gain.loc[["hit_rate", "recall", "mrr", "ndcg"], "conf_low"] > 0.05).all()
    assert (gain.loc[["hit_rate", "recall", "mrr", "ndcg"], "verdict"] == "better").all()
    assert (table.loc[~table["recommender"].str.contains(" - "), "verdict"] == "not tested").all()


def test_the_balance_is_learned_from_days_before_those_that_are_judged():
    log = habits_and_tastes(2)
    split = log["date"].max() - pd.Timedelta(days=60)
    early = basket.NextItem(horizon_days=60).fit(log[log["date"] <= split])
    late = basket.NextItem(horizon_days=60).fit(log, as_of=split)
    pd.testing.assert_frame_equal(early.balance_, late.balance_)
    assert early.account_["balance_customers"] > 300
    at_once = log_of([["a", "b"], ["a", "c"]])  # one day: nothing to learn a balance from
    assert basket.NextItem().fit(at_once).account_["balance_customers"] == 0


def test_scores_are_the_chances_that_later_days_show():
    log = habits_and_tastes(3, 900)
    day = log["date"].max() - pd.Timedelta(days=40)
    later = log[log["date"] > day].drop_duplicates(["customer_id", "product"])
    model = basket.NextItem(horizon_days=40).fit(log, as_of=day)
    offers = model.predict(log, n_items=8, exclude_owned=False, as_of=day)
    bought = pd.MultiIndex.from_frame(offers[["customer_id", "item"]]).isin(
        pd.MultiIndex.from_frame(later[["customer_id", "product"]])
    )
    fifth = pd.qcut(offers["score"].rank(method="first"), 5, labels=False)
    for number in range(5):
        some = fifth == number
        error = np.sqrt(bought[some].mean() / some.sum())
        assert abs(offers.loc[some, "score"].mean() - bought[some].mean()) < 4 * error + 0.01


def test_wrong_parameters_and_splits():
    log = datasets.make_transactions(50, random_state=4)["transactions"]
    for parameters in ({"horizon_days": 0}, {"half_life_days": 0}, {"n_neighbours": 0}):
        with pytest.raises(InputError, match=next(iter(parameters))):
            basket.NextItem(**parameters).fit(log)
    with pytest.raises(InputError, match="observed in part only"):
        basket.NextItem().evaluate(log, horizon_days=30, as_of=log["date"].max())
    with pytest.raises(InputError, match="n_splits"):
        basket.NextItem().evaluate(log, horizon_days=30, n_splits=100)
    with pytest.raises(InputError, match="missing in every row"):
        basket.NextItem().fit(log.assign(product=pd.NA))


def test_habits_count_where_items_may_come_again():
    day = pd.Timestamp("2025-01-01")
    rows = [(1, d, "milk") for d in range(10)] + [(1, 3, "tea"), (2, 4, "tea"), (3, 4, "tea")]
    log = pd.DataFrame(rows, columns=["customer_id", "day", "product"])
    log["date"] = day + pd.to_timedelta(log["day"], unit="D")
    offers = basket.NextItem(min_support=1).fit(log).predict(log, exclude_owned=False)
    score = offers.set_index(["customer_id", "item"])["score"]
    assert score[1, "milk"] > score[1, "tea"]
    assert offers.set_index(["customer_id", "item"])["owned"].to_dict() == {
        (1, "milk"): True, (1, "tea"): True, (2, "tea"): True, (2, "milk"): False,
        (3, "tea"): True, (3, "milk"): False,
    }  # fmt: skip
