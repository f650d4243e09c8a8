"""The state of the base in four figures, each with what it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit import churn
from crmkit._report.expected import reach
from crmkit._report.pieces import Figure, Standing

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["state_figures"]

# Shorter stretches say nothing about who stays.
_LEAST_DAYS = 28


def state_figures(story: Story) -> list[Figure]:
    """Return customers, money, share retained and what is expected, as far as they are known."""
    periods, days = _periods(story)
    figures = _counted(story, periods, days)
    expected = _expected(story, periods, days)
    return [*figures, expected] if expected else figures


def _periods(story: Story) -> tuple[pd.DataFrame, int]:
    """Return what happened in stretches of equal length that end today, the latest last."""
    end = story.settings.as_of
    span = story.days
    days = min(story.settings.horizon_days, span // 2)
    if days < _LEAST_DAYS:
        days = span
    after = end.to_datetime64().astype("datetime64[D]") + np.timedelta64(1, "D")
    n = min(3, span // days)
    starts = [pd.Timestamp(after - np.timedelta64(days * back, "D")) for back in range(n, -1, -1)]
    recent = story.log.since(starts[0])
    return recent.ask(churn.retention_table, period=starts, as_of=end), days


def _counted(story: Story, periods: pd.DataFrame, days: int) -> list[Figure]:
    """Return customers, money and share retained of the last stretch, beside the one before."""
    words, last = story.words, periods.iloc[-1]
    before = periods.iloc[-2] if len(periods) > 1 else None
    since = words.say("state.in_days", days=days)
    made = [
        Figure(
            "customers",
            words.say("state.customers"),
            words.number(last["active"]),
            _grown(story, last["active"], None if before is None else before["active"]),
            since,
            float(last["active"]),
            _better(last["active"], None if before is None else before["active"]),
        )
    ]
    if story.has("amount"):
        was = None if before is None else before["revenue"]
        made.append(
            Figure(
                "money",
                words.say("state.money"),
                words.money(last["revenue"]),
                _grown(story, last["revenue"], was),
                since,
                float(last["revenue"]),
                _better(last["revenue"], was),
            )
        )
    if before is not None:
        rate, was = float(last["retention_rate"]), float(before["retention_rate"])
        known = np.isfinite(was)
        points = words.say(
            "state.points", sign="+" if rate >= was else "−", points=abs(100 * (rate - was))
        )
        made.append(
            Figure(
                "retained",
                words.say("state.retained"),
                words.share(rate),
                points if known else "",
                words.say("state.of_before", low=last["conf_low"], high=last["conf_high"]),
                rate,
                _better(rate, was) if known else "",
            )
        )
    return made


def _expected(story: Story, periods: pd.DataFrame, days: int) -> Figure | None:
    """Return what today's customers will bring over the horizon, with its interval."""
    standing, words, settings = story.standing, story.words, story.settings
    if not isinstance(standing, Standing):
        return None
    money = standing.spend is not None
    people = standing.customers
    worth = people["expected_purchases"] * (people["expected_amount"] if money else 1.0)
    total = float(worth.sum())
    write = words.money if money else words.number
    note = words.say("state.from" if money else "state.from_purchases")
    limits = reach(standing, total, settings.horizon_days)
    if limits is not None:
        note += words.say("state.within", low=write(limits[0]), high=write(limits[1]))
    was = None
    if money and days == settings.horizon_days:
        was = float(periods["revenue"].iloc[-1])
    return Figure(
        "expected",
        words.say("state.expected", days=settings.horizon_days),
        words.money(total) if money else words.say("state.purchases", n=total),
        _grown(story, total, was),
        note,
        total,
        _better(total, was),
    )


def _grown(story: Story, now: float, before: float | None) -> str:
    """Say by how much a figure grew."""
    return "" if before is None or before <= 0 else story.words.change(now / before - 1)


def _better(now: float, before: float | None) -> str:
    """Tell whether a figure rose or fell."""
    return "" if before is None or now == before else "up" if now > before else "down"
