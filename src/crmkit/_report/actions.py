"""The last section: what to do next, to whom, and what is at stake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._report.page import Section, Sheet

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["actions_section"]

_QUESTION = "What to do next?"
# How many of their own usual gaps regulars must be silent to count as lapsed.
_SILENT = 3


def actions_section(story: Story) -> Section:
    """Turn the sections before into a list of actions, each with its list of customers."""
    steps: list[dict[str, Any]] = []
    sheets: list[Sheet] = []
    for action in (_keep, _win_back, _loss_makers, _second_order, _bundle):
        step = action(story)
        if step is not None:
            line, table = step
            steps.append(line)
            sheets.append(
                Sheet(line["list"], table, f"{line['action']}: the first of the list.", shown=5)
            )
    if not steps:
        return Section(
            "actions",
            _QUESTION,
            left_out="Nothing in the log calls for an action; more history would tell more.",
        )
    table = pd.DataFrame(steps)
    first = Sheet("actions", table, "What to do, for how many, and the money it is about.")
    words = (
        "Contact only customers who have agreed to be contacted, and leave a random part of each "
        "list alone: without it nobody can tell later what the action earned "
        "(crmkit.response.select_targets does both)."
    )
    return Section("actions", _QUESTION, (words,), (), (first, *sheets))


def _line(action: str, why: str, table: pd.DataFrame, at_stake: float, name: str) -> dict[str, Any]:
    """Return one row of the list of actions."""
    return {
        "action": action,
        "why": why,
        "how_many": len(table),
        "value_at_stake": at_stake,
        "list": name,
    }


def _keep(story: Story) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """List valuable customers whose risk of falling silent is high for a valuable customer."""
    if "values" not in story.found or "p_churn" not in story.found:
        return None
    values: pd.DataFrame = story.found["values"]
    scored = values[["customer_id", "lifetime_value"]].merge(
        story.found["p_churn"][["customer_id", "p_churn"]], on="customer_id"
    )
    valuable = scored[scored["lifetime_value"] >= scored["lifetime_value"].quantile(0.8)]
    table = valuable[valuable["p_churn"] >= valuable["p_churn"].quantile(0.8)]
    if table.empty:
        return None
    table = table.assign(value_at_stake=table["lifetime_value"] * table["p_churn"])
    table = _first(table, "value_at_stake")
    days = story.found["churn_horizon_days"]
    why = (
        "Among the fifth of customers worth most, the fifth likeliest to buy nothing in the next "
        f"{days} days; at stake is their value times that chance."
    )
    stake = float(table["value_at_stake"].sum())
    return _line("Keep valuable customers at risk", why, table, stake, "keep"), table


def _first(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return customers by a column, highest first, ties by id."""
    return table.sort_values([column, "customer_id"], ascending=[False, True], ignore_index=True)


def _win_back(story: Story) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """List customers who were frequent and have fallen silent."""
    segments = story.found.get("segments")
    if segments is None:
        return None
    rfm: pd.DataFrame = story.found["rfm"]
    lost = segments[segments["segment"].isin(["cannot lose", "at risk"])]
    table = rfm[rfm["customer_id"].isin(lost["customer_id"]) & (rfm["frequency"] > 1)]
    # A low score says only that others bought later; a gap far above one's own says more.
    usual = (table["last_date"] - table["first_date"]).dt.days / (table["frequency"] - 1)
    table = _first(table[table["recency_days"] > _SILENT * usual], "total_amount")
    if table.empty:
        return None
    why = (
        f"Once frequent, now silent for more than {_SILENT} times their usual gap; at stake is "
        "what they spent so far."
    )
    stake = float(table["total_amount"].sum())
    return _line("Win back lapsed regulars", why, table, stake, "win_back"), table


def _loss_makers(story: Story) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """List customers who cost more than they bring."""
    table = story.found.get("loss_makers")
    if table is None or table.empty:
        return None
    why = "They cost more than they bring: look at returns, terms and service level."
    stake = float(table["loss"].sum())
    return _line("Mend or end loss-making customers", why, table, stake, "mend"), table


def _second_order(story: Story) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """List customers with one recent order, whose second makes the difference."""
    segments = story.found.get("segments")
    if segments is None:
        return None
    rfm: pd.DataFrame = story.found["rfm"]
    fresh = segments[segments["segment"].isin(["new", "promising"])]
    table = rfm[rfm["customer_id"].isin(fresh["customer_id"]) & (rfm["frequency"] == 1)]
    if table.empty:
        return None
    table = _first(table, "total_amount")
    why = "They bought once, recently; customers who buy twice stay far more often."
    stake = float(table["total_amount"].sum())
    return _line("Win the second order", why, table, stake, "second_order"), table


def _bundle(story: Story) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """List pairs of products to offer together."""
    pairs = story.found.get("pairs")
    if pairs is None or pairs.empty:
        return None
    table = pairs.head(20)[["item_a", "item_b", "count", "lift_given_sizes"]].reset_index(drop=True)
    first = table.iloc[0]
    why = f"They meet far more often than by chance, such as {first['item_a']} and "
    why += f"{first['item_b']}."
    line = _line("Place or offer these products together", why, table, float("nan"), "bundles")
    return line, table
