"""Section on loyalty: who stays, and who is about to leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import churn
from crmkit._report.pieces import Picture, Section, Sheet, Standing
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["loyalty_section"]

# Fewer customers of either kind say too little about what sets them apart.
_LEAST_OF_EACH = 30
_QUESTION = "Who stays, and who is about to leave?"
_COLUMNS = (
    "period",
    "complete",
    "active",
    "retained",
    "new",
    "reactivated",
    "lost",
    "retention_rate",
    "conf_low",
    "conf_high",
)


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
        Sheet(
            "retention",
            retention.iloc[::-1].reset_index(drop=True),
            f"Customers by {period}, the latest first.",
            shown=6,
            columns=_COLUMNS,
        ),
    ]
    try:
        leaving = _leaving(story)
    except InputError as error:
        answer.append(f"Who is about to leave was left out: {error}")
    else:
        answer += leaving.answer
        pictures += leaving.pictures
        sheets += leaving.sheets
    sheets.append(Sheet("cohorts", cohorts, "The cohorts behind the picture.", shown=0))
    return Section("loyalty", _QUESTION, tuple(answer), tuple(pictures), tuple(sheets))


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
    past = churn.churn_table(story.transactions, as_of=settings.split, horizon_days=horizon)
    outcomes = past["churned"].value_counts()
    if len(outcomes) < 2 or outcomes.min() < _LEAST_OF_EACH:
        raise InputError(
            f"the log has fewer than {_LEAST_OF_EACH} customers that left or that stayed, too few "
            "to learn from."
        )
    rate = past["churned"].mean()
    words = (
        f"Of the customers of {story.words.day(settings.split)}, {100 * rate:.0f}% bought nothing "
        f"in the {horizon} days after it."
    )
    return Section("leaving", _QUESTION, (words, *_standing(story)), (), (_signals(past),))


def _standing(story: Story) -> list[str]:
    """Say how many of today's customers are expected to stay away."""
    if not isinstance(story.standing, Standing):
        return []
    customers = story.standing.customers
    counts = customers["segment"].value_counts()
    return [
        f"Of today's {len(customers):,} customers {customers['p_stay_away'].sum():,.0f} are "
        f"expected to buy nothing in the next {story.settings.horizon_days} days; "
        f"{counts.get('doubt', 0):,} are in doubt, {counts.get('gone', 0):,} probably gone."
    ]


def _signals(past: pd.DataFrame) -> Sheet:
    """Return the levels that tell leavers from others most clearly."""
    profile = churn.retention_profile(past, random_state=0)
    clear = profile[profile["direction"] != "as all"]
    # Of each signal the level that stands out most: the page has room for the story only.
    distance = (clear["index"] - 100).abs()
    most = distance == distance.groupby(clear["variable"], sort=False).transform("max")
    telling = clear[most].drop_duplicates("variable").reset_index(drop=True)
    telling["variable"] = telling["variable"].str.replace("_", " ")
    return Sheet(
        "leaving_signals",
        telling,
        "What marks those who left: of each signal the most telling level, in the order of what "
        "the signal tells beyond the others. An index of 100 is the rate of all customers.",
        shown=8,
        columns=("variable", "level", "customers", "churn_rate", "conf_low", "conf_high", "index"),
    )
