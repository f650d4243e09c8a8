"""Whom to contact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns, check_text
from crmkit._checks import check_number, random_generator, require_columns
from crmkit._frames import group_codes, keyed_chance, read_customers, sorted_codes, with_account
from crmkit.response._math.prices import best_option
from crmkit.response._math.selection import select
from crmkit.response._table.offers import expected_gain, limits
from crmkit.response._table.permission import contact_rooms, is_suppressed, ways_permitted
from crmkit.response._table.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Bools, Floats, Ints

__all__ = ["select_targets"]


def select_targets(
    customers: Any,
    scores: Any,
    *,
    consent: Any,
    score: str | None = None,
    value: float | str | Mapping[Any, float] = 1.0,
    margin: float = 1.0,
    contact_cost: float | str | Mapping[Any, float] = 0.0,
    budget: float | None = None,
    capacity: int | Mapping[Any, int] | None = None,
    min_gain: float = 0.0,
    holdout_share: float = 0.1,
    holdout_key: str | None = None,
    holdout_by: str | Sequence[str] | None = None,
    channel: str | None = None,
    purpose: str | None = None,
    suppress: Any = None,
    contacts: Any = None,
    max_contacts: int | Mapping[Any, int] | None = None,
    window_days: int | None = None,
    contacts_per_customer: int = 1,
    as_of: Any = None,
    random_state: int | None = None,
) -> pd.DataFrame:
    """Decide for every customer whether to contact them, and say why.

    Nobody is contacted without consent: missing, unknown and expired count as none. Whoever may
    not be contacted is not in the control group either. Among the others, those whose expected
    gain is positive are taken in order of gain, less the budget's shadow price times cost, as far
    as budget and capacity reach; where few and unequal costs leave a gap to the best that could
    be, the rest is chosen exactly. A random part of them is held out and left alone, because only
    a comparison with them will show what the campaign earned.

    Parameters
    ----------
    customers : DataFrame
        One row per customer: everyone who is to get a decision.
    scores : DataFrame
        ``customer_id`` and a score: ``p_response``, ``uplift`` or a column named by `score`. With
        a column ``treatment``, ``channel`` or both there is one row per customer and offer, channel
        or both, and the best that is permitted is chosen, one for each customer.
    consent : str, mapping or DataFrame
        A column of `customers` with True, False (or yes, no) or missing; a mapping of each channel
        of `scores` to such a column; or a table of consents: ``customer_id``, ``consent`` and, if
        present, ``channel``, ``purpose`` (missing: all), ``since`` and ``valid_until`` (last day).
        The latest row counts; an opt-out without a day counts as the latest.
    score : str, optional
        Column of `scores`, where it cannot be told.
    value : float, str or mapping, default 1
        What one response is worth in money: a number, a column of `customers`, or a number per
        treatment, channel or (treatment, channel). With an uplift in money leave it at 1.
    margin : float, default 1
        Share of that value that is contribution.
    contact_cost : float, str or mapping, default 0
        Cost of one contact: a number, a column of `customers`, or a number per treatment, channel
        or (treatment, channel).
    budget : float, optional
        Most that may be spent on contacts.
    capacity : int or mapping, optional
        Most customers that can be contacted, in all or with each of some treatments.
    min_gain : float, default 0
        Expected gain that a contact must be above, in money.
    holdout_share : float, default 0.1
        Share of customers held out at random. They use neither budget nor capacity.
    holdout_key : str, optional
        A word by which the hold-out is drawn from each id alone (7, 7.0 and "7" are one): customers
        who come and go move nobody else, and campaigns with the same word hold out the same
        customers, a universal control group. A word per campaign draws each anew.
    holdout_by : str or list of str, optional
        Columns of `customers`: the share is held out of each of their groups.
    channel, purpose : str, optional
        Which consents count. Needed where the consent table has such a column, and only there; the
        channel not where `scores` have channels.
    suppress : DataFrame or list of ids, optional
        Customers never to be contacted, whatever their consent.
    contacts : DataFrame, optional
        Past contacts: ``customer_id``, ``date`` and, for limits per channel, ``channel``.
    max_contacts : int or mapping, optional
        At most that many contacts, this one included, or a number per channel; that of None is the
        limit over all channels.
    window_days : int, optional
        The days in which these contacts are counted.
    contacts_per_customer : int, default 1
        Most contacts with one customer, by as many offers or channels. Their gains are added up:
        leave it at 1 where a second contact does not bring its own.
    as_of : date-like, optional
        Day of the selection. Needed where consents or contacts carry dates.
    random_state : int, optional
        Seed of the hold-out and of the order between equals. Without one they are drawn anew, with
        `holdout_key` by that.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order given, with `contacts_per_customer` one per contact of
        those who are contacted, the best first:

        * ``customer_id`` - as given.
        * ``decision`` (str) - "contact", "control" or "no contact".
        * ``reason`` (str) - the first rule that applied, of several ways of contact that of the one
          that came furthest: "selected", "opted out", "no consent",
          "consent expired", "suppressed", "contact cap", "no score", "not worth the contact",
          "beyond budget", "beyond capacity" or "random hold-out".
        * ``rank`` (Int64) - 1 for the best customer of those who may be contacted and are worth
          it, missing for the others.
        * ``treatment``, ``channel`` - the best offer and channel; only where `scores` have them.
        * ``expected_gain`` (float) - score x value x margin - cost, in money; missing without a
          score.
        * ``cost`` (float) - what the contact costs, or would cost, in money.

        ``attrs["account"]`` counts the ids of each table that met no customer
        (``suppress_unmatched`` and the like) and customers without score or consent, and has the
        most that any choice within budget and capacity could gain (``gain_bound``).

    Raises
    ------
    InputError
        If an argument is out of range, nobody of a table is among `customers`, or ids would meet
        a customer if they were written alike (``"7"`` and 7, ``"B "`` and ``"B"``).

    References
    ----------
    Dantzig, G. B. (1957). Discrete-variable extremum problems. Operations Research, 5, 266-288.

    Fisher, M. L. (1981). The Lagrangian relaxation method for solving integer programming
    problems. Management Science, 27, 1-18.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame(
    ...     {"customer_id": ["ann", "bob", "cas", "dee"], "email": [True, True, False, None]}
    ... )
    >>> scores = pd.DataFrame(
    ...     {"customer_id": ["ann", "bob", "cas", "dee"], "p_response": [0.02, 0.3, 0.9, 0.8]}
    ... )
    >>> response.select_targets(
    ...     customers, scores, consent="email", value=20, contact_cost=1, holdout_share=0,
    ... )[["customer_id", "decision", "reason", "expected_gain"]]
      customer_id    decision                 reason  expected_gain
    0         ann  no contact  not worth the contact           -0.6
    1         bob     contact               selected            5.0
    2         cas  no contact              opted out           17.0
    3         dee  no contact             no consent           15.0
    """
    people = read_customers(customers)
    share = check_number(holdout_share, "holdout_share")
    least = check_number(min_gain, "min_gain")
    margin = check_number(margin, "margin")
    account: dict[str, Any] = {}
    gain, cost, ways = expected_gain(
        people, scores, score, value=value, margin=margin, contact_cost=contact_cost,
        account=account,
    )  # fmt: skip
    most = limits(budget, capacity, ways)
    status = ways_permitted(
        people, consent, ways, channel=channel, purpose=purpose, as_of=as_of, account=account
    )
    scored = ~np.isneginf(gain)
    most_each = check_number(contacts_per_customer, "contacts_per_customer")
    room, group = contact_rooms(
        people, contacts, ways, each=most_each, max_contacts=max_contacts,
        window_days=window_days, as_of=as_of, account=account,
    )  # fmt: skip
    if most_each > 1:
        most = replace(most, room=room, group=group)
    rules = [
        (Reason.SUPPRESSED, is_suppressed(people, suppress, account)[:, None]),
        (Reason.CONTACT_CAP, (room < 1) @ group),
        (Reason.NO_SCORE, ~scored),
        (Reason.NOT_WORTH_THE_CONTACT, gain <= least),
    ]
    for why, applies in rules:
        status = np.where((status == Reason.SELECTED) & applies, why, status)
    open_ways = status == Reason.SELECTED
    # Of ways without a score nothing is told where there are others.
    told = scored | ~scored.any(axis=1, keepdims=True)
    reason = np.where(told, status, -1).max(axis=1)
    reason[open_ways.any(axis=1)] = Reason.SELECTED

    # In the order of the ids, so that chance falls the same way however the rows are sorted.
    rows = np.argsort(sorted_codes(people["customer_id"])[0], kind="stable")
    free = reason[rows] == Reason.SELECTED
    chance, tie = _drawn(people["customer_id"].iloc[rows], holdout_key, random_state)
    hold_out = _held_out(chance, share, people.iloc[rows], holdout_by, free)
    masked = np.where(open_ways, gain, -np.inf)
    chosen = select(masked[rows], cost[rows], limits=most.of(rows), hold_out=hold_out, tie=tie)
    full = chosen.who.size >= most.capacity or not np.isfinite(most.budget)
    reason[rows[free]] = Reason.BEYOND_CAPACITY if full else Reason.BEYOND_BUDGET
    reason[rows[chosen.control]] = Reason.HOLD_OUT
    reason[rows[chosen.who]] = Reason.SELECTED
    rank, way = np.zeros(rows.size, dtype=np.int64), best_option(gain)[1]
    rank[rows] = chosen.rank
    way[rows] = np.where(chosen.rank > 0, chosen.option, way[rows])

    at = np.arange(rows.size)
    if most_each > 1:
        at, way = _by_contact(reason, way, gain, rows[chosen.who], chosen.way)
    account |= {"rows": rows.size, "gain_bound": float(chosen.bound)}
    reason, rank, expected = reason[at], rank[at], gain[at, way]
    decision = np.full(at.size, "no contact", dtype=object)
    decision[reason == Reason.SELECTED] = "contact"
    decision[reason == Reason.HOLD_OUT] = "control"
    table = {
        "customer_id": people["customer_id"].take(at).reset_index(drop=True),
        "decision": decision,
        "reason": pd.Series([why.text for why in Reason]).take(reason).to_numpy(),
        "rank": pd.arrays.IntegerArray(rank, rank == 0),
    }
    if ways.treatments is not None:
        table["treatment"] = pd.Series(ways.treatments).take(ways.treatment[way]).to_numpy()
    if ways.channels is not None:
        table["channel"] = pd.Series(ways.channels).take(ways.channel[way]).to_numpy()
    table["expected_gain"] = np.where(np.isneginf(expected), np.nan, expected)
    table["cost"] = cost[at, way]
    return with_account(pd.DataFrame(table), account)


def _by_contact(reason: Ints, way: Ints, gain: Floats, who: Ints, how: Ints) -> tuple[Ints, Ints]:
    """Return customer and way of each row: one for every contact, one for everybody else."""
    others = np.flatnonzero(reason != Reason.SELECTED)
    at, way = np.r_[others, who], np.r_[way[others], how]
    order = np.lexsort((-gain[at, way], at))
    return at[order], way[order]


def _drawn(ids: pd.Series[Any], key: str | None, random_state: int | None) -> tuple[Floats, Ints]:
    """Return a number between 0 and 1 per customer and an order of chance, (n,) each."""
    if key is not None:
        chance = keyed_chance(ids, check_text(key, "holdout_key"))
        return chance, np.argsort(chance, kind="stable")
    rng = random_generator(random_state)
    return rng.random(len(ids)), rng.permutation(len(ids))


def _held_out(chance: Floats, share: float, people: pd.DataFrame, by: Any, free: Bools) -> Bools:
    """Tell who is held out: a chance below the share, or that share of each group, (n,)."""
    if by is None:
        return chance < share
    columns = check_columns(by, "holdout_by")
    require_columns(people.columns, columns, "customers")
    codes = group_codes(people.reset_index(drop=True), columns)[0]
    order = np.lexsort((chance, codes))
    order = order[free[order]]
    size = np.bincount(codes[order], minlength=int(codes.max()) + 1)
    place = np.arange(order.size) - np.repeat(np.cumsum(size) - size, size)
    held = np.zeros(chance.size, dtype=bool)
    held[order] = place + 0.5 < share * size[codes[order]]
    return held
