"""Section on the data: size, period, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit._plotting import COLORS, money, new_axes, plain, tidy
from crmkit._report.beside import UNMATCHED
from crmkit._report.pieces import Picture, Section, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmkit._report.story import Story

__all__ = ["data_section"]

_REASONS = {
    "missing_customers": "rows without a customer",
    "missing_dates": "rows without a date",
    "unreadable_dates": "rows whose date cannot be read",
    "missing_amounts": "rows without an amount",
    "refunds": "refund rows",
    "duplicates": "rows that repeat an earlier one",
}
_SUSPICIONS = {
    "blank_id_rows": "rows have a blank for a customer id",
    "missing_word_id_rows": "rows have a word such as NULL for a customer id",
    "spaced_ids": "customer ids have blanks around them",
    "alike_ids": "customer ids differ from another one by blanks or case only",
    "ids_of_two_kinds": "customer ids stand as text and as a number too",
}


def data_section(story: Story) -> Section:
    """Describe the log: size, period, what is missing and what was left out."""
    log = story.transactions
    customers = log["customer_id"].nunique()
    first, last = log["date"].min(), log["date"].max()
    answer = [
        f"{len(log):,} rows of {customers:,} customers between {story.words.day(first)} and "
        f"{story.words.day(last)}, seen as on {story.words.day(story.settings.as_of)}."
    ]
    answer += _left_out(story)
    pictures: tuple[Picture, ...] = ()
    if story.has("amount"):
        months = _months(log)
        pictures = (
            Picture(
                _plot_months(months, story.words.currency),
                "What was sold in each month; the first and the last month may be incomplete.",
            ),
        )
    facts = Sheet("data", _facts(story, customers), "The log in figures.", shown=20)
    sheets = [facts]
    if how := story.account.get("how_read"):
        sheets.append(Sheet("how_read", pd.DataFrame(how), "How the file was read.", shown=40))
    return Section("data", "What data is this?", tuple(answer), pictures, tuple(sheets))


def _left_out(story: Story) -> list[str]:
    """Say what was dropped and why, in rows and money, and what looks wrong in what was kept."""
    account = story.account
    told = [
        f"{account[f'{reason}_dropped']:,} {words} were left out, as asked{_worth(story, reason)}."
        for reason, words in _REASONS.items()
        if account.get(f"{reason}_dropped")
    ]
    if story.rows_after_as_of:
        told.append(f"{story.rows_after_as_of:,} rows dated after that day were left out.")
    if nobody := story.found.get("without_purchase"):
        told.append(f"{nobody:,} customers have refunds only: they count in sums of money alone.")
    if not told:
        told.append("Nothing was left out.")
    told += [f"{account[key]:,} {said}." for key, said in UNMATCHED.items() if account.get(key)]
    if account["far_rows"]:
        told.append(
            f"{account['far_rows']:,} rows lie {account['far_gap_days']:,} days away from all "
            f"others ({', '.join(account['far_dates'])}): check them, or name the last day."
        )
    told += [f"{account[key]:,} {words}." for key, words in _SUSPICIONS.items() if account[key]]
    if account["suspicious_ids"]:
        told[-1] += f" Such ids are {', '.join(account['suspicious_ids'])}; they were kept."
    return told


def _worth(story: Story, reason: str) -> str:
    """Say what the rows left out for a reason are worth, and what share of all that is."""
    amount, whole = story.account.get(f"{reason}_dropped_amount"), story.account.get("amount_read")
    if amount is None:
        return ""
    share = f", {story.share(amount / whole)} of the net amount" if whole and whole > 0 else ""
    return f": {story.money(amount)}{share}"


def _facts(story: Story, customers: int) -> pd.DataFrame:
    """Return the figures of the log, one per row, written out."""
    log = story.transactions
    facts = {
        "rows read": f"{story.account['rows_read']:,}",
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
    facts["rows of the largest customer"] = story.share(story.account["largest_share_of_rows"])
    if (largest := story.account.get("largest_share_of_amount")) is not None:
        facts["net amount of the largest customer"] = story.share(largest)
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
    ax.set_ylabel(f"Net amount{f' ({plain(currency)})' if currency else ''}")
    return ax
