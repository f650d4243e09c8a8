"""Chapter on segments: which groups there are by one verdict per customer, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit import segmentation
from crmkit._frames import column_kind
from crmkit._report.charts import Bar, bars
from crmkit._report.pieces import Picture, Section, Sheet, Standing
from crmkit._report.shelf import opened
from crmkit._report.standing import ALIVE, GONE, SEGMENTS
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["segments_section"]

# Columns of text with more levels than this are names, addresses and the like.
_LEVELS = 20


def segments_section(story: Story) -> Section:
    """Divide customers by whether they are customers still, and what they are worth."""
    words, standing = story.words, story.standing
    say = words.say
    question = say("segments.question")
    if not isinstance(standing, Standing):
        return Section("segments", question, left_out=standing)
    customers = standing.customers[["customer_id", "segment"]]
    table = _overview(story, standing)
    pictures, answer = [], [say("segments.answer", alive=ALIVE, gone=GONE)]
    if story.log.in_parts:
        answer.append(say("parts.no_potential"))
    if "share_of_amount" in table.columns:
        first: Any = table.iloc[int(table["share_of_amount"].to_numpy().argmax())]
        answer.append(
            say(
                "segments.most",
                segment=words.word(first["segment"]),
                customers=first["share_of_customers"],
                amount=first["share_of_amount"],
            )
        )
        kinds = (say("segments.of_customers"), say("segments.of_amount"))
        rows = [
            Bar(words.word(name), (words.share(size), words.share(money)), (size, money))
            for name, size, money in table[
                ["segment", "share_of_customers", "share_of_amount"]
            ].to_numpy().tolist()
        ]  # fmt: skip
        pictures = [Picture(bars(rows, say("segments.seen"), kinds), say("segments.picture"))]
    shown = table.assign(
        strategy=[say(f"segments.{name}") for name in table["segment"]],
        segment=table["segment"].map(words.word),
    )
    sheets = [
        Sheet("segments_told", shown, say("segments.table"), columns=(
            "segment", "customers", "share_of_customers", "total_amount", "share_of_amount",
            "mean_recency_days", "value", "strategy"), kept=False),
        Sheet("segments", table, "", 0),
    ]  # fmt: skip
    sheets += _scores(story)
    profile = _profile(story, customers)
    if profile is not None:
        sheets.append(profile)
    sheets.append(Sheet("customers", standing.customers, "", 0))
    sheets += _potential(story)
    return Section("segments", question, tuple(answer), tuple(pictures), tuple(sheets))


def _overview(story: Story, standing: Standing) -> pd.DataFrame:
    """Return size, money and expected value of each segment, in their order."""
    rfm = opened(story.found["rfm"])
    worth = standing.customers[["customer_id", "segment", "lifetime_value"]]
    people = rfm.merge(worth, on="customer_id")
    money = "total_amount" in people.columns
    table = segmentation.segment_overview(
        people.drop(columns=["segment"]),
        people[["customer_id", "segment"]],
        value="lifetime_value" if money else None,
    )
    place = table["segment"].map({name: at for at, name in enumerate(SEGMENTS)})
    return (
        table.loc[place.sort_values().index]
        .drop(columns="strategy", errors="ignore")
        .reset_index(drop=True)
    )


def _scores(story: Story) -> list[Sheet]:
    """Return the usual scores from 1 to 5, which rank customers and judge nobody."""
    rfm = opened(story.found["rfm"])
    if not story.has("amount"):
        return []
    scores = segmentation.rfm_scores(rfm)
    return [Sheet("rfm", rfm.merge(scores, on="customer_id"), "", 0)]


def _profile(story: Story, segments: pd.DataFrame) -> Sheet | None:
    """Tell in what the groups differ most, by the columns of the customer table."""
    people = story.customers
    if people is None:
        return None
    columns = [
        column
        for column in people.columns
        if column not in ("customer_id", "segment")
        and column_kind(people[column]) in ("numbers", "flags", "levels")
        and (column_kind(people[column]) != "levels" or people[column].nunique() <= _LEVELS)
    ]
    if not columns:
        return None
    # The page tells in its chapter on data how many of the log the table lacks.
    known = segments[segments["customer_id"].isin(people["customer_id"])]
    table = segmentation.segment_profile(people, known, columns=columns)
    strongest = table["effect_size"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[strongest].reset_index(drop=True)
    table["segment"] = table["segment"].map(story.words.word)
    return Sheet(
        "segment_profile",
        table,
        story.words.say("segments.profile"),
        columns=("segment", "variable", "level", "customers", "estimate", "base", "index",
                 "effect_size"),
    )  # fmt: skip


def _potential(story: Story) -> list[Sheet]:
    """Return what customers could earn beyond the present, where the log is long enough to say."""
    settings = story.settings
    # Potentials compare all customers with one another.
    if not story.has("amount") or story.log.in_parts:
        return []
    try:
        table = story.log.ask(
            segmentation.potential_table,
            margin=None if story.has("cost") else settings.margin,
            horizon_days=settings.horizon_days,
            as_of=settings.as_of,
        )
    except InputError:
        return []
    return [Sheet("potential", table, "", 0)]
