"""Columns that hold the outcome itself are named by every learner, and noise never is."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from crmkit import churn, response, segmentation
from crmkit._learn.columns import column_table, judged_columns
from crmkit._learn.encoder import FeatureEncoder
from crmkit.errors import LeakWarning


def base(n=600, seed=0, share=0.25):
    rng = np.random.default_rng(seed)
    outcome = (rng.random(n) < share).astype(int)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "outcome": outcome,
            "spend": rng.lognormal(3, 1, n) * np.where(outcome, 0.7, 1.0),
            "channel": rng.choice(["web", "shop"], n),
            "tenure_days": rng.integers(1, 900, n),
            "arm": rng.integers(0, 2, n),
        }
    )
    return table, rng


def with_copy(table, rng):
    """The outcome once more, as a number that leaves no doubt."""
    # As a classifier's own probability, left in the table.
    return np.where(table["outcome"] == 1, 0.995, 0.002) + rng.normal(0, 0.0005, len(table))


def as_words(table, _):
    return np.where(table["outcome"] == 1, "gone", "here")


def as_date(table, rng):
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 300, len(table)), "D")
    return pd.Series(days).where(table["outcome"] == 1)


def as_text_date(table, rng):
    return as_date(table, rng).dt.strftime("%Y-%m-%d")


def as_code(table, rng):
    """One code in the middle of many stands for the outcome."""
    others = rng.choice([1, 2, 3, 5, 6, 7], len(table))
    return np.where(table["outcome"] == 1, 4, others)


def some_known(table, rng):
    """Known for a part of those with the outcome, and for nobody else."""
    known = (table["outcome"] == 1) & (rng.random(len(table)) < 0.7)
    return pd.Series(rng.integers(1, 5, len(table)).astype(float)).where(known)


LEAKS = {
    "number": with_copy,
    "words": as_words,
    "date": as_date,
    "text date": as_text_date,
    "code": as_code,
    "flag": lambda table, _: table["outcome"] == 1,
    "opposite": lambda table, _: 1 - table["outcome"],
    "some known": some_known,
}

LEARNERS = {
    "churn": lambda: (churn.ChurnModel(random_state=0), {"outcome": "outcome"}),
    "response": lambda: (response.ResponseModel(random_state=0), {"outcome": "outcome"}),
    "prospect": lambda: (churn.ProspectModel(random_state=0), {"target": "outcome"}),
    "hazard": lambda: (
        churn.HazardModel(n_intervals=4),
        {"event": "outcome", "duration": "tenure_days"},
    ),
    "uplift": lambda: (
        response.UpliftModel(random_state=0),
        {"outcome": "outcome", "treated": "arm"},
    ),
    "win back": lambda: (
        churn.WinBackModel(random_state=0),
        {"outcome": "outcome", "treated": "arm"},
    ),
}


def fitted(learner, table, **more):
    model, rules = LEARNERS[learner]()
    used = [name for name in ("arm", "tenure_days") if name not in rules.values()]
    return model.fit(table.drop(columns=used), **rules, **more)


@pytest.mark.parametrize("leak", sorted(LEAKS))
@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_a_leak_is_named_by_every_learner(learner, leak):
    table, rng = base()
    table["oddity"] = LEAKS[leak](table, rng)
    with pytest.warns(LeakWarning, match=r"'oddity' \(area under the curve .*`columns`") as told:
        model = fitted(learner, table)
    assert len(told) == 1
    lines, first = inspect.getsourcelines(fitted)
    assert told[0].filename == __file__
    assert told[0].lineno - first in range(len(lines))  # the call of fit, not a place in crmkit
    columns = model.columns_.set_index("column")
    assert columns.index[columns["likely_leak"]].tolist() == ["oddity"]
    if leak != "some known":
        assert columns.loc["oddity", "alone_auc"] > 0.995
    left_out = leak == "date" or learner in ("uplift", "win back")
    assert columns.loc["oddity", "used"] == (not left_out)


@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_named_columns_are_taken_at_their_word(learner):
    table, rng = base()
    table["oddity"] = with_copy(table, rng)
    model = fitted(learner, table, columns=["spend", "oddity"])
    assert model.columns_["likely_leak"].tolist() == [False, True]


@pytest.mark.parametrize("kind", [churn.CoxModel, churn.AFTModel])
def test_regressions_of_survival_name_a_leak_and_mark_their_rows(kind):
    pytest.importorskip("lifelines")
    table, rng = base()
    table["oddity"] = with_copy(table, rng)
    rules = {"event": "outcome", "duration": "tenure_days"}
    with pytest.warns(LeakWarning, match="'oddity'"):
        model = kind(penalizer=0.1).fit(table, **rules)
    told = model.columns_.set_index("column")
    assert told.index[told["likely_leak"]].tolist() == ["oddity"]
    assert told.loc["spend", "transformation"] == "in its own unit"
    assert told.loc["channel", "transformation"] == "one column per level, against 'shop'"
    seen = model.predict(
        pd.concat([table, table.tail(5).assign(customer_id=range(900, 905))]), horizon_days=30
    )
    assert seen["in_sample"].tolist() == [True] * 600 + [False] * 5


def test_what_a_treatment_brings_about_makes_the_outcome_certain():
    """As `conversion` beside `visit`: few have it, but whoever has it has the outcome."""
    table, rng = base(4000)
    table["bought"] = ((table["outcome"] == 1) & (rng.random(4000) < 0.1)).astype(int)
    table["paid"] = table["bought"] * rng.lognormal(3, 1, 4000)
    for learner in ("uplift", "win back", "response"):
        with pytest.warns(LeakWarning, match=r"'bought' .*certain in \d+ rows.*'paid'"):
            model = fitted(learner, table)
        columns = model.columns_.set_index("column")
        assert (columns.loc[["bought", "paid"], "alone_auc"] < 0.6).all()
        assert columns.loc["bought", "rows_certain"] == table["bought"].sum()
        assert (columns.loc[["bought", "paid"], "used"] == (learner == "response")).all()
    # Amounts: whether there was any is the yes.
    table["money"] = table["outcome"] * rng.lognormal(3, 1, 4000)
    model = response.UpliftModel(random_state=0)
    with pytest.warns(LeakWarning, match="'outcome'"):
        model.fit(
            table[["customer_id", "outcome", "money", "arm", "spend"]],
            outcome="money",
            treated="arm",
        )


def test_what_only_one_arm_can_have_is_left_out():
    """As whether a message was opened: nobody opens what was not sent."""
    table, rng = base(2000)
    opened = (table["arm"] == 1) & (rng.random(2000) < 0.3)
    table = table.assign(opened=opened, minutes=rng.exponential(3, 2000)).drop(
        columns="tenure_days"
    )
    table["minutes"] = table["minutes"].where(opened)
    rules = {"outcome": "outcome", "treated": "arm"}
    with pytest.warns(LeakWarning, match=r"'opened' .*'minutes' .*one arm only.*were left out"):
        model = response.UpliftModel(method="t").fit(table, **rules)
    columns = model.columns_.set_index("column")
    assert columns.index[~columns["used"]].tolist()[-2:] == ["opened", "minutes"]
    assert (columns["transformation"].tail(2) == "not used: known only afterwards").all()
    honest = table.drop(columns=["opened", "minutes"])
    alone = response.UpliftModel(method="t").fit(honest, **rules)
    pd.testing.assert_frame_equal(model.effects_, alone.effects_)
    # Where customers were chosen, what decided about them must stay.
    chosen = honest.assign(told=table["arm"])
    kept = response.UpliftModel(method="t", propensity="estimated").fit(chosen, **rules)
    assert kept.columns_.set_index("column").loc["told", "used"]


def test_a_long_silence_makes_leaving_certain_and_is_no_leak():
    rng = np.random.default_rng(1)
    silent = rng.exponential(60, 3000)
    left = (rng.random(3000) < np.where(silent > 150, 1.0, 0.15)).astype(int)
    table = pd.DataFrame({"customer_id": range(3000), "recency_days": silent, "churned": left})
    assert table.loc[silent > 150, "churned"].all()
    model = churn.ChurnModel(random_state=0).fit(table)
    assert not model.columns_["likely_leak"].any()
    with pytest.warns(LeakWarning):
        response.ResponseModel(random_state=0).fit(table, outcome="churned")


def noise(n, n_columns, rng):
    """Columns of every kind that know nothing, some of them mostly missing."""
    table = {"customer_id": np.arange(n)}
    day = pd.Timestamp("2025-01-01")
    for at in range(n_columns):
        kind = at % 6
        values = [
            rng.normal(size=n),
            rng.integers(0, 3, n),
            rng.choice(list("abcdefgh"), n),
            pd.Series(day + pd.to_timedelta(rng.integers(0, 99, n), "D")).where(
                rng.random(n) < 0.4
            ),
            pd.Series(rng.lognormal(0, 2, n)).where(rng.random(n) < 0.2),
            [f"note {at}" for at in rng.permutation(n)],
        ][kind]
        table[f"x{at}"] = values
    return pd.DataFrame(table)


@pytest.mark.parametrize(("n", "yes"), [(60, 2), (60, 5), (60, 30), (400, 8)])
def test_noise_is_never_a_leak(n, yes):
    """The rule allows one false alarm in a thousand tables; none in twenty is what it gives."""
    rng = np.random.default_rng(n + yes)
    for _ in range(20):
        table = noise(n, 36, rng)
        encoder = FeatureEncoder().fit(table)
        outcome = np.zeros(n)
        outcome[rng.permutation(n)[:yes]] = 1
        for suspect in (False, True):
            judged = judged_columns(
                table,
                encoder.looked_at(table),
                encoder.terms,
                outcome,
                "y",
                certain_is_suspect=suspect,
                warn=False,
            )
            assert not judged["likely_leak"].any(), judged[judged["likely_leak"]]
        assert judged["alone_auc"].median() < (0.65 if yes > 5 else 0.85)


def test_two_leavers_are_too_few_to_accuse_a_column():
    table, rng = base(60)
    table["outcome"] = 0
    table.loc[[3, 40], "outcome"] = 1
    table["oddity"] = with_copy(table, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakWarning)
        model = churn.ChurnModel(random_state=0).fit(table.drop(columns="arm"), outcome="outcome")
    assert model.columns_["alone_auc"].max() > 0.95
    table.loc[[7, 22, 30, 51], "outcome"] = 1
    table["oddity"] = with_copy(table, rng)
    with pytest.warns(LeakWarning, match="oddity"):
        churn.ChurnModel(random_state=0).fit(table.drop(columns="arm"), outcome="outcome")


def test_alone_is_the_area_of_the_column_whichever_way_it_points():
    table, _ = base(4000)
    table["against"] = -table["spend"]
    model = fitted("churn", table, columns=["spend", "against"])
    area = roc_auc_score(table["outcome"], -table["spend"])
    np.testing.assert_allclose(model.columns_["alone_auc"], area, atol=0.01)


def test_the_best_single_column_may_be_words():
    rng = np.random.default_rng(3)
    plan = rng.choice(["month", "year", "two years"], 3000)
    rate = pd.Series(plan).map({"month": 0.5, "year": 0.1, "two years": 0.3})
    table = pd.DataFrame(
        {
            "customer_id": range(3000),
            "plan": plan,
            "age": rng.normal(size=3000),
            "churned": (rng.random(3000) < rate).astype(int),
        }
    )
    performance = churn.ChurnModel(random_state=0).fit(table).performance_
    assert performance["model"].tolist() == ["model", "plan"]
    assert performance["auc"].iloc[1] > 0.65


def test_the_order_of_rows_and_the_type_of_ids_have_no_say():
    table, rng = base()
    table["half"] = np.where(rng.random(600) < 0.8, table["outcome"], 1 - table["outcome"])
    expected = fitted("churn", table).columns_
    other = table.assign(customer_id=table["customer_id"].map("c{:05d}".format))
    for same in (table.sample(frac=1, random_state=1), other):
        pd.testing.assert_frame_equal(fitted("churn", same).columns_, expected)


def test_the_table_says_what_was_done_to_each_column():
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "customer_id": range(400),
            "skewed": rng.lognormal(3, 1.5, 400),
            "crossing": rng.normal(0, 1, 400) ** 3 * 10,
            "below": -rng.lognormal(3, 1.5, 400),
            "gaps": pd.Series(rng.normal(size=400)).where(rng.random(400) < 0.5),
            "town": ["A"] * 200 + ["B"] * 190 + list("cdefghijkl"),
            "day": pd.Timestamp("2025-01-01"),
            "same": 1,
            "empty": None,
        }
    )
    encoder = FeatureEncoder().fit(table)
    told = column_table(table, encoder.looked_at(table), encoder.terms).set_index("column")
    assert told["transformation"].to_dict() == {
        "skewed": "logarithm, standardised",
        "crossing": "standardised",
        "below": "logarithm, standardised",
        "gaps": "standardised",
        "town": "one column per level",
        "day": "not used: dates",
        "same": "not used: never varies",
        "empty": "not used: empty",
    }
    assert told.loc["town", ["levels", "pooled"]].tolist() == ["A, B", 10]
    assert told.loc["skewed", ["low", "high"]].tolist() == [
        table["skewed"].min(),
        table["skewed"].max(),
    ]
    assert told["missing_share"].to_dict()["empty"] == 1
    assert told.loc["gaps", "missing_share"] == table["gaps"].isna().mean()
    segments = segmentation.BehaviourSegments(n_segments=2, random_state=0).fit(table)
    pd.testing.assert_frame_equal(segments.columns_.set_index("column"), told)
