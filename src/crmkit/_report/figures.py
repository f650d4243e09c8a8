"""The figures of a page as JSON, and what has changed since those of an earlier page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import quoted
from crmkit._files import file_to_read
from crmkit._report.pieces import Section, Sheet, Standing
from crmkit.errors import InputError
from crmkit.segmentation import segment_migration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._report.pieces import Figure, Step
    from crmkit._report.story import Story

__all__ = ["changes_section", "figures_of", "previous_figures"]

_FORM = 1
_NEEDED = ("form", "as_of", "currency", "figures", "segments")


def figures_of(
    story: Story, title: str, figures: Sequence[Figure], steps: Sequence[Step]
) -> dict[str, Any]:
    """Return what a later page needs to say what has changed; it names customers by their ids."""
    segments: dict[str, list[str]] = {}
    if isinstance(story.standing, Standing):
        customers = story.standing.customers
        segments = {
            str(name): sorted(ids.map(str))
            for name, ids in customers.groupby("segment")["customer_id"]
        }
    return {
        "form": _FORM,
        "title": title,
        "as_of": f"{story.settings.as_of:%Y-%m-%d}",
        "horizon_days": story.settings.horizon_days,
        "currency": story.words.currency,
        "language": story.words.name,
        "figures": {figure.key: figure.value for figure in figures},
        "actions": {
            step.key: {"contacts": step.contacts, "expected_gain": step.gain} for step in steps
        },
        "segments": segments,
    }


def previous_figures(compare: Any) -> dict[str, Any]:
    """Return the figures of an earlier page, given as such or as the path of a file of them."""
    if isinstance(compare, dict):
        found: Any = compare
    else:
        path = file_to_read(compare, "compare")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            found = None
    whole = isinstance(found, dict) and all(name in found for name in _NEEDED)
    if not whole or found["form"] != _FORM or not isinstance(found["segments"], dict):
        raise InputError(
            f"`compare` {quoted(str(compare)[:80])} holds no figures of a page. Name the file of "
            "figures that a report wrote beside its page, such as report.json."
        )
    return dict(found)


def changes_section(story: Story, before: dict[str, Any], figures: Sequence[Figure]) -> Section:
    """Say how the figures moved since an earlier page, and who moved between the segments."""
    say, words = story.words.say, story.words
    was = pd.Timestamp(before["as_of"])
    if was >= story.settings.as_of:
        raise InputError(
            f"`compare` is of {was:%Y-%m-%d}, which is not before the last day of this log "
            f"({story.settings.as_of:%Y-%m-%d}). Name figures of an earlier page."
        )
    if before["currency"] != words.currency:
        raise InputError(
            f"`compare` counts in {quoted(before['currency'])}, this page in "
            f"{quoted(words.currency)}: they cannot be compared. Name figures in one currency."
        )
    write = {"customers": words.number, "retained": words.share}
    if not story.has("amount"):
        write["expected"] = words.number
    told = [
        {
            "figure": figure.label,
            "before": write.get(figure.key, words.money)(float(before["figures"][figure.key])),
            "now": figure.text,
            "change": words.change(figure.value / before["figures"][figure.key] - 1),
        }
        for figure in figures
        if before["figures"].get(figure.key)
    ]
    sheets = [Sheet("changed_figures", pd.DataFrame(told), say("changes.figures"), kept=False)]
    answer = [say("changes.answer", day=was)]
    known = _before_and_now(story, before["segments"])
    if known is not None:
        moved = _moved(story, *known)
        lost = moved[moved["to_segment"] == words.word("gone")]
        entered = lost[lost["from_segment"] != words.word("gone")]["customers"].sum()
        answer.append(say("changes.lost", n=int(entered)))
        sheets.append(Sheet("moved", moved, say("changes.moved"), shown=30))
        both = known[0].merge(known[1], on="customer_id", suffixes=("_before", "_now"))
        both.columns = pd.Index(["customer_id", "from_segment", "to_segment"])
        other = both[both["from_segment"] != both["to_segment"]].reset_index(drop=True)
        sheets.append(Sheet("moved_customers", other, "", 0))
    return Section("changes", say("changes.question", day=was), tuple(answer), (), tuple(sheets))


def _before_and_now(
    story: Story, before: dict[str, list[str]]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return in which segment each customer was and is; None where either has none."""
    if not before or not isinstance(story.standing, Standing):
        return None
    word = story.words.word
    pairs = [(customer, word(name)) for name, ids in before.items() for customer in ids]
    earlier = pd.DataFrame(pairs, columns=["customer_id", "segment"])
    now = story.standing.customers
    later = pd.DataFrame(
        {"customer_id": now["customer_id"].map(str), "segment": now["segment"].map(word)}
    )
    return earlier, later


def _moved(story: Story, earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Return how many moved from which segment to which."""
    word = story.words.word
    moved = segment_migration(earlier, later)
    for column in ("from_segment", "to_segment"):
        moved[column] = (
            moved[column]
            .map({"gone": word("no longer in the log"), "not yet": word("not yet")})
            .fillna(moved[column])
        )
    return moved
