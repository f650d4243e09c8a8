"""What to do this month: at most three things, what each is expected to earn, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit import churn, response
from crmkit._report.contacts import consent_flags, read_contacts
from crmkit._report.pieces import Sheet, Standing, Step, Todo

if TYPE_CHECKING:
    from crmkit._report.contacts import Contacts
    from crmkit._report.story import Story
    from crmkit._typing import Bools

__all__ = ["make_todo"]

# Who is less likely than this to be a customer still is left in peace.
_REACHABLE = 0.1
_STEPS = 3
_WHAT = {"margin": "profit"}


def three_steps(story: Story, known: Contacts) -> list[Step]:
    """Return the actions that are expected to earn most; no customer is in two of their lists."""
    standing = story.standing
    if not isinstance(standing, Standing):
        return []
    customers = standing.customers
    gains = churn.save_gain(
        customers,
        p_churn="p_stay_away",
        save_rate=story.settings.save_rate,
        value="value",
        contact_cost=_cost(story),
    )
    pays = gains["expected_gain"].to_numpy() > 0
    groups = {key: mask & pays for key, mask in _groups(customers).items()}
    steps = [
        _step(story, key, customers[mask], gains[mask], known)
        for key, mask in groups.items()
        if mask.any()
    ]
    steps = [step for step in steps if step.contacts]
    return sorted(steps, key=lambda step: -step.gain)[:_STEPS]


def _groups(customers: pd.DataFrame) -> dict[str, Bools]:
    """Return whom each action is for: by what a customer is, so that none is in two."""
    segment = customers["segment"]
    alive, times = customers["p_alive"].to_numpy(), customers["frequency"].to_numpy()
    return {
        "keep": (segment == "doubt").to_numpy(),
        "second": (segment == "once").to_numpy(),
        "win_back": (segment == "gone").to_numpy() & (alive >= _REACHABLE) & (times > 1),
        "grow": segment.isin(["best", "regular"]).to_numpy(),
    }


def _cost(story: Story) -> float:
    """Return what a contact costs, 0 where nobody said so or nothing is counted in money."""
    return (story.settings.contact_cost or 0.0) if story.has("amount") else 0.0


def _step(
    story: Story, key: str, customers: pd.DataFrame, gains: pd.DataFrame, known: Contacts
) -> Step:
    """Choose whom to contact, and whom to leave alone so that the action can be judged."""
    say = story.words.say
    people = customers.merge(
        known.table.assign(_agreed=consent_flags(known)), on="customer_id", how="left"
    )
    chosen = response.select_targets(
        people,
        gains[["customer_id", "uplift"]],
        consent="_agreed",
        value="value",
        contact_cost=_cost(story),
        random_state=0,
    )
    people["_decision"], people["_rank"] = chosen["decision"], chosen["rank"]
    people["_gain"] = chosen["expected_gain"]
    people["_treated"] = chosen["decision"] == "contact"
    count = chosen["decision"].value_counts()
    contacts, controls = int(count.get("contact", 0)), int(count.get("control", 0))
    gain = float(people.loc[people["_treated"], "_gain"].sum())
    people = people[people["_rank"].notna()].sort_values("_rank", ignore_index=True)
    return Step(
        key,
        say(f"todo.{key}", n=contacts),
        say(f"todo.{key}_why", days=story.settings.horizon_days),
        contacts,
        controls,
        gain,
        say(f"todo.{_kind(story)}", gain=gain),
        say(f"todo.unit_{_kind(story)}"),
        story.shelf.put(_listed(story, key, people, known)),
    )


def _kind(story: Story) -> str:
    """Return what gains are counted in: profit only where margin and cost are known."""
    if not story.has("amount"):
        return "purchases"
    if story.margin is None:
        return "sales"
    return "margin" if story.settings.contact_cost is None else "profit"


def _listed(story: Story, key: str, people: pd.DataFrame, known: Contacts) -> pd.DataFrame:
    """Return the list as it is used: whom, why, what for, whether they agreed, and the flag."""
    words = story.words
    last = story.settings.as_of.to_datetime64().astype("datetime64[D]")
    days = people["recency_days"].to_numpy().astype("timedelta64[D]")
    said = people["consent"] if "consent" in people.columns else pd.Series(np.nan, people.index)
    agreed = said.map({1.0: words.word("yes"), 0.0: words.word("no")})
    table: dict[str, Any] = {"customer_id": people["customer_id"]}
    table |= {str(name): people[name] for name in known.columns}
    table |= {
        "segment": people["segment"].map(words.word),
        "reason": _reasons(story, key, people),
        "last_date": (last - days).astype("datetime64[s]"),
        "p_alive": people["p_alive"].round(3),
        "value": people["lifetime_value"].round(2),
        "expected_gain": people["_gain"].astype(float).round(4),
        "consent": agreed.fillna(words.word("not known")),
        "decision": people["_decision"].map(words.word),
    }
    return pd.DataFrame(table)


def _reasons(story: Story, key: str, people: pd.DataFrame) -> Any:
    """Say in words why each customer is in the list: once for all of whom the same is said."""
    alive = people["p_alive"].to_numpy()
    told = pd.DataFrame(
        {
            "silent": people["recency_days"].round().to_numpy(),
            "usual": people["usual_days"].round().to_numpy(),
            "times": people["frequency"].to_numpy(),
            # As it is written: in hundredths, and nearly all are not all.
            "alive": np.where((alive >= 0.995) & (alive < 1.0), 0.995, np.rint(100 * alive) / 100),
        }
    )
    rows: Any = told.drop_duplicates().itertuples(index=False)
    said = [story.words.say(f"todo.{key}_reason", **row._asdict()) for row in rows]
    place = told.groupby(list(told.columns), dropna=False, sort=False).ngroup().to_numpy()
    return np.array(said, dtype=object)[place]


def make_todo(story: Story) -> Todo:
    """Return what to do, with what its figures mean and assume."""
    say, settings = story.words.say, story.settings
    known = read_contacts(story)
    steps = three_steps(story, known)
    if not steps:
        why = story.standing if isinstance(story.standing, str) else ""
        if known.consent and not consent_flags(known).fillna(False).any():
            why = say("todo.nobody_agreed", column=known.consent)
        return Todo(say("todo.title_fewer"), nothing=say("todo.nothing", why=why).strip())
    kind = _kind(story)
    terms = [
        say(
            "todo.definition",
            what=say(f"todo.what_{_WHAT.get(kind, kind)}", margin=story.margin),
            days=settings.horizon_days,
            cost=say("todo.no_cost" if settings.contact_cost is None else "todo.cost",
                     cost=settings.contact_cost),
            rate=settings.save_rate,
        ),
        say("todo.exclusive"),
        say("todo.cut"),
    ]  # fmt: skip
    if known.unread:
        terms.append(say("todo.unread_consent", columns=known.unread))
    if not known.consent:
        terms.append(say("todo.no_consent"))
    title = say("todo.title" if len(steps) == _STEPS else "todo.title_fewer")
    sheets = [Sheet("actions", actions_table(steps), "", 0)]
    sheets += [Sheet(step.key, step.table, "", 0) for step in steps]
    return Todo(title, tuple(steps), tuple(terms), sheets=tuple(sheets))


def actions_table(steps: list[Step]) -> pd.DataFrame:
    """Return the steps as a table."""
    return pd.DataFrame(
        {
            "action": [step.title for step in steps],
            "contacts": [step.contacts for step in steps],
            "controls": [step.controls for step in steps],
            "expected_gain": [step.gain for step in steps],
            "list": [step.key for step in steps],
        }
    )
