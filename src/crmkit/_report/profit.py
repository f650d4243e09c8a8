"""Chapter on profit: who earns us most, and who costs more than they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit import segmentation
from crmkit._report.charts import Line, lines
from crmkit._report.pieces import Picture, Section, Sheet

if TYPE_CHECKING:
    from markupsafe import Markup

    from crmkit._report.story import Story

__all__ = ["profit_section"]


def profit_section(story: Story) -> Section:
    """Rank customers by what they brought and show who costs more than that."""
    say = story.words.say
    known = story.knows_cost
    question = say("profit.question" if known else "profit.question_sales")
    if not story.has("amount"):
        return Section("profit", question, left_out=say("profit.no_amounts"))
    profit = _profit(story)
    ranked = profit.sort_values(["profit", "customer_id"], ascending=[False, True], kind="stable")
    ranked = ranked.reset_index(drop=True)
    curve = segmentation.whale_curve(profit)
    losing = segmentation.loss_makers(profit)
    sheets = [
        Sheet(
            "profit",
            ranked if known else ranked.drop(columns="direct_cost"),
            say("profit.best" if known else "profit.best_sales"),
            shown=8,
            columns=("customer_id", "orders", "revenue", *(["profit"] if known else [])),
        )
    ]
    if known and not losing.empty:
        sheets.append(
            Sheet(
                "loss_makers",
                losing.assign(
                    cause=losing["cause"].map(story.words.word),
                    lever=losing["lever"].map(story.words.word),
                ),
                say("profit.losing"),
                shown=5,
                columns=("customer_id", "revenue", "loss", "cause", "lever", "change"),
            )
        )
    picture = Picture(_drawn(story, curve), say("profit.picture"))
    return Section(
        "profit", question, tuple(_told(story, ranked, losing)), (picture,), tuple(sheets)
    )


def _told(story: Story, ranked: pd.DataFrame, losing: pd.DataFrame) -> list[str]:
    """Say what is counted, how it is spread, and who costs more than they bring."""
    say, known = story.words.say, story.knows_cost
    total = float(ranked["profit"].sum())
    best = float(ranked["profit"].head(max(1, round(len(ranked) * 0.2))).sum())
    what = "profit" if known else "sales"
    told = [_counted(story)]
    if total > 0:
        told.append(say(f"profit.fifth_{what}", best=best, total=total, share=best / total))
    else:
        told.append(say("profit.total", total=total))
    if not known:
        told.append(say("profit.cost_unknown"))
    elif losing.empty:
        told.append(say("profit.nobody"))
    else:
        lost = float(losing["loss"].sum())
        told.append(say("profit.some", n=len(losing), share=len(losing) / len(ranked), lost=lost))
        if story.settings.acquisition_cost:
            told.append(say("profit.sunk"))
    return told


def _counted(story: Story) -> str:
    """Say what profit means here."""
    say, settings = story.words.say, story.settings
    if story.has("cost"):
        words = say("profit.by_cost")
    elif settings.margin is not None:
        words = say("profit.by_margin", margin=settings.margin)
    else:
        words = say("profit.by_amount")
    if settings.acquisition_cost:
        words += say("profit.less_acquisition", cost=settings.acquisition_cost)
    return f"{words}."


def _profit(story: Story) -> pd.DataFrame:
    """Return revenue, costs and profit per customer; winning a customer costs the same for all."""
    settings = story.settings
    pools = None
    if settings.acquisition_cost:
        total = settings.acquisition_cost * story.facts.customers
        pools = pd.DataFrame({"pool": ["acquisition"], "cost": [total], "driver": ["customers"]})
    return story.log.ask(
        segmentation.customer_profit,
        cost_pools=pools,
        margin=None if story.has("cost") else settings.margin,
        as_of=settings.as_of,
    )


def _drawn(story: Story, curve: pd.DataFrame) -> Markup:
    """Draw what the customers up to each share brought together."""
    words = story.words
    xs, ys = curve["share_of_customers"].to_numpy(), curve["cumulative_profit"].to_numpy()
    some = np.unique(np.r_[np.linspace(0, len(xs) - 1, 100).round().astype(int), ys.argmax()])
    return lines(
        [Line(words.say("profit.line"), xs[some].tolist(), ys[some].tolist(),
              words.short_money(float(ys[-1])))],
        words.say("profit.seen"),
        words.short_money,
        [(at / 5, words.whole(at / 5)) for at in range(6)],
        across=words.share,
    )  # fmt: skip
