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
    members = rfm.merge(segments[["customer_id", "segment"]], on="customer_id")
    table = _by_segment(members)
    first = table.iloc[0]
    answer = [
        "Customers are scored from 1 to 5 on how recently, how often and for how much they "
        "bought, and named by recency and frequency.",
        f"The group that brought most is {first['segment']}: "
        f"{story.share(first['share_of_customers'])} of customers, "
        f"{story.share(first['share_of_amount'])} of the money.",
    ]
    pictures = [
        Picture(
            segmentation.plot_rfm_heatmap(segmentation.rfm_cells(scores, rfm), measure="customers"),
            "How many customers have each score of recency (up: more recent) and frequency "
            "(right: more often). Empty rows or columns mean that too many customers are equal "
            "to be told apart.",
        )
    ]
    sheets = [
        Sheet(
            "segments",
            table,
            "The groups, by what they brought, and what to do.",
            columns=(
                "segment",
                "customers",
                "share_of_customers",
                "total_amount",
                "share_of_amount",
                "mean_recency_days",
                "what_to_do",
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
                "The four groups of the value matrix and the strategy for each.",
            )
        )
        sheets.append(Sheet("value_matrix", matrix, "Each customer's place in the matrix.", 0))
        results["value_matrix"] = matrix
    return Section(
        "segments", _QUESTION, tuple(answer), tuple(pictures), tuple(sheets), results=results
    )


def _by_segment(members: pd.DataFrame) -> pd.DataFrame:
    """Return size, money and strategy per group, by money."""
    groups = members.groupby("segment", observed=True)
    table = groups.agg(
        customers=("customer_id", "size"),
        total_amount=("total_amount", "sum"),
        mean_frequency=("frequency", "mean"),
        mean_recency_days=("recency_days", "mean"),
    ).reset_index()
    table.insert(2, "share_of_customers", table["customers"] / table["customers"].sum())
    table.insert(4, "share_of_amount", table["total_amount"] / table["total_amount"].sum())
    maps = segmentation.segment_maps()
    strategy = maps[maps["segment_map"] == "standard"].set_index("segment")["strategy"]
    table["what_to_do"] = table["segment"].map(strategy)
    return table.sort_values("total_amount", ascending=False, ignore_index=True)


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
    groups = matrix.groupby(["segment", "strategy"], observed=True)
    table = groups.agg(
        customers=("customer_id", "size"),
        current_profit=("current", "sum"),
        future_value=("potential", "sum"),
    ).reset_index()
    table.insert(3, "share_of_customers", table["customers"] / table["customers"].sum())
    table["strategy"] = table.pop("strategy")
    return table.sort_values("future_value", ascending=False, ignore_index=True)
