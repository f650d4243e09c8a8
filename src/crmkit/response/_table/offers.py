"""What a contact may bring and cost, per customer, offer and channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_mapping, is_level
from crmkit._checks import Problems, check_number, number_array, quoted
from crmkit._frames import number_or_column, read_customers, rows_of, sorted_codes, without
from crmkit._learn.outcomes import score_column
from crmkit.errors import InputError
from crmkit.response._math.prices import Limits

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["Ways", "expected_gain", "limits"]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to contact somebody: the ``treatments`` and ``channels`` there are, if scores say.

    ``treatment`` and ``channel`` (k,) are the codes of each way.
    """

    treatments: pd.Index[Any] | None
    channels: pd.Index[Any] | None
    treatment: Ints
    channel: Ints

    def names(self, way: int) -> list[Any]:
        """Return the names by which a mapping may give something for a way, the closest first."""
        found: list[Any] = []
        if self.treatments is not None:
            found.append(self.treatments[self.treatment[way]])
        if self.channels is not None:
            found.append(self.channels[self.channel[way]])
        return [tuple(found), *found] if len(found) > 1 else found


def limits(budget: float | None, capacity: Any, ways: Ways | None = None) -> Limits:
    """Return budget and capacity, infinite where not given; without `ways` for one offer."""
    money = np.inf if budget is None else float(check_number(budget, "budget"))
    if ways is None or ways.treatments is None or not isinstance(capacity, Mapping):
        places = np.inf if capacity is None else float(check_number(capacity, "capacity"))
        offer = np.zeros(1 if ways is None else ways.treatment.size, dtype=np.int64)
        return Limits(money, places, offer, np.array([np.inf]))
    names = ways.treatments.tolist()
    if unknown := [name for name in capacity if not is_level(name, names)]:
        raise InputError(
            f"`capacity` names {quoted(unknown)}, which is no treatment of `scores` "
            f"({quoted(names[:10])})."
        )
    each = [check_number(capacity[one], "capacity") if one in capacity else np.inf for one in names]
    return Limits(money, np.inf, ways.treatment, np.array(each, dtype=np.float64))


def expected_gain(
    people: pd.DataFrame, scores: Any, score: str | None, *, value: Any, margin: float,
    contact_cost: Any, account: dict[str, Any],
) -> tuple[Floats, Floats, Ways]:  # fmt: skip
    """Return gain and cost per customer and way of contact, (n, k) each, and the ways."""
    several = read_customers(scores, name="scores", unique=False)
    problems = Problems("scores")
    parts: list[tuple[Ints, pd.Index[Any] | None]] = []
    for key, what in (("treatment", "offer"), ("channel", "channel")):
        codes, names = np.zeros(len(several), dtype=np.int64), None
        if key in several.columns:
            codes, names = sorted_codes(several[key])
        problems.rows(
            codes < 0,
            f"column {key!r} is missing",
            do=f"Say for which {what} each score is, or drop these rows.",
        )
        parts.append((codes, names))
    (treatment, treatments), (channel, channels) = parts
    n_channels = 1 if channels is None else len(channels)
    code = np.maximum(treatment * n_channels + channel, 0)
    seen = np.bincount(code) > 0
    met, way = np.flatnonzero(seen), (np.cumsum(seen) - 1)[code]
    ways = Ways(treatments, channels, met // n_channels, met % n_channels)
    column = score_column(several, score)
    values = number_array(several[column], problems, column)
    at = rows_of(
        several["customer_id"], people["customer_id"], name="scores", other="customers",
        account=account,
    )  # fmt: skip
    account["customers_without_scores"] = without(at, len(people))
    k = met.size
    cell = np.where(at >= 0, at * k + way, -1)
    keys = [name for name, found in (("treatment", treatments), ("channel", channels))
            if found is not None]  # fmt: skip
    spelt = " and ".join(keys)
    repeats = np.zeros(cell.size, dtype=bool)
    if without(cell, len(people) * k) > len(people) * k - np.count_nonzero(cell >= 0):
        repeats = (pd.Series(cell).duplicated() & (cell >= 0)).to_numpy()
    problems.rows(
        repeats,
        f"customer_id and {spelt} repeat" if keys else "customer_id repeats",
        do=f"Keep one score per customer{f' and {spelt}' if keys else ''}.",
    )
    problems.raise_if_any()
    cost = _per_way(contact_cost, people, "contact_cost", ways)
    worth = _per_way(value, people, "value", ways) * margin
    gain = np.full((len(people), k), np.nan)
    found = cell >= 0
    gain.reshape(-1)[cell[found]] = values[found]
    gain = gain * worth - cost
    return np.where(np.isnan(gain), -np.inf, gain), cost, ways


def _per_way(given: Any, people: pd.DataFrame, name: str, ways: Ways) -> Floats:
    """Return a number, a column, or a number per treatment, channel or both, for all, (n, k)."""
    k = ways.treatment.size
    if not isinstance(given, Mapping):
        return np.repeat(number_or_column(given, people, name)[:, None], k, axis=1)
    if ways.treatments is None and ways.channels is None:
        raise InputError(
            f"`{name}` per treatment needs a column 'treatment', or 'channel', in `scores`."
        )
    numbers, missing = check_mapping(given, name, "treatments to numbers"), []
    each = []
    for way in range(k):
        names = ways.names(way)
        there = [one for one in names if one in numbers]
        missing += [] if there else [names[0]]
        each.append(check_number(numbers[there[0]], name) if there else 0.0)
    if missing:
        kind = "channel" if ways.treatments is None else "treatment"
        raise InputError(f"`{name}` lacks the {kind}(s) {quoted(missing)}.")
    return np.tile(np.asarray(each, dtype=np.float64), (len(people), 1))
