"""Section on loyalty: who stays, and who is about to leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from crmkit import churn
from crmkit._report.page import Picture, Section, Sheet
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["loyalty_section"]

_QUESTION = "Who stays, and who is about to leave?"


def loyalty_section(story: Story) -> Section:
    """Tell retention by month and cohort, and who is likely to be silent from now on."""
    log, as_of = story.transactions, story.settings.as_of
    months = (as_of - log["date"].min()).days / 30.4
    period = "month" if months <= 30 else "quarter"
    retention = churn.retention_table(log, period=period, as_of=as_of)
    cohorts = churn.cohort_table(log, period=period, as_of=as_of)
    answer = [_rhythm(retention, period)]
    pictures = [
        Picture(
            churn.plot_retention(retention),
            f"Customers active in each {period}: those who stayed, came back or were new; below "
            "the line those who did not return.",
        )
    ]
    if cohorts["cohort"].nunique() > 1:
        pictures.append(
            Picture(
                churn.plot_cohorts(cohorts),
                f"Of the customers who began in a {period} (row), the share that bought again "
                "after so many periods (column). Cells that lie in the future are empty.",
            )
        )
    sheets = [
        Sheet("retention", retention, f"Customers by {period}.", shown=6),
    ]
    results = {}
    try:
        leaving = _leaving(story)
    except InputError as error:
        answer.append(f"Who is about to leave was left out: {error}")
    else:
        answer += leaving.answer
        pictures += leaving.pictures
        sheets += leaving.sheets
        results = dict(leaving.results)
    sheets.append(Sheet("cohorts", cohorts, "The cohorts behind the picture.", shown=3))
    return Section(
        "loyalty", _QUESTION, tuple(answer), tuple(pictures), tuple(sheets), results=results
    )


def _rhythm(retention: pd.DataFrame, period: str) -> str:
    """Say in one sentence how many stay from one period to the next."""
    known = retention[retention["complete"] & retention["retention_rate"].notna()]
    if known.empty:
        return f"The log covers no two whole {period}s, so no retention rate can be given."
    recent = known.tail(6)
    stayed = recent["retained"].sum() / max((recent["retained"] + recent["lost"]).sum(), 1)
    return (
        f"Over the last {len(recent)} whole {period}s, {100 * stayed:.0f}% of the customers active "
        f"in one {period} were active in the next."
    )


def _leaving(story: Story) -> Section:
    """Learn who fell silent in the recent past and score today's customers with it."""
    settings = story.settings
    horizon = settings.holdout_days
    before = settings.as_of - pd.Timedelta(days=horizon)
    past = churn.churn_table(story.transactions, as_of=before, horizon_days=horizon)
    if past["churned"].nunique() < 2 or len(past) < 100:
        raise InputError(
            "the log has too few customers, or none that stayed or none that left, to learn from."
        )
    model = churn.ChurnModel(random_state=0).fit(past)
    now = churn.churn_table(story.transactions, as_of=settings.as_of)
    scores = model.predict(now)
    gains = churn.gains_table(past, model.scores_)
    top = gains.iloc[0]
    rate = past["churned"].mean()
    words = (
        f"A model learned from the customers of {before:%d %B %Y} and what they did in the "
        f"{horizon} days after it, in which {100 * rate:.0f}% bought nothing. On customers it had "
        f"not seen, the tenth it thought likeliest to leave left in {100 * top['rate']:.0f}% of "
        f"cases."
    )
    expected = (
        f"Of today's {len(now):,} customers it expects {scores['p_churn'].sum():,.0f} to buy "
        f"nothing in the next {horizon} days."
    )
    return Section(
        "leaving",
        _QUESTION,
        (words, expected),
        (
            Picture(
                churn.plot_gains(gains),
                "If customers are called in the order of their score, the share of all leavers "
                "that is reached; the straight line is calling at random.",
            ),
        ),
        (),
        results={"p_churn": scores, "churn_horizon_days": horizon},
    )
