"""Reading contracts as they are billed: who pays from which day until which, and what."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._checks import Problems, check_choice, number_array
from crmkit._frames import (
    ACCOUNT,
    day_numbers,
    is_far,
    parse_day,
    read_customers,
    sorted_codes,
    table_columns,
)
from crmkit._periods import day_text
from crmkit.churn._math.contracts import (
    NEVER,
    bridged,
    last_days_served,
    next_start,
    without_contract,
)
from crmkit.churn._math.rates import PAID, PAUSED, TRIAL
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["CONTRACT_COLUMNS", "Contracts", "Ends", "is_contracts", "read_contracts"]

Ends = Literal["inclusive", "exclusive"]

# Columns that tell of a contract, not of a customer.
CONTRACT_COLUMNS = (
    *("start_date", "end_date", "monthly_revenue", "amount", "billing_months", "billing"),
    "reason",
)

_BILLING = {"paid": PAID, "paused": PAUSED, "trial": TRIAL}
# What a contract is while nobody has said it, and where what was said is no word of these.
_UNTOLD, _UNCLEAR = -1, -2


@dataclass(frozen=True, slots=True)
class Contracts:
    """Contracts that have begun by day `as_of`, as arrays of shape (n,), n contracts.

    ``customer`` holds codes into ``customer_ids`` (distinct, sorted). A contract counts on the
    days from ``start`` to the one before ``until``, late renewals within `grace` days bridged; it
    runs to the one before ``end``.
    ``state`` is PAID, PAUSED or TRIAL. ``reason`` holds codes into ``reasons``, the last of which
    is "unknown"; ``value`` and ``reason`` are None where the table does not say.
    """

    customer_ids: pd.Index[Any]
    customer: Ints
    start: Ints
    until: Ints
    end: Ints
    state: Ints
    value: Floats | None
    reason: Ints | None
    reasons: list[str]
    as_of: int
    grace: int
    account: dict[str, float]
    _frame: pd.DataFrame

    @property
    def n_customers(self) -> int:
        """Return the number of distinct customers."""
        return len(self.customer_ids)

    def column(self, name: str) -> pd.Series[Any]:
        """Return any other column that was asked for, row by row."""
        return self._frame[name]

    def take(self, rows: Bools) -> Contracts:
        """Return some contracts; customers of none are no longer in it."""
        kept, customer = np.unique(self.customer[rows], return_inverse=True)
        return replace(
            self,
            customer_ids=self.customer_ids.take(kept),
            customer=customer.astype(np.int64),
            start=self.start[rows],
            until=self.until[rows],
            end=self.end[rows],
            state=self.state[rows],
            value=None if self.value is None else self.value[rows],
            reason=None if self.reason is None else self.reason[rows],
            _frame=self._frame.loc[rows].reset_index(drop=True),
        )

    @property
    def tried(self) -> Bools:
        """Tell which customers, shape (n_customers,), had a trial before they paid."""
        first = np.full((2, self.n_customers), NEVER)
        trial = (self.state == TRIAL).astype(np.int64)
        np.minimum.at(first, (trial, self.customer), self.start)
        return first[1] < first[0]


def is_contracts(table: Any, name: str) -> bool:
    """Tell whether a table holds contracts instead of transactions."""
    columns = set(table_columns(table, name))
    dates = columns & {"start_date", "end_date"}
    if "date" in columns and len(dates) == 2:
        raise InputError(
            f"`{name}` has the column 'date' of transactions and 'start_date' and 'end_date' of "
            "contracts. Drop the one or the others, to say what its rows are."
        )
    return bool(dates) and "date" not in columns


def read_contracts(
    contracts: Any,
    *,
    as_of: Any,
    ends: Any,
    grace_days: int,
    needs: Iterable[str] = (),
    name: str = "transactions",
) -> Contracts:
    """Read contracts, those that have begun by `as_of`; else by the last start in the table."""
    if ends is not None:
        check_choice(ends, "ends", Ends)
    frame = read_customers(
        contracts,
        needs=("start_date", "end_date", *needs),
        optional=CONTRACT_COLUMNS[2:],
        name=name,
        unique=False,
    )
    problems = Problems(name)
    start = day_numbers(frame["start_date"], problems, "start_date")
    end = day_numbers(frame["end_date"], problems, "end_date", missing=NEVER)
    end[is_far(end)] = NEVER
    problems.rows(
        end < start, "column 'end_date' lies before 'start_date'", do="Correct these rows."
    )
    value = _monthly_revenue(frame, problems)
    told = _told(frame, value, problems)
    problems.raise_if_any()

    last_day = int(start.max()) if as_of is None else parse_day(as_of, "as_of")
    begun = start <= last_day
    if not begun.any():
        raise EmptyLogError(
            f"`{name}` has no contract that starts on or before `as_of` "
            f"({day_text(last_day)}). Choose a later `as_of`.",
            {ACCOUNT: {"contracts_not_begun": len(begun)}},
        )
    frame = frame.loc[begun].reset_index(drop=True)
    customer, ids = sorted_codes(frame["customer_id"])
    start, end, told = start[begun], end[begun], told[begun]
    value = None if value is None else value[begun]
    until = np.where(end < NEVER, end + _days_served_on_end(customer, start, end, ends), NEVER)
    state = _states(customer, start, until, told, value, last_day)
    unclear = state == _UNCLEAR
    problems.rows(
        _among(unclear, begun),
        "the revenue is 0 after a contract with revenue has ended",
        do="Say what these are in a column 'billing': 'paused' (the customer has not left), "
        "'trial' (a trial or a free plan: no customer meanwhile) or 'paid' (a customer at no "
        "price).",
    )
    renewed = until.copy()
    counts = state != TRIAL
    renewed[counts] = bridged(
        customer[counts], start[counts], until[counts], grace=grace_days, as_of=last_day
    )
    problems.rows(
        _among(_loose_pauses(customer, start, renewed, state), begun),
        "column 'billing' is 'paused' but no contract of the customer ends where the pause begins",
        do="Let the contract end there, and begin again where the pause ends.",
    )
    problems.raise_if_any()
    reason, reasons = _reasons(frame)
    account: dict[str, float] = {
        "contracts_not_begun": int((~begun).sum()),
        "repeated_contracts": int(frame.duplicated().sum()),
        "late_renewals": int(((renewed > until) & (renewed <= last_day)).sum()),
    }
    return Contracts(
        customer_ids=ids,
        customer=customer,
        start=start,
        until=renewed,
        end=until,
        state=state,
        value=value,
        reason=reason,
        reasons=reasons,
        as_of=last_day,
        grace=grace_days,
        account=account,
        _frame=frame,
    )


def _monthly_revenue(frame: pd.DataFrame, problems: Problems) -> Floats | None:
    """Return what each contract pays a month, None where the table does not say."""
    if "monthly_revenue" in frame.columns:
        return number_array(frame["monthly_revenue"], problems, "monthly_revenue")
    if not {"amount", "billing_months"} <= set(frame.columns):
        return None
    months = number_array(frame["billing_months"], problems, "billing_months", low=0, low_open=True)
    amount = number_array(frame["amount"], problems, "amount")
    return np.divide(amount, months, out=np.zeros(amount.size), where=months > 0)


def _told(frame: pd.DataFrame, value: Floats | None, problems: Problems) -> Ints:
    """Return what the column ``billing`` says of each contract, `_UNTOLD` where it says nothing."""
    told = np.full(len(frame), _UNTOLD)
    if "billing" not in frame.columns:
        return told
    codes, words = sorted_codes(frame["billing"])
    state = np.array([_BILLING.get(word, _UNCLEAR) for word in words.tolist()] + [_UNTOLD])[codes]
    problems.rows(
        state == _UNCLEAR,
        "column 'billing' says something else than 'paid', 'paused' or 'trial'",
        do="Write one of these words, or leave the cell empty.",
        values=frame["billing"],
    )
    if value is not None:
        problems.rows(
            (value != 0) & ((state == PAUSED) | (state == TRIAL)),
            "the revenue is not 0 although column 'billing' says 'paused' or 'trial'",
            do="Nothing is billed in a pause or a trial: correct one of the two.",
            values=value.tolist(),
        )
    return state


def _days_served_on_end(customer: Ints, start: Ints, end: Ints, ends: Any) -> int:
    """Return 1 if contracts run on the day on which they end, else 0; refuse to guess."""
    if ends is not None:
        return int(ends == "inclusive")
    inclusive, exclusive, n_ended = last_days_served(customer, start, end)
    # One alone may be chance.
    if inclusive > max(exclusive, 1) and 2 * inclusive >= n_ended:
        raise InputError(
            f"`ends`: {inclusive:,} of {n_ended:,} ends in 'end_date' look like the last day "
            "served: the next contract begins on the day after, or the contract runs for whole "
            f"months with that day ({exclusive:,} without it). Say ends='inclusive' if it is "
            "served, or ends='exclusive' if 'end_date' is the first day no longer served."
        )
    return 0


def _states(
    customer: Ints, start: Ints, until: Ints, told: Ints, value: Floats | None, last_day: int
) -> Ints:
    """Return what each contract is; one of revenue 0 is a trial, unless it may be a pause."""
    free = np.zeros(told.size, dtype=bool) if value is None else (value == 0) & (told == _UNTOLD)
    state = np.where(told == _UNTOLD, np.where(free, TRIAL, PAID), told)
    paid = state != TRIAL
    unclear = without_contract(
        customer[paid],
        start[paid],
        until[paid],
        customer[free],
        start[free],
        np.minimum(until[free], last_day + 1),
    )
    state[np.flatnonzero(free)[unclear]] = _UNCLEAR
    return state


def _loose_pauses(customer: Ints, start: Ints, until: Ints, state: Ints) -> Bools:
    """Tell which contracts are pauses that interrupt nothing."""
    loose, other = state == PAUSED, (state == PAID) | (state == PAUSED)
    who, day = customer[loose], start[loose]
    loose[loose] = next_start(customer[other], until[other], who, day) != day
    return loose


def _among(mask: Bools, rows: Bools) -> Bools:
    """Return a mask of some rows as one of all."""
    whole = np.zeros(rows.size, dtype=bool)
    whole[rows] = mask
    return whole


def _reasons(frame: pd.DataFrame) -> tuple[Ints | None, list[str]]:
    """Return the reason of each contract's end, and the reasons as they end names of columns."""
    if "reason" not in frame.columns:
        return None, []
    codes, words = sorted_codes(frame["reason"])
    names = [re.sub(r"\W+", "_", str(word).casefold()).strip("_") for word in words]
    known = sorted({*names} - {"unknown"})
    place = {word: number for number, word in enumerate([*known, "unknown"])}
    number = np.array([place.get(word, len(known)) for word in [*names, "unknown"]])
    return number[codes], [*known, "unknown"]
