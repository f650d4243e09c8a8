"""The last chapter: what the page was read from, what was left out, and what it assumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from crmkit._report.beside import UNMATCHED
from crmkit._report.charts import columns
from crmkit._report.pieces import Picture, Section, Sheet, Standing

if TYPE_CHECKING:
    from crmkit._report.story import Story

__all__ = ["data_section", "to_check"]

_REASONS = ("missing_customers", "missing_dates", "unreadable_dates", "missing_amounts",
            "refunds", "duplicates")  # fmt: skip
_SUSPICIONS = ("blank_id_rows", "missing_word_id_rows", "spaced_ids", "alike_ids",
               "ids_of_two_kinds")  # fmt: skip


def data_section(story: Story) -> Section:
    """Describe the log: size, period, what is missing, what was left out and what is assumed."""
    facts, say = story.facts, story.words.say
    answer = [
        say(
            "data.answer",
            n=facts.rows,
            customers=facts.customers,
            first=facts.first,
            last=facts.last,
            day=story.settings.as_of,
        )
    ]
    answer += _left_out(story)
    pictures: tuple[Picture, ...] = ()
    if story.has("amount"):
        pictures = (_months(story),)
    sheets = [
        Sheet("data", _facts(story), say("data.facts"), shown=20),
        Sheet("assumptions", _assumed(story), say("data.assumed"), shown=20),
    ]
    if how := story.account.get("how_read"):
        told = pd.DataFrame(how)
        for name in ("what", "value", "evidence", "sure"):
            told[name] = told[name].map(story.words.told)
        sheets.append(Sheet("how_read", told, say("data.how_read"), shown=40))
    return Section("data", say("data.question"), tuple(answer), pictures, tuple(sheets))


def to_check(story: Story) -> list[str]:
    """Return what is to be checked before the page is believed: what the file did not settle."""
    words, account = story.words, story.account
    told = [
        f"{words.told(line['what'])}: {words.told(line['value'])} ({words.told(line['evidence'])})"
        for line in account.get("how_read", ())
        if line["sure"] == "not known"
    ]
    if account["far_rows"]:
        told.append(_far(story))
    return told + [words.say(f"data.{key}", n=account[key]) for key in _SUSPICIONS if account[key]]


def _far(story: Story) -> str:
    """Say which dates lie far from all others."""
    account = story.account
    return story.words.say(
        "data.far", n=account["far_rows"], days=account["far_gap_days"],
        dates=", ".join(account["far_dates"]),
    )  # fmt: skip


def _left_out(story: Story) -> list[str]:
    """Say what was dropped and why, in rows and money, and what looks wrong in what was kept."""
    account, say = story.account, story.words.say
    told = [
        say(f"data.{reason}", n=account[f"{reason}_dropped"]) + _worth(story, reason)
        for reason in _REASONS
        if account.get(f"{reason}_dropped")
    ]
    if story.rows_after_as_of:
        told.append(say("data.after", n=story.rows_after_as_of))
    if nobody := story.found.get("without_purchase"):
        told.append(say("data.refunds_only", n=nobody))
    if not told:
        told.append(say("data.nothing"))
    told += [say(f"data.{key}", n=account[key]) for key in UNMATCHED if account.get(key)]
    if account["far_rows"]:
        told.append(_far(story))
    told += [say(f"data.{key}", n=account[key]) for key in _SUSPICIONS if account[key]]
    if account["suspicious_ids"]:
        told[-1] += " " + say("data.such", ids=", ".join(account["suspicious_ids"]))
    return told


def _worth(story: Story, reason: str) -> str:
    """Say what the rows left out for a reason are worth, and what share of all that is."""
    amount, whole = story.account.get(f"{reason}_dropped_amount"), story.account.get("amount_read")
    if amount is None:
        return ""
    known = whole is not None and whole > 0
    key = "data.worth_share" if known else "data.worth"
    return " " + story.words.say(key, amount=amount, share=amount / whole if known else 0.0)


def _facts(story: Story) -> pd.DataFrame:
    """Return the figures of the log, one per row, written out."""
    log, words = story.facts, story.words
    facts = {"read": words.number(story.account["rows_read"]), "used": words.number(log.rows)}
    facts["customers"] = words.number(log.customers)
    facts["orders"] = words.number(story.found["orders"])
    if story.has("product"):
        facts["products"] = words.number(len(log.products))
    if story.has("amount"):
        facts["net"] = words.money(log.amount)
        facts["net_each"] = words.money(log.amount / log.customers)
        worth = words.money(-log.refunds)
        facts["refund_rows"] = words.say("data.refunded", n=log.refund_rows, worth=worth)
    facts["largest_rows"] = words.share(story.account["largest_share_of_rows"])
    if (largest := story.account.get("largest_share_of_amount")) is not None:
        facts["largest_amount"] = words.share(largest)
    facts["days"] = words.number(story.days)
    names = [words.say(f"data.fact_{name}") for name in facts]
    return pd.DataFrame({"fact": names, "figure": list(facts.values())})


def _assumed(story: Story) -> pd.DataFrame:
    """Return what was chosen or assumed, and by which option it is said otherwise."""
    words, settings = story.words, story.settings
    unknown = words.word("not known")
    acquisition, contact = (
        unknown if cost is None else words.money(cost)
        for cost in (settings.acquisition_cost, settings.contact_cost)
    )
    margin = unknown if story.margin is None else words.share(story.margin)
    model = story.standing.name if isinstance(story.standing, Standing) else unknown
    lines = [
        ("as_of", words.day(settings.as_of), "--as-of"),
        ("horizon", words.say("data.in_days", n=settings.horizon_days), "--horizon-days"),
        ("holdout", words.say("data.in_days", n=settings.holdout_days), ""),
        ("model", model, ""),
        ("rate", words.share(settings.annual_discount_rate), "--annual-discount-rate"),
        ("margin", margin, "--margin, --cost"),
        ("acquisition", acquisition, "--acquisition-cost"),
        ("contact", contact, "--contact-cost"),
        ("save", words.share(settings.save_rate), "--save-rate"),
    ]
    return pd.DataFrame(
        {
            "assumption": [words.say(f"data.assume_{name}") for name, _, _ in lines],
            "figure": [figure for _, figure, _ in lines],
            "option": [option for _, _, option in lines],
        }
    )


def _months(story: Story) -> Picture:
    """Draw what was sold in each month; a month that is not whole is pale."""
    sums, words = story.facts.months, story.words
    first, last = story.facts.first, story.settings.as_of
    pale = [False] * len(sums)
    pale[0] = first.day > 1
    pale[-1] = pale[-1] or bool(last.day < last.days_in_month)
    chart = columns(
        [words.month(day) for day in sums.index],
        sums.astype(float).tolist(),
        words.say("data.seen_months"),
        words.short_money,
        pale,
    )
    return Picture(chart, words.say("data.months"))
