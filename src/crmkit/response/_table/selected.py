"""A selection beside what came of it: who was contacted, at what cost, and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column, numbers_by
from crmkit._checks import Problems, number_array, quoted
from crmkit._frames import number_or_column, read_customers, rows_of, sorted_codes, without
from crmkit._learn.outcomes import NO_ARM, Arms, read_arms
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["Selected", "campaign_arms", "read_selection"]

_DECISIONS = ("contact", "control", NO_ARM)


@dataclass(frozen=True, slots=True)
class Selected:
    """The arms of customers, (n,), with the cost and the expected gain of each contact, (n,)."""

    arms: Arms
    cost: Floats
    gain: Floats


def read_selection(people: pd.DataFrame, selection: Any, account: dict[str, Any]) -> Selected:
    """Find the customers in a table that ``select_targets`` made."""
    needs = ["decision", "cost", "expected_gain"]
    table = read_customers(
        selection, needs=needs, name="selection", optional=["treatment", "channel"], unique=False
    )
    problems = Problems("selection")
    decisions = table["decision"].astype(object)
    ways = [name for name in ("treatment", "channel") if name in table.columns]
    again = table["customer_id"].duplicated(keep=False) & (decisions != "contact")
    problems.rows(
        (again | table.duplicated(["customer_id", *ways])).to_numpy(),
        "customer_id repeats without another contact",
        do="Give the table that select_targets made.",
    )
    problems.raise_if_any()
    table = _together(table)
    decisions = table["decision"].astype(object)
    problems.rows(
        ~decisions.isin(_DECISIONS).to_numpy(),
        f"column 'decision' is none of {', '.join(map(repr, _DECISIONS))}",
        do="Give the table that select_targets made.",
        values=decisions.tolist(),
    )
    cost = number_array(table["cost"], problems, "cost", allow_missing=True)
    gain = number_array(table["expected_gain"], problems, "expected_gain", allow_missing=True)
    offer, treatments = np.zeros(len(table), dtype=np.int64), ["contact"]
    if "treatment" in table.columns:
        offer, found = sorted_codes(table["treatment"])
        treatments = list(found)
    contacted = (decisions == "contact").to_numpy()
    problems.rows(
        contacted & ((offer < 0) | np.isnan(cost)),
        "customers to be contacted lack 'treatment' or 'cost'",
        do="Give the table that select_targets made.",
    )
    problems.raise_if_any()
    row = rows_of(
        people["customer_id"],
        table["customer_id"],
        name="customers",
        other="selection",
        account=account,
    )
    account["selection_unmatched"] = without(row, len(table))
    code = np.select([contacted, (decisions == "control").to_numpy()], [offer + 1, 0], default=-1)
    code = np.where(row >= 0, code[row], -1)
    account["in_no_arm"] = int((code < 0).sum())
    taken = [number for number in range(len(treatments)) if (code == number + 1).any()]
    if not taken or not (code == 0).any():
        who = "the hold-out" if taken else "those contacted"
        raise InputError(
            f"`customers` has nobody of {who} of `selection` (decisions "
            f"{quoted(sorted(set(decisions)))}): what a contact changes cannot be told."
        )
    place = np.full(len(treatments) + 2, -1)
    place[0] = 0
    for number, treatment in enumerate(taken, start=1):
        place[treatment + 1] = number
    arms = Arms(place[code].astype(np.int64), [treatments[number] for number in taken], "control")
    return Selected(arms, np.nan_to_num(cost[row]), np.nan_to_num(gain[row]))


def _together(table: pd.DataFrame) -> pd.DataFrame:
    """Put the contacts of each customer together: their offers, what they cost and promise."""
    again = table["customer_id"].duplicated(keep=False)
    if not again.any():
        return table
    ways: dict[str, Any] = {"decision": "first", "cost": "sum", "expected_gain": "sum"}
    if "treatment" in table.columns:
        table = table.assign(treatment=table["treatment"].map(str, na_action="ignore"))
        ways["treatment"] = lambda names: " + ".join(sorted({str(name) for name in names}))
    several = table[again].groupby("customer_id", sort=False, observed=True).agg(ways)
    return pd.concat([table[~again], several.reset_index()], ignore_index=True)


def campaign_arms(
    people: pd.DataFrame,
    treated: str | None,
    control: Any,
    selection: Any,
    contact_cost: Any,
    account: dict[str, Any],
) -> tuple[Arms, Floats, Floats | None]:
    """Return the arms, what each contact costs, and what was expected of it if that is known."""
    if (treated is None) == (selection is None):
        raise InputError("Give either `treated` or `selection`: it says who was contacted.")
    if selection is not None:
        planned = read_selection(people, selection, account)
        if contact_cost is None:
            return planned.arms, planned.cost, planned.gain
        return planned.arms, _contact_costs(contact_cost, people, planned.arms), planned.gain
    arms = read_arms(people, check_column(treated, "treated"), control)
    account["in_no_arm"] = int((arms.code < 0).sum())
    cost = 0.0 if contact_cost is None else contact_cost
    return arms, _contact_costs(cost, people, arms), None


def _contact_costs(contact_cost: Any, people: pd.DataFrame, arms: Arms) -> Floats:
    """Return the cost of a contact with each customer, (n,)."""
    if not isinstance(contact_cost, Mapping):
        return number_or_column(contact_cost, people, "contact_cost")
    each = numbers_by(contact_cost, "contact_cost", arms.treatments, "treatment")
    return np.array([0.0, *each, 0.0])[arms.code]
