"""Chapter on loyalty: who stays, who leaves, and what marks those who left, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit import churn
from crmkit._report.charts import Line, columns, lines
from crmkit._report.pieces import Picture, Section, Sheet, Standing
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.language import Language
    from crmkit._report.story import Story

__all__ = ["loyalty_section"]

# Fewer customers of either kind say too little about what sets them apart.
_LEAST_OF_EACH = 30
_REASONS = 5
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"
_COLUMNS = (
    *("period", "active", "retained", "new", "reactivated", "lost"),
    *("retention_rate", "conf_low", "conf_high"),
)


def loyalty_section(story: Story) -> Section:
    """Tell retention by period, how many are expected to stay away, and what marks leavers."""
    say, log, as_of = story.words.say, story.log, story.settings.as_of
    period = "month" if story.days / 30.4 <= 30 else "quarter"
    retention = log.ask(churn.retention_table, period=period, as_of=as_of)
    cohorts = log.ask(churn.cohort_table, period=period, as_of=as_of)
    answer = [_rhythm(story, retention, period), *_standing(story)]
    sheets = [
        Sheet(
            "retention",
            retention.iloc[::-1].reset_index(drop=True),
            say(f"loyalty.table_{period}"),
            shown=6,
            columns=_COLUMNS,
        ),
        Sheet("cohorts", cohorts, "", 0),
    ]
    try:
        reasons, signals = _signals(story)
    except InputError:
        answer.append(say("loyalty.few", least=_LEAST_OF_EACH))
    else:
        answer += reasons
        sheets.append(signals)
    pictures = _pictures(story, retention, period)
    return Section("loyalty", say("loyalty.question"), tuple(answer), pictures, tuple(sheets))


def _rhythm(story: Story, retention: pd.DataFrame, period: str) -> str:
    """Say in one sentence how many stay from one period to the next."""
    known = retention[retention["complete"] & retention["retention_rate"].notna()]
    if known.empty:
        return story.words.say(f"loyalty.no_{period}")
    recent = known.tail(6)
    stayed = recent["retained"].sum() / max((recent["retained"] + recent["lost"]).sum(), 1)
    return story.words.say(f"loyalty.stayed_{period}", n=len(recent), stayed=stayed)


def _standing(story: Story) -> list[str]:
    """Say how many of today's customers are expected to stay away."""
    if not isinstance(story.standing, Standing):
        return []
    customers = story.standing.customers
    counts = customers["segment"].value_counts()
    return [
        story.words.say(
            "loyalty.today",
            n=len(customers),
            away=customers["p_stay_away"].sum(),
            days=story.settings.horizon_days,
            doubt=int(counts.get("doubt", 0)),
            gone=int(counts.get("gone", 0)),
        )
    ]


def _pictures(story: Story, retention: pd.DataFrame, period: str) -> tuple[Picture, ...]:
    """Draw how many were active in each period, and the share that stayed."""
    words, say = story.words, story.words.say
    labels = [words.month(day) for day in retention["period"]]
    whole = retention["complete"].to_numpy()
    active = Picture(
        columns(
            labels,
            retention["active"].astype(float).tolist(),
            say(f"loyalty.seen_active_{period}"),
            words.short,
            (~whole).tolist(),
        ),
        say(f"loyalty.active_{period}"),
    )
    rates = retention["retention_rate"].where(retention["complete"]).to_numpy()
    known = np.flatnonzero(np.isfinite(rates))
    if known.size < 2:
        return (active,)
    rate = Picture(
        lines(
            [Line(say("loyalty.line"), known.tolist(), rates[known].tolist(),
                  words.share(rates[known[-1]]))],
            say(f"loyalty.seen_rate_{period}"),
            words.whole,
            [(int(at), labels[at]) for at in (known[0], known[known.size // 2], known[-1])],
            across=lambda at: labels[int(at)],
        ),
        say(f"loyalty.rate_{period}"),
    )  # fmt: skip
    return active, rate


def _rounded(words: Language, level: object) -> str:
    """Write a level as the language does, its limits with three figures."""
    told = words.word(level)
    if not re.fullmatch(f"{_NUMBER}(?: to {_NUMBER})?", told):
        return told
    return words.say("loyalty.between").join(
        words.number(float(limit)) for limit in told.split(" to ")
    )


def _signals(story: Story) -> tuple[list[str], Sheet]:
    """Say what marked those who fell silent, by what was known of them before."""
    words, settings = story.words, story.settings
    horizon = settings.holdout_days
    some = story.log.enough()
    past = some.ask(churn.churn_table, as_of=settings.split, horizon_days=horizon)
    outcomes = past["churned"].value_counts()
    if len(outcomes) < 2 or outcomes.min() < _LEAST_OF_EACH:
        raise InputError("too few customers that left or that stayed")
    profile = churn.retention_profile(past, random_state=0)
    clear = profile[(profile["direction"] != "as all") & (profile["index"] > 100)]
    # Of each signal the level that most left of: the page has room for the story only.
    rates = clear["churn_rate"]
    most = rates == rates.groupby(clear["variable"], sort=False).transform("max")
    telling = clear[most].drop_duplicates("variable")
    # What is not known of all who bought once says no more than that: such marks are told once.
    telling = (
        telling.assign(unknown=telling["level"] == "(missing)")
        .sort_values("unknown", kind="stable")
        .drop_duplicates(["customers", "churn_rate"])
        .sort_index(ignore_index=True)
        .drop(columns="unknown")
    )
    rate = float(past["churned"].mean())
    told = [words.say("loyalty.why", split=settings.split, rate=rate, days=horizon)]
    told += story.on_some(some)
    rows: Any = telling.head(_REASONS).itertuples()
    for row in rows:
        mark = words.mark(row.variable, _rounded(words, row.level))
        told.append(words.say("loyalty.reason", mark=mark, rate=row.churn_rate, n=row.customers))
    named = telling.assign(
        variable=telling["variable"].map(words.heading),
        level=[_rounded(words, level) for level in telling["level"]],
    )
    sheet = Sheet(
        "leaving_signals",
        named,
        words.say("loyalty.signals"),
        shown=8,
        columns=("variable", "level", "customers", "churn_rate", "conf_low", "conf_high", "index"),
    )
    return told, sheet
