"""Whom to contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number, random_generator
from crmkit._frames import number_or_column, read_customers, sorted_codes, with_account
from crmkit.errors import InputError
from crmkit.response._math.selection import select
from crmkit.response._table import (
    Reason,
    contacts_in_window,
    expected_gain,
    is_suppressed,
    limits,
    permission_status,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit._typing import Bools

__all__ = ["select_targets"]


def select_targets(
    customers: Any,
    scores: Any,
    *,
    consent: Any,
    score: str | None = None,
    value: float | str = 1.0,
    margin: float = 1.0,
    contact_cost: float | str | Mapping[Any, float] = 0.0,
    budget: float | None = None,
    capacity: int | None = None,
    holdout_share: float = 0.1,
    channel: str | None = None,
    purpose: str | None = None,
    suppress: Any = None,
    contacts: Any = None,
    max_contacts: int | None = None,
    window_days: int | None = None,
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
        a column ``treatment`` there is one row per customer and offer, and the best is chosen.
    consent : str or DataFrame
        Either a column of `customers` with True, False or missing, or a table of consents:
        ``customer_id``, ``consent`` (True or False) and, if present, ``channel``, ``purpose``
        (missing: all), ``since`` and ``valid_until`` (last day). The latest row counts; an
        opt-out without a day counts as the latest.
    score : str, optional
        Column of `scores`, where it cannot be told.
    value : float or str, default 1
        What one response is worth in money, or a column of `customers` that says so. With an
        uplift in money leave it at 1.
    margin : float, default 1
        Share of that value that is contribution.
    contact_cost : float, str or mapping, default 0
        Cost of one contact: a number, a column of `customers`, or a number per treatment.
    budget : float, optional
        Most that may be spent on contacts.
    capacity : int, optional
        Most customers that can be contacted.
    holdout_share : float, default 0.1
        Share of customers held out at random. They use neither budget nor capacity.
    channel, purpose : str, optional
        Which consents count. Needed where the consent table has such a column, and only there.
    suppress : DataFrame or list of ids, optional
        Customers never to be contacted, whatever their consent.
    contacts : DataFrame, optional
        Past contacts: ``customer_id`` and ``date``.
    max_contacts, window_days : int, optional
        At most that many contacts, this one included, in that many days.
    as_of : date-like, optional
        Day of the selection. Needed where consents or contacts carry dates.
    random_state : int, optional
        Seed of the hold-out and of the order between equals. Without one they are drawn anew.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order given:

        * ``customer_id`` - as given.
        * ``decision`` (str) - "contact", "control" or "no contact".
        * ``reason`` (str) - the first rule that applied: "selected", "opted out", "no consent",
          "consent expired", "suppressed", "contact cap", "no score", "not worth the contact",
          "beyond budget", "beyond capacity" or "random hold-out".
        * ``rank`` (Int64) - 1 for the best of those who may be contacted and are worth it,
          missing for the others.
        * ``treatment`` - the best offer; only where `scores` has several.
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
    money, places = limits(budget, capacity)
    worth = number_or_column(value, people, "value") * check_number(margin, "margin")
    account: dict[str, Any] = {}
    gain, cost, offers = expected_gain(people, scores, score, worth, contact_cost, account)

    reason = permission_status(
        people, consent, channel=channel, purpose=purpose, as_of=as_of, account=account
    )
    best = gain.max(axis=1)
    rules = [
        (Reason.SUPPRESSED, is_suppressed(people, suppress, account)),
        (
            Reason.CONTACT_CAP,
            _capped(people, contacts, max_contacts, window_days, as_of=as_of, account=account),
        ),
        (Reason.NO_SCORE, np.isneginf(best)),
        (Reason.NOT_WORTH_THE_CONTACT, best <= 0),
    ]
    for why, applies in rules:
        reason = np.where((reason == Reason.SELECTED) & applies, why, reason)

    # In the order of the ids, so that chance falls the same way however the rows are sorted.
    rows = np.argsort(sorted_codes(people["customer_id"])[0], kind="stable")
    rng = random_generator(random_state)
    hold_out = rng.random(rows.size) < share
    tie = rng.permutation(rows.size)
    free = reason[rows] == Reason.SELECTED
    chosen = select(
        np.where(free[:, None], gain[rows], -np.inf),
        cost[rows],
        budget=money,
        capacity=places,
        hold_out=hold_out,
        tie=tie,
    )
    full = chosen.contact.sum() >= places
    left_over = Reason.BEYOND_CAPACITY if full else Reason.BEYOND_BUDGET
    reason[rows[free]] = np.select(
        [chosen.contact[free], chosen.control[free]],
        [Reason.SELECTED, Reason.HOLD_OUT],
        default=left_over,
    )
    account |= {"rows": rows.size, "gain_bound": float(chosen.bound)}
    rank, offer = np.zeros(rows.size, dtype=np.int64), gain.argmax(axis=1)
    rank[rows] = chosen.rank
    offer[rows] = np.where(chosen.rank > 0, chosen.offer, offer[rows])

    at = np.arange(rows.size)
    decision = np.full(rows.size, "no contact", dtype=object)
    decision[reason == Reason.SELECTED] = "contact"
    decision[reason == Reason.HOLD_OUT] = "control"
    expected = gain[at, offer]
    table = {
        "customer_id": people["customer_id"],
        "decision": decision,
        "reason": pd.Series([why.text for why in Reason]).take(reason).to_numpy(),
        "rank": pd.arrays.IntegerArray(rank, rank == 0),
    }
    if offers is not None:
        table["treatment"] = pd.Series(offers).take(offer).to_numpy()
    table["expected_gain"] = np.where(np.isneginf(expected), np.nan, expected)
    table["cost"] = cost[at, offer]
    return with_account(pd.DataFrame(table), account)


def _capped(
    people: pd.DataFrame,
    contacts: Any,
    max_contacts: int | None,
    window_days: int | None,
    *,
    as_of: Any,
    account: dict[str, Any],
) -> Bools:
    """Tell who had as many contacts as the window allows."""
    if contacts is None:
        if max_contacts is not None or window_days is not None:
            raise InputError("`max_contacts` and `window_days` need `contacts`: the past contacts.")
        return np.zeros(len(people), dtype=bool)
    most = check_number(max_contacts, "max_contacts")
    window = check_number(window_days, "window_days")
    past = contacts_in_window(people, contacts, window_days=window, as_of=as_of, account=account)
    return past >= most
