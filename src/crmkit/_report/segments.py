"""Section on segments: which groups there are, and what to do for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import segmentation
from crmkit._report.page import Picture, Section, Sheet
from crmkit._report.profit import NO_AMOUNTS

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["segments_section"]

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
    if "values" in story.found:
        matrix = _value_matrix(story)
        pictures.append(
            Picture(
                segmentation.plot_value_matrix(matrix),
                "Each customer by profit so far (across) and value expected in future (up); the "
                "lines stand at the mean of each.",
            )
        )
        sheets.append(
            Sheet(
                "value_matrix_groups",
                _by_quadrant(matrix),
                "The groups of the value matrix and the strategy for each.",
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
        results["value_matrix"] = matrix
    return Section(
        "segments", _QUESTION, tuple(answer), tuple(pictures), tuple(sheets), results=results
    )


def _value_matrix(story: Story) -> pd.DataFrame:
    """Place each customer by profit so far and value expected in future."""
    profit: pd.DataFrame = story.found["profit"]
    values: pd.DataFrame = story.found["values"]
    both = profit[["customer_id", "profit"]].merge(
        values[["customer_id", "lifetime_value"]], on="customer_id"
    )
    return segmentation.value_matrix(both, potential="lifetime_value")


def _by_quadrant(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return size, money and strategy per quadrant."""
    return segmentation.segment_overview(
        matrix[["customer_id", "current", "potential"]], matrix, profit="current", value="potential"
    )
