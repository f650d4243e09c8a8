"""What a contact may bring and cost, per customer and offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import numbers_by
from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import number_or_column, read_customers, rows_of, sorted_codes, without
from crmkit._learn.outcomes import score_column
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["expected_gain", "limits"]


def limits(budget: float | None, capacity: int | None) -> tuple[float, float]:
    """Return budget and capacity, infinite where not given."""
    money = np.inf if budget is None else check_number(budget, "budget")
    places = np.inf if capacity is None else check_number(capacity, "capacity")
    return float(money), float(places)


def expected_gain(
    people: pd.DataFrame,
    scores: Any,
    score: str | None,
    worth: Floats,
    contact_cost: Any,
    account: dict[str, Any],
) -> tuple[Floats, Floats, pd.Index[Any] | None]:
    """Return gain and cost per customer and offer, (n, k) each, and the offers' names."""
    several = read_customers(scores, name="scores", unique=False)
    offers: pd.Index[Any] | None = None
    codes = np.zeros(len(several), dtype=np.int64)
    if "treatment" in several.columns:
        codes, offers = sorted_codes(several["treatment"])
    problems = Problems("scores")
    problems.rows(
        codes < 0,
        "column 'treatment' is missing",
        do="Say for which offer each score is, or drop these rows.",
    )
    column = score_column(several, score)
    values = number_array(several[column], problems, column)
    at = rows_of(
        several["customer_id"],
        people["customer_id"],
        name="scores",
        other="customers",
        account=account,
    )
    account["customers_without_scores"] = without(at, len(people))
    k = 1 if offers is None else len(offers)
    cell = np.where(at >= 0, at * k + codes, -1)
    problems.rows(
        (pd.Series(cell).duplicated() & (cell >= 0)).to_numpy(),
        "customer_id" + (" and treatment repeat" if offers is not None else " repeats"),
        do="Keep one score per customer" + (" and treatment." if offers is not None else "."),
    )
    problems.raise_if_any()
    cost = _costs(people, contact_cost, offers)
    gain = np.zeros((len(people), k))
    scored = np.zeros((len(people), k), dtype=bool)
    found = cell >= 0
    gain.reshape(-1)[cell[found]] = values[found]
    scored.reshape(-1)[cell[found]] = True
    return np.where(scored, gain * worth[:, None] - cost, -np.inf), cost, offers


def _costs(people: pd.DataFrame, contact_cost: Any, offers: pd.Index[Any] | None) -> Floats:
    """Return the cost per customer and offer, shape (n, k)."""
    if not isinstance(contact_cost, Mapping):
        cost = number_or_column(contact_cost, people, "contact_cost")
        return np.repeat(cost[:, None], 1 if offers is None else len(offers), axis=1)
    if offers is None:
        raise InputError("`contact_cost` per treatment needs a column 'treatment' in `scores`.")
    each = numbers_by(contact_cost, "contact_cost", list(offers), "treatment")
    return np.tile(np.asarray(each, dtype=np.float64), (len(people), 1))
