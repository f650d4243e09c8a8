"""Section on campaigns, where they are known: who responded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import response
from crmkit._frames import match_groups
from crmkit._report.pieces import Section, Sheet

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["campaigns_section"]

_QUESTION = "Who responded to campaigns?"


def campaigns_section(story: Story) -> Section | None:
    """Compare response between kinds of campaign; None where no campaign is known."""
    if story.campaigns is None or story.redemptions is None:
        return None
    keys = ["customer_id", "campaign_id"]
    met = match_groups(story.campaigns[keys], story.redemptions[keys])
    table = story.campaigns.assign(responded=(met >= 0).astype(int))
    rate = table["responded"].mean()
    answer = [
        f"{len(table):,} mailings of {table['campaign_id'].nunique()} campaigns reached "
        f"{table['customer_id'].nunique():,} customers; {100 * rate:.1f}% led to a redemption.",
        "All figures compare customers who were mailed. There was no control group, so what the "
        "mailings caused cannot be known: some would have bought anyway.",
    ]
    sheets = []
    if "campaign_type" in table.columns:
        sheets.append(
            Sheet(
                "response_by_type",
                _rates(table, "campaign_type"),
                "Response by type of campaign, each mailing counted once.",
            )
        )
    segments = story.found.get("segments")
    if segments is not None:
        named = table.merge(segments[["customer_id", "segment"]], on="customer_id")
        sheets.append(
            Sheet(
                "response_by_segment",
                _rates(named, "segment").sort_values("rate", ascending=False, ignore_index=True),
                "Response by today's customer group. The groups were formed afterwards, so this "
                "describes; it does not predict.",
            )
        )
    return Section("campaigns", _QUESTION, tuple(answer), (), tuple(sheets))


def _rates(mailings: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return response rates of mailings: each mailing stands as a customer of its own."""
    each = mailings.assign(customer_id=range(len(mailings)))
    rates = response.response_rates(each, outcome="responded", by=by)
    return rates[[by, "contacted", "responders", "rate", "conf_low", "conf_high", "index"]]
