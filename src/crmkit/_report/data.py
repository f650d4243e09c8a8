"""Section on the data: size, period, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit._plotting import COLORS, money, new_axes, tidy
from crmkit._report.beside import UNMATCHED
from crmkit._report.cells import day
from crmkit._report.page import Picture, Section, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmkit._report.story import Story

__all__ = ["data_section"]

_REASONS = {
    "missing_customers_dropped": "rows without a customer were left out, as asked",
    "missing_dates_dropped": "rows without a date were left out, as asked",
    "missing_amounts_dropped": "rows without an amount were left out, as asked",
    "refunds_dropped": "refund rows were left out, as asked",
    "duplicates_dropped": "rows that repeat an earlier one were left out, as asked",
}


def data_section(story: Story) -> Section:
    """Describe the log: size, period, what is missing and what was left out."""
    log = story.transactions
    customers = log["customer_id"].nunique()
    first, last = log["date"].min(), log["date"].max()
    answer = [
        f"{len(log):,} rows of {customers:,} customers between {day(first)} and "
        f"{day(last)}, seen as on {day(story.settings.as_of)}."
    ]
    answer += _left_out(story)
    pictures: tuple[Picture, ...] = ()
    if story.has("amount"):
        months = _months(log)
        pictures = (
            Picture(
                _plot_months(months, story.settings.currency),
                "What was sold in each month; the first and the last month may be incomplete.",
            ),
        )
    facts = Sheet("data", _facts(story, customers), "The log in figures.", shown=20)
    return Section("data", "What data is this?", tuple(answer), pictures, (facts,))


def _left_out(story: Story) -> list[str]:
    """Say what was dropped and why, and what was found and kept."""
    door = story.door
    told = [f"{door[key]:,} {words}." for key, words in _REASONS.items() if door.get(key)]
    if story.rows_after_as_of:
        told.append(f"{story.rows_after_as_of:,} rows dated after that day were left out.")
    if door.get("duplicates_found") and not door.get("duplicates_dropped"):
        told.append(
            f"{door['duplicates_found']:,} rows repeat an earlier one in every column; they were "
            "kept, because equal order lines can be real."
        )
    if nobody := story.found.get("without_purchase"):
        told.append(f"{nobody:,} customers have refunds only: they count in sums of money alone.")
    if not told:
        told.append("Nothing was left out.")
    account = story.account
    return told + [
        f"{account[key]:,} {said}." for key, said in UNMATCHED.items() if account.get(key)
    ]


def _facts(story: Story, customers: int) -> pd.DataFrame:
    """Return the figures of the log, one per row, written out."""
    log = story.transactions
    facts = {
        "rows read": f"{story.door.get('rows_read', len(log)):,}",
        "rows used": f"{len(log):,}",
    }
    facts["customers"] = f"{customers:,}"
    orders = story.found.get("orders")
    if orders is not None:
        facts["orders"] = f"{orders:,}"
    if story.has("product"):
        facts["products"] = f"{log['product'].nunique():,}"
    if story.has("amount"):
        total = log["amount"].sum()
        refunds = log["amount"][log["amount"] < 0]
        facts["net amount"] = story.money(total)
        facts["net amount per customer"] = story.money(total / customers)
        facts["refund rows"] = f"{len(refunds):,} worth {story.money(-refunds.sum())}"
    facts["days observed"] = f"{(story.settings.as_of - log['date'].min().normalize()).days + 1:,}"
    return pd.DataFrame({"fact": list(facts), "figure": list(facts.values())})


def _months(log: pd.DataFrame) -> pd.DataFrame:
    """Return the net amount of each calendar month."""
    month = log["date"].to_numpy().astype("datetime64[M]").astype("datetime64[s]")
    return log["amount"].groupby(pd.Index(month, name="month")).sum().reset_index()


def _plot_months(months: pd.DataFrame, currency: str) -> Axes:
    """Draw net amounts by month."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    ax = tidy(new_axes(None, figsize=(7.0, 3.2)))
    wide = np.timedelta64(25, "D")
    ax.bar(months["month"].to_numpy(), months["amount"].to_numpy(), width=wide, color=COLORS[0])
    locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call, unused-ignore]
    ax.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call, unused-ignore]
    ax.xaxis.set_major_formatter(form)
    ax.yaxis.set_major_formatter(money())
    ax.set_xlabel("Month")
    ax.set_ylabel(f"Net amount{f' ({currency})' if currency else ''}")
    return ax
