"""Chapter on worth: what customers will bring, and how well that could be foreseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit import clv
from crmkit._report.charts import Bar, Line, bars, lines
from crmkit._report.pieces import Picture, Section, Sheet, Standing

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["worth_section"]


def worth_section(story: Story) -> Section:
    """Say how the model was chosen and how it did, then what every customer is worth by it."""
    words, standing = story.words, story.standing
    say = words.say
    question = say("worth.question")
    if not isinstance(standing, Standing):
        return Section("worth", question, left_out=standing)
    judged = _judged(story, standing)
    if standing.spend is None:
        total = standing.customers["expected_purchases"].sum()
        days = story.settings.horizon_days
        answer = (*judged.answer, say("worth.purchases", n=total, days=days))
        sheet = Sheet(
            "expected_purchases",
            _ranked(standing.customers, "expected_purchases"),
            say("worth.most_purchases"),
            shown=10,
            columns=("customer_id", "segment", "p_alive", "expected_purchases"),
        )
        return Section("worth", question, answer, judged.pictures, (*judged.sheets, sheet))
    equity = _equity(story, standing)
    values = clv.lifetime_value(standing.table, interval="delta", **_options(story, standing))
    values.insert(1, "segment", [words.word(name) for name in standing.customers["segment"]])
    best = Sheet(
        "lifetime_value",
        _ranked(values, "lifetime_value"),
        say("worth.best"),
        shown=10,
        columns=("customer_id", "segment", "p_alive", "expected_purchases", "expected_amount",
                 "lifetime_value", "conf_low", "conf_high"),
    )  # fmt: skip
    sheets = (best, Sheet("customer_equity", equity, "", 0), *judged.sheets)
    answer = (*_told(story, values, equity), *judged.answer)
    return Section("worth", question, answer, judged.pictures, sheets)


def _options(story: Story, standing: Standing) -> dict[str, Any]:
    """Return what value is reckoned with."""
    settings = story.settings
    return {
        "purchases": standing.purchases,
        "spend": standing.spend,
        "horizon_days": settings.horizon_days,
        "annual_discount_rate": settings.annual_discount_rate,
        "margin": 1.0 if story.margin is None else story.margin,
    }


def _equity(story: Story, standing: Standing) -> pd.DataFrame:
    """Return the value of the base as a whole."""
    return clv.customer_equity(standing.table, **_options(story, standing))


def _judged(story: Story, standing: Standing) -> Section:
    """Say which model foresaw best what was held out, and by how much it missed."""
    say, settings = story.words.say, story.settings
    held = standing.holdout
    if held is None or standing.comparison is None:
        told = say("worth.unjudged", model=standing.name)
        return Section("judged", "", (told, *story.on_some(story.log.enough(to_learn=True))))
    days, split = settings.holdout_days, settings.split
    line: Any = standing.comparison.set_index("model").loc[standing.name]
    words = say(
        "worth.judged",
        model=standing.name,
        split=split,
        days=days,
        expected=line["expected_total"],
        actual=line["actual_total"],
        bias=story.words.change(float(line["bias"])),
    )
    forecast = standing.judged.predict(held, horizon_days=days)
    calibration = clv.forecast_table(held, forecast)
    some = story.log.enough(to_learn=True)
    tracking = some.ask(
        clv.tracking_table,
        purchases=standing.judged,
        as_of=split,
        period_days=max(7, days // 26),
    )
    return Section(
        "judged",
        "",
        (
            words,
            *_warned(story, tracking.attrs["account"]),
            *story.on_some(some),
        ),
        (_tracked(story, tracking), _foretold(story, calibration)),
        (
            Sheet(
                "models",
                standing.comparison.assign(
                    model=standing.comparison["model"].map(story.words.word)
                ),
                say("worth.models"),
                columns=("model", "holdout_log_score", "mean_absolute_error", "expected_total",
                         "actual_total"),
            ),
            Sheet("holdout", calibration, "", 0),
        ),
    )  # fmt: skip


def _warned(story: Story, account: dict[str, Any]) -> list[str]:
    """Say what about the base no model of this kind can follow."""
    told = {
        "split": story.settings.split,
        "shared": account["largest_share_of_rows"],
        "season": account["season"],
        "drift": story.words.change(account["drift"]),
    }
    return [story.words.say(f"worth.warned_{name}", **told) for name in account["warnings"]]


def _tracked(story: Story, tracking: pd.DataFrame) -> Picture:
    """Draw what was bought and what the model expected, before and after it had learned."""
    words, say = story.words, story.words.say
    at = tracking.index.to_numpy()
    some = np.unique(np.linspace(0, len(at) - 1, min(len(at), 120)).round().astype(int))
    drawn = [
        Line(
            say(f"worth.{name}"),
            at[some].tolist(),
            tracking[f"{name}_cumulative"].to_numpy(dtype=float)[some].tolist(),
            words.short(float(tracking[f"{name}_cumulative"].iloc[-1])),
        )
        for name in ("actual", "expected")
    ]
    held = np.flatnonzero(tracking["holdout"].to_numpy(dtype=bool))
    mark = (float(held[0]), say("worth.learned")) if held.size else None
    ends = tracking["period_end"]
    ticks = [
        (int(place), words.month(ends.iloc[place])) for place in (0, len(at) // 2, len(at) - 1)
    ]
    return Picture(
        lines(
            drawn,
            say("worth.seen_tracking"),
            words.short,
            ticks,
            mark=mark,
            across=lambda at: words.month(ends.iloc[int(at)]),
        ),
        say("worth.tracking"),
    )


def _foretold(story: Story, calibration: pd.DataFrame) -> Picture:
    """Draw expected and actual purchases of customers who had bought as often."""
    words, say = story.words, story.words.say
    pairs = calibration[["expected_mean", "actual_mean"]].to_numpy(dtype=float)
    most = float(pairs.max()) or 1.0
    rows = [
        Bar(
            say("worth.group", group=group, n=n),
            (words.number(expected), words.number(actual)),
            (expected / most, actual / most),
        )
        for group, n, (expected, actual) in zip(
            calibration["group"], calibration["customers"], pairs.tolist(), strict=True
        )
    ]
    kinds = (say("worth.expected"), say("worth.actual"))
    return Picture(bars(rows, say("worth.seen_forecast"), kinds), say("worth.forecast"))


def _told(story: Story, values: pd.DataFrame, equity: pd.DataFrame) -> list[str]:
    """Say what the base is worth and how it is spread."""
    base = equity.iloc[0]
    total = float(base["lifetime_value"])
    best = float(values["lifetime_value"].nlargest(max(1, len(values) // 10)).sum())
    what = "sales" if story.margin is None else "profit"
    return [
        story.words.say(
            f"worth.{what}",
            days=story.settings.horizon_days,
            n=len(values),
            total=total,
            low=base["conf_low"],
            high=base["conf_high"],
            rate=story.settings.annual_discount_rate,
            each=total / len(values),
        ),
        story.words.say("worth.spread", share=best / total if total else 0.0),
        story.words.say("worth.reach"),
    ]


def _ranked(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return customers by a column, highest first, ties by id."""
    return table.sort_values(
        [column, "customer_id"], ascending=[False, True], kind="stable", ignore_index=True
    )
