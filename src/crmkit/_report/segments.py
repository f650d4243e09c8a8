"""Section on segments: which groups there are, and what to do for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import segmentation
from crmkit._frames import column_kind
from crmkit._report.pieces import Picture, Section, Sheet
from crmkit._report.profit import NO_AMOUNTS
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["segments_section"]

# Columns of text with more levels than this are names, addresses and the like.
_LEVELS = 20
_QUESTION = "Which groups of customers are there, and what to do for each?"


def segments_section(story: Story) -> Section:
    """Divide customers by recency, frequency and value, and by value now and to come."""
    if not story.has("amount"):
        return Section("segments", _QUESTION, left_out=NO_AMOUNTS)
    rfm = segmentation.rfm_table(story.transactions, as_of=story.settings.as_of)
    scores = segmentation.rfm_scores(rfm)
    segments = segmentation.rfm_segments(scores)
    table = segmentation.segment_overview(rfm, segments)
    cells = segmentation.segment_overview(rfm, scores, by=["recency_score", "frequency_score"])
    first = table.sort_values("total_amount", ascending=False).iloc[0]
    answer = [
        "Customers are scored from 1 to 5 on how recently, how often and for how much they "
        "bought, and named by recency and frequency.",
        f"The group that brought most is {first['segment']}: "
        f"{story.share(first['share_of_customers'])} of customers, "
        f"{story.share(first['share_of_amount'])} of the money.",
    ]
    pictures = [
        Picture(
            segmentation.plot_rfm_heatmap(cells, measure="customers"),
            "How many customers have each score of recency (up: more recent) and frequency "
            "(right: more often). Empty rows or columns mean that too many customers are equal "
            "to be told apart.",
        )
    ]
    sheets = [
        Sheet(
            "segments",
            table,
            "The groups, by what a customer brought, and what to do.",
            columns=(
                "segment",
                "customers",
                "share_of_customers",
                "total_amount",
                "share_of_amount",
                "mean_amount",
                "mean_recency_days",
                "strategy",
            ),
        )
    ]
    results = {"segments": segments, "rfm": rfm}
    profile = _profile(story, segments)
    if profile is not None:
        sheets.append(profile)
    potential = _potential(story)
    if potential is not None:
        matrix = segmentation.value_matrix(_beside(story.found["profit"], potential))
        days = story.settings.horizon_days
        answer.append(_told(potential, days))
        pictures.append(
            Picture(
                segmentation.plot_value_matrix(matrix),
                "Each customer by profit so far (across) and what it could earn beyond that in "
                f"{days} days (up); the lines stand at the mean of each.",
            )
        )
        sheets.append(
            Sheet(
                "value_matrix_groups",
                _by_quadrant(matrix),
                "The groups of the value matrix: profit so far, what they could earn beyond it "
                "(value), and the strategy for each.",
                columns=(
                    "segment",
                    "customers",
                    "share_of_customers",
                    "profit",
                    "value",
                    "strategy",
                ),
            )
        )
        sheets.append(Sheet("value_matrix", matrix, "Each customer's place in the matrix.", 0))
        sheets.append(Sheet("potential", potential, "What each customer could earn, by what.", 0))
        results["value_matrix"] = matrix
    return Section(
        "segments", _QUESTION, tuple(answer), tuple(pictures), tuple(sheets), results=results
    )


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
    # The page tells in its head how many of the log the table lacks.
    known = segments[segments["customer_id"].isin(people["customer_id"])]
    table = segmentation.segment_profile(people, known, columns=columns)
    strongest = table["effect_size"].abs().sort_values(ascending=False, kind="stable").index
    return Sheet(
        "segment_profile",
        table.loc[strongest].reset_index(drop=True),
        "In what the groups differ from all others, by the table of customers: the strongest "
        "first. An index of 100 is the average; an effect size of 0.2 is small, 0.8 large.",
        columns=(
            "segment",
            "variable",
            "level",
            "customers",
            "estimate",
            "base",
            "index",
            "effect_size",
        ),
    )


def _potential(story: Story) -> pd.DataFrame | None:
    """Return what customers could earn in a horizon; nothing where the log is too short to say."""
    settings = story.settings
    try:
        return segmentation.potential_table(
            story.transactions,
            margin=None if story.has("cost") else settings.margin,
            horizon_days=settings.horizon_days,
            as_of=settings.as_of,
        )
    except InputError:
        return None


def _beside(profit: pd.DataFrame, potential: pd.DataFrame) -> pd.DataFrame:
    """Return profit with potential; who only gave back has none, and belongs to those who lose."""
    told = potential[["customer_id", "potential"]]
    return profit.merge(told, on="customer_id", how="left").fillna({"potential": 0.0})


def _told(potential: pd.DataFrame, days: int) -> str:
    """Say how potential was reckoned, and whether it foretold what came in the past."""
    account = potential.attrs["account"]
    how = {
        "reach": "what the best half of customers who stood alike went on to bring",
        "white_space": "what customers who buy alike buy and this one does not",
    }[account["method"]]
    sentence = f"What a customer could earn us in {days} days beyond its present profit is {how}."
    tested = account["backtest_verdict"]
    if tested.startswith("yes"):
        return (
            f"{sentence} On the last {account['backtest_days']} days of the log it foretold who "
            "would bring more than customers of equal profit."
        )
    return f"{sentence} It did not foretell growth in the past ({tested}): take it as a guess."


def _by_quadrant(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return size, money and strategy per quadrant."""
    return segmentation.segment_overview(
        matrix[["customer_id", "current", "potential"]], matrix, profit="current", value="potential"
    )
