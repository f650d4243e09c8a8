"""Chapter on campaigns, where they are known: who responded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import response
from crmkit._frames import match_groups
from crmkit._report.pieces import Section, Sheet, Standing

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["campaigns_section"]


def campaigns_section(story: Story) -> Section | None:
    """Compare response between kinds of campaign; None where no campaign is known."""
    if story.campaigns is None or story.redemptions is None:
        return None
    say = story.words.say
    keys = ["customer_id", "campaign_id"]
    met = match_groups(story.campaigns[keys], story.redemptions[keys])
    table = story.campaigns.assign(responded=(met >= 0).astype(int))
    answer = (
        say(
            "campaigns.answer",
            n=len(table),
            campaigns=table["campaign_id"].nunique(),
            customers=table["customer_id"].nunique(),
            rate=table["responded"].mean(),
        ),
        say("campaigns.no_control"),
    )
    sheets = []
    if "campaign_type" in table.columns:
        rates = _rates(table, "campaign_type")
        sheets.append(Sheet("response_by_type", rates, say("campaigns.by_type")))
    if isinstance(story.standing, Standing):
        segments = story.standing.customers[["customer_id", "segment"]]
        rates = _rates(table.merge(segments, on="customer_id"), "segment")
        rates = rates.sort_values("rate", ascending=False, ignore_index=True)
        rates["segment"] = rates["segment"].map(story.words.word)
        sheets.append(Sheet("response_by_segment", rates, say("campaigns.by_segment")))
    return Section("campaigns", say("campaigns.question"), answer, (), tuple(sheets))


def _rates(mailings: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return response rates of mailings: each mailing stands as a customer of its own."""
    each = mailings.assign(customer_id=range(len(mailings)))
    rates = response.response_rates(each, outcome="responded", by=by)
    return rates[[by, "contacted", "responders", "rate", "conf_low", "conf_high", "index"]]
