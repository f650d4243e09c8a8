"""Section on profit: who earns us most, and who costs more than they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from crmkit import segmentation
from crmkit._report.pieces import Picture, Section, Sheet

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["NO_AMOUNTS", "profit_section"]

_QUESTION = "Who are our most profitable customers, and which lose us money?"
NO_AMOUNTS = (
    "The log holds no amounts, so this part was left out. Name the column that holds them "
    "(--amount)."
)


def profit_section(story: Story) -> Section:
    """Rank customers by what they earned and show who costs more than they bring."""
    if not story.has("amount"):
        return Section("profit", _QUESTION, left_out=NO_AMOUNTS)
    settings = story.settings
    profit = _profit(story)
    whale = segmentation.whale_curve(profit)
    ranked = profit.sort_values(["profit", "customer_id"], ascending=[False, True], kind="stable")
    total = profit["profit"].sum()
    best = ranked.head(max(1, round(len(ranked) * 0.2)))
    losing = segmentation.loss_makers(profit)
    answer = [f"Profit here is {story.earns}{_less_acquisition(story)}."]
    if total > 0:
        answer.append(
            f"The best fifth of customers earned {story.money(best['profit'].sum())} of "
            f"{story.money(total)}: {story.share(best['profit'].sum() / total)}."
        )
    else:
        answer.append(f"In total the customers earned {story.money(total)}.")
    if losing.empty and not (story.has("cost") or settings.margin or settings.acquisition_cost):
        answer.append(
            "Who loses money cannot be seen without costs: give a margin (--margin) and what it "
            "costs to win a customer (--acquisition-cost), or a column of costs (--cost)."
        )
    elif losing.empty:
        answer.append("No customer lost money.")
    else:
        answer.append(
            f"{len(losing):,} customers ({story.share(len(losing) / len(ranked))}) lost money, "
            f"together {story.money(losing['loss'].sum())}."
        )
    sheets = [
        Sheet(
            "profit",
            ranked.reset_index(drop=True),
            "The customers who earned most.",
            shown=10,
        )
    ]
    if not losing.empty:
        sheets.append(
            Sheet(
                "loss_makers",
                losing,
                "The customers who lost most, what stands out, and which change would break even.",
                shown=5,
                columns=("customer_id", "revenue", "loss", "cause", "lever", "change"),
            )
        )
    picture = Picture(
        segmentation.plot_whale_curve(whale),
        "Customers from the most to the least profitable: the line is the profit earned so far. "
        "Where it falls, customers lose money.",
    )
    return Section(
        "profit",
        _QUESTION,
        tuple(answer),
        (picture,),
        tuple(sheets),
        results={"profit": profit, "loss_makers": losing},
    )


def _less_acquisition(story: Story) -> str:
    """Say that acquisition cost is taken off, where it is given."""
    cost = story.settings.acquisition_cost
    return f" less {story.money(cost)} to win the customer" if cost else ""


def _profit(story: Story) -> pd.DataFrame:
    """Return revenue, costs and profit per customer; winning a customer costs the same for all."""
    settings, log = story.settings, story.transactions
    pools = None
    if settings.acquisition_cost:
        total = settings.acquisition_cost * log["customer_id"].nunique()
        pools = pd.DataFrame({"pool": ["acquisition"], "cost": [total], "driver": ["customers"]})
    return segmentation.customer_profit(
        log,
        cost_pools=pools,
        margin=None if story.has("cost") else settings.margin,
        as_of=settings.as_of,
    )
