"""Chapter on fit: whether this is a business for customer relations online, by four conditions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit import churn, segmentation
from crmkit._report.charts import Bar, bars
from crmkit._report.pieces import Picture, Section, Sheet
from crmkit._report.shelf import opened
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["fit_section"]

# What counts as favourable, and below what as unfavourable: rules of thumb, told on the page.
_LIMITS = {
    "frequency": (3.0, 1.5),
    "difference": (0.5, 0.3),
    "attraction": (0.4, 0.2),
    "margin": (0.3, 0.1),
}
_LONGEST, _LEAST = 365, 30


def fit_section(story: Story) -> Section:
    """Measure how often customers buy, how they differ, whether they return, and what is earned."""
    words = story.words
    measured = {
        "frequency": _frequency(story),
        "difference": _difference(story),
        "attraction": _attraction(story),
        "margin": math.nan if story.margin is None else story.margin,
    }
    verdicts = {name: _verdict(name, value) for name, value in measured.items()}
    texts = {
        name: words.say(
            f"fit.{name}_figure" if math.isfinite(value) else "fit.unknown", value=value
        )
        for name, value in measured.items()
    }
    table = pd.DataFrame(
        {
            "condition": [words.say(f"fit.{name}") for name in measured],
            "measured": list(texts.values()),
            "limit": [
                words.say(f"fit.{name}_limit", good=_LIMITS[name][0], poor=_LIMITS[name][1])
                for name in measured
            ],
            "verdict": [words.word(verdict) for verdict in verdicts.values()],
        }
    )
    good = sum(verdict == "favourable" for verdict in verdicts.values())
    known = sum(verdict != "not known" for verdict in verdicts.values())
    chart = bars(
        [
            Bar(
                words.say(f"fit.{name}"),
                (texts[name],),
                (measured[name] / (2 * _LIMITS[name][0]),),
            )
            for name in measured
            if math.isfinite(measured[name])
        ],
        words.say("fit.seen"),
    )
    return Section(
        "fit",
        words.say("fit.question"),
        (
            words.say("fit.answer", good=good, known=known),
            words.say("fit.why"),
        ),
        (Picture(chart, words.say("fit.picture")),),
        (Sheet("fit", table, words.say("fit.table")),),
    )


def _verdict(name: str, value: float) -> str:
    """Return what a figure says by the limits."""
    good, poor = _LIMITS[name]
    if not math.isfinite(value):
        return "not known"
    return "favourable" if value >= good else "unfavourable" if value < poor else "in between"


def _stretch(story: Story) -> int:
    """Return the days looked at: a year, or half the history."""
    return max(1, min(_LONGEST, story.days // 2))


def _frequency(story: Story) -> float:
    """Return orders a year of those who bought in the last year, or in half the history."""
    days = _stretch(story)
    if story.days < _LEAST:
        return math.nan
    since = story.settings.as_of - np.timedelta64(days - 1, "D")
    try:
        table = story.log.ask(segmentation.rfm_table, since=since, as_of=story.settings.as_of)
    except InputError:  # there may be no purchase in it
        return math.nan
    return float(table["frequency"].mean()) * 365 / days


def _difference(story: Story) -> float:
    """Return the share of all sales, or orders, that the best fifth of customers brought."""
    value = "total_amount" if story.has("amount") else "frequency"
    rfm = opened(story.found["rfm"])
    if not rfm[value].sum() > 0:
        return math.nan
    curve = segmentation.whale_curve(rfm, value=value)
    share = np.interp(0.2, curve["share_of_customers"], curve["cumulative_profit"])
    return float(share / rfm[value].sum())


def _attraction(story: Story) -> float:
    """Return the share of new customers who came back within a year, or half the history."""
    days = _stretch(story)
    if days < _LEAST:
        return math.nan
    try:
        new = story.log.ask(
            churn.acquisition_table,
            as_of=story.settings.as_of,
            window_days=days,
            retained_days=days - 1,
        )
    except InputError:
        return math.nan
    return float(new["retained"].mean())
