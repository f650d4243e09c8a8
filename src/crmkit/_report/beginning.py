"""The beginning of a page: the log and the choices checked, the log cut at its last day."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_optional
from crmkit._frames import ACCOUNT, as_transactions, parse_day
from crmkit._frames.engines import as_given
from crmkit._log import count_purchases, read_log
from crmkit._reading.parts import Parts
from crmkit._report.log import PageLog
from crmkit._report.shelf import Shelf
from crmkit._report.story import Settings, Story
from crmkit.errors import EmptyLogError, InputError
from crmkit.segmentation import rfm_table

if TYPE_CHECKING:
    from crmkit._report.language import Language

__all__ = ["open_story"]


def open_story(
    transactions: Any,
    as_of: Any,
    horizon_days: int | None,
    choices: dict[str, Any],
    words: Language,
) -> Story:
    """Check the log and the choices, and cut the log at `as_of`."""
    if isinstance(transactions, Parts):
        log, account = PageLog.of_parts(transactions), transactions.account
        shelf = Shelf(transactions.folder)
    else:
        before = getattr(transactions, "attrs", {}).get(ACCOUNT, {})
        # A log that came through the door is checked again for little; one that did not, for good.
        frame = as_transactions(transactions)
        read = {key: n for key, n in before.items() if key.endswith("_read") or "_dropped" in key}
        log, account = PageLog.of_frame(frame), frame.attrs[ACCOUNT] | read
        shelf = Shelf()
    facts = log.facts()
    day = pd.Timestamp(
        np.datetime64(parse_day(facts.last if as_of is None else as_of, "as_of"), "D")
    )
    if day < facts.first.normalize():
        raise InputError(
            f"`as_of` ({day:%Y-%m-%d}) lies before the first date in the log "
            f"({facts.first:%Y-%m-%d}). Choose a later day."
        )
    rows = facts.rows
    if day < facts.last.normalize():
        log = log.until(day)
        facts = log.facts()
    span = (day - facts.first).days
    horizon = check_optional(horizon_days, "horizon_days") or 365
    settings = Settings(
        as_of=day,
        horizon_days=horizon,
        holdout_days=max(1, min(horizon, span // 3)),
        **choices,
    )
    story = Story(log, facts, settings, account, rows - facts.rows, words, shelf=shelf)
    story.found |= _purchases(log)
    story.found["rfm"] = shelf.put(_rfm(story))
    return story


def _rfm(story: Story) -> pd.DataFrame:
    """Return recency, frequency and, where there are amounts, money of each customer."""
    if story.has("amount"):
        return story.log.ask(rfm_table, as_of=story.settings.as_of)
    table = story.log.changed(_of_one).ask(rfm_table, as_of=story.settings.as_of)
    return table.drop(columns=["monetary", "total_amount"])


def _of_one(rows: Any) -> pd.DataFrame:
    """Return rows that are worth one each."""
    return as_given(rows, "transactions").assign(amount=1.0)


def _purchases(log: PageLog) -> dict[str, int]:
    """Return the number of distinct orders, and of customers without any."""
    found = list(log.each(partial(_bought, alone=len(log.parts) == 1)))
    orders, without = (sum(numbers) for numbers in zip(*found, strict=True))
    return {"orders": orders, "without_purchase": without}


def _bought(rows: Any, *, alone: bool) -> tuple[int, int]:
    """Return the orders of a part, and its customers without any."""
    try:
        purchases = read_log(rows, optional=("order_id",))
    except EmptyLogError as nobody:
        if alone:
            raise
        return 0, int(nobody.attrs[ACCOUNT]["customers_without_purchase"])
    orders = int(count_purchases(purchases.rows, "orders", purchases.bought).sum())
    return orders, int(purchases.account["customers_without_purchase"])
