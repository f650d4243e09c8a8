"""The beginning of a page: the log and the choices checked, the log cut at its last day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_optional
from crmkit._frames import ACCOUNT, as_transactions, parse_day
from crmkit._log import count_purchases, read_log
from crmkit._report.story import Settings, Story
from crmkit.errors import InputError
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
    before = getattr(transactions, "attrs", {}).get(ACCOUNT, {})
    # A log that came through the door is checked again for little; one that did not, for good.
    log = as_transactions(transactions)
    read = {key: n for key, n in before.items() if key.endswith("_read") or "_dropped" in key}
    account = log.attrs[ACCOUNT] | read
    last = log["date"].max() if as_of is None else as_of
    day = pd.Timestamp(np.datetime64(parse_day(last, "as_of"), "D"))
    kept = log[log["date"] < day + np.timedelta64(1, "D")]
    if kept.empty:
        raise InputError(
            f"`as_of` ({day:%Y-%m-%d}) lies before the first date in the log "
            f"({log['date'].min():%Y-%m-%d}). Choose a later day."
        )
    span = (day - kept["date"].min()).days
    horizon = check_optional(horizon_days, "horizon_days") or 365
    settings = Settings(
        as_of=day,
        horizon_days=horizon,
        holdout_days=max(1, min(horizon, span // 3)),
        **choices,
    )
    after = len(log) - len(kept)
    story = Story(kept.reset_index(drop=True), settings, account, after, words)
    story.found |= _purchases(story.transactions)
    story.found["rfm"] = _rfm(story)
    return story


def _rfm(story: Story) -> pd.DataFrame:
    """Return recency, frequency and, where there are amounts, money of each customer."""
    log, money = story.transactions, story.has("amount")
    table = rfm_table(log if money else log.assign(amount=1.0), as_of=story.settings.as_of)
    return table if money else table.drop(columns=["monetary", "total_amount"])


def _purchases(log: pd.DataFrame) -> dict[str, int]:
    """Return the number of distinct orders, and of customers without any."""
    purchases = read_log(log, optional=("order_id",))
    return {
        "orders": int(count_purchases(purchases.rows, "orders", purchases.bought).sum()),
        "without_purchase": int(purchases.account["customers_without_purchase"]),
    }
