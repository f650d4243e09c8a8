"""One verdict per customer: how likely each still is one, and what is to be expected of each.

Every chapter and every list speaks of customers by what is found here, so that none is called
lost in one place and loyal in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit import clv, segmentation
from crmkit._report.pieces import Standing
from crmkit.errors import ConvergenceError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.log import PageLog
    from crmkit._report.story import Story
    from crmkit._typing import Floats

__all__ = ["ALIVE", "GONE", "SEGMENTS", "take_standing"]

# From this chance of still being a customer on one counts as such, and below that one as gone.
ALIVE, GONE = 0.7, 0.3
SEGMENTS = ("best", "regular", "once", "doubt", "gone")
# Fewer customers who came back say too little about how people differ.
LEAST_REPEATERS = 50
# Models in which whoever bought once can have left; BG/NBD holds all of them to be customers still.
_MODELS = {"MBG/NBD": clv.MBGNBD, "Pareto/NBD": clv.ParetoNBD}
_BEST = {"best": 0.2, "others": 0.8}
# Without a prior, in a small base where nobody seems to have left, all are customers for ever.
_FITTED: dict[str, Any] = {"prior": "weak", "n_draws": 0}


def take_standing(story: Story) -> Standing | str:
    """Return the standing of all customers, or the sentence that says why there is none."""
    say, settings = story.words.say, story.settings
    table = story.log.ask(clv.purchase_table, as_of=settings.as_of)
    # Some customers say where a model's few parameters lie; each customer is then judged.
    some = story.log.enough(to_learn=True)
    learned = table
    if len(some.parts) < len(story.log.parts):
        learned = some.ask(clv.purchase_table, as_of=settings.as_of)
    repeaters = int((table["frequency"] > 0).sum())
    if repeaters < LEAST_REPEATERS:
        return say("worth.too_few", n=repeaters, least=LEAST_REPEATERS)
    try:
        name, holdout, judged, comparison = _chosen(story, some)
        model = _MODELS[name](**_FITTED).fit(learned)
        spend = clv.GammaGamma(**_FITTED).fit(learned) if story.has("amount") else None
        customers = _valued(story, table, model, spend)
    except (InputError, ConvergenceError) as error:
        return say("worth.impossible", why=error)
    return Standing(customers, table, model, spend, name, holdout, judged, comparison)


def _chosen(
    story: Story, some: PageLog
) -> tuple[str, pd.DataFrame | None, Any, pd.DataFrame | None]:
    """Return the model that foresaw best what was held out; the first where nothing can be."""
    settings = story.settings
    first = next(iter(_MODELS))
    held = some.ask(
        clv.holdout_table,
        as_of=settings.split,
        horizon_days=settings.holdout_days,
        observed_until=np.datetime64(settings.as_of, "D"),
    )
    if (held["frequency"] > 0).sum() < LEAST_REPEATERS:
        return first, None, None, None
    fitted = {}
    for name, model in _MODELS.items():
        try:
            fitted[name] = model(**_FITTED).fit(held)
        except ConvergenceError:
            continue
    comparison = clv.model_comparison(held, models=fitted)
    scores = comparison.set_index("model")["holdout_log_score"].reindex(list(fitted))
    best = str(scores.idxmax()) if scores.notna().any() else first
    return best, held, fitted[best], comparison


def _valued(story: Story, table: pd.DataFrame, model: Any, spend: Any) -> pd.DataFrame:
    """Return what each customer is, and is worth, by the models."""
    settings = story.settings
    days = settings.horizon_days
    if spend is None:
        told = model.predict(table, horizon_days=days)
        told = told.assign(expected_amount=1.0, lifetime_value=told["expected_purchases"])
    else:
        told = clv.lifetime_value(
            table,
            purchases=model,
            spend=spend,
            horizon_days=days,
            annual_discount_rate=settings.annual_discount_rate,
            margin=1.0 if story.margin is None else story.margin,
        )
    away = model.purchase_probabilities(table, horizon_days=days, max_purchases=0)
    alive = told["p_alive"].to_numpy()
    worth = told["lifetime_value"].to_numpy()
    customers = told.assign(
        frequency=table["frequency"].to_numpy() + 1,
        recency_days=(table["T"] - table["recency"]).to_numpy(),
        usual_days=_usual(table),
        p_stay_away=away["p_exactly"].to_numpy(),
        # Expected purchases are those of a customer who stays times the chance to be one.
        value=np.clip(np.divide(worth, alive, out=np.zeros_like(worth), where=alive > 0), 0, None),
    )
    return customers.assign(segment=_segment(customers))


def _usual(table: pd.DataFrame) -> Floats:
    """Return the mean days between a customer's days of purchase; NaN for one of them."""
    times = table["frequency"].to_numpy(dtype=np.float64)
    span = table["recency"].to_numpy(dtype=np.float64)
    return np.divide(span, times, out=np.full(len(table), np.nan), where=times > 0)


def _segment(customers: pd.DataFrame) -> Any:
    """Name each customer's standing, by limits that hold for every shop."""
    alive = customers["p_alive"].to_numpy()
    tiers = segmentation.value_tiers(customers, value="lifetime_value", tiers=_BEST)
    return np.select(
        [
            alive < GONE,
            customers["frequency"].to_numpy() == 1,
            alive < ALIVE,
            (tiers["segment"] == "best").to_numpy(),
        ],
        ["gone", "once", "doubt", "best"],
        "regular",
    )
