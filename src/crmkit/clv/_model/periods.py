"""What the models in whole periods share: what a period is, and which lie ahead.

A table of `contract_table` or `opportunity_table` says what a period is and till when it counted;
then what is due within a horizon are the first days of the periods that begin in it. Else a period
is `period_days` long, and the first is over so many days after the last one counted.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from crmkit._checks import Problems, check_optional, listed, quoted
from crmkit._frames import day_numbers, read_customers, read_period
from crmkit._periods import Calendar, days_of_period, period_of, period_start
from crmkit.clv._model.purchases import PurchaseModel
from crmkit.clv._model.rows import parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead
    from crmkit.clv._math.law import Future, PeriodLaw
    from crmkit.clv._math.rows import Rows

__all__ = ["OnCalendar", "PeriodModel", "whole"]

# So many periods are discounted each from its own day.
_EXACT = 60.0
_FAR = 200_000.0  # days: beyond five hundred years the calendar is an average


class PeriodModel(PurchaseModel):
    """Base of the models whose clock ticks once per period."""

    _length: ClassVar[str] = "periods"

    period_: str | None

    def __init__(
        self,
        *,
        period_days: float | None = None,
        purchase_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        prior: Any = None,
        n_draws: int = 1000,
        random_state: int | None = None,
    ) -> None:
        self.period_days = period_days
        self.purchase_covariates = purchase_covariates
        self.dropout_covariates = dropout_covariates
        self.tie = tie
        self.l2 = l2
        self.prior = prior
        self.n_draws = n_draws
        self.random_state = random_state

    @property
    @abstractmethod
    def _law(self) -> PeriodLaw: ...

    def _in_periods(self, theta: list[Any], columns: dict[str, Floats], period: float) -> Future:
        """Return the posterior of customers, for a period of so many days."""
        return replace(self._law, period_days=period).future(theta, columns)

    @abstractmethod
    def _history(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        """Return the model's own columns as arrays."""

    def _read(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        columns = self._history(frame, problems)
        if _unit_of(frame) is not None:
            columns["as_of"] = day_numbers(frame["as_of"], problems, "as_of").astype(np.float64)
            self._check_same(_unit_of(frame))
        return columns

    def _check_same(self, unit: str | None) -> None:
        """Refuse a table of other periods than those that the model learned from."""
        if hasattr(self, "period_") and unit != self.period_:
            own = repr(self.period_) if self.period_ else f"{self._period():g} days"
            raise InputError(
                f"`customers` counts in periods of {unit!r}, but the model learned from periods of "
                f"{own}. Make the table with the same `period`."
            )

    def _usable(self, rows: Rows) -> Rows:
        self.period_ = None
        # When the counting ended says nothing about customers.
        columns = {name: v for name, v in rows.columns.items() if name != "as_of"}
        return replace(rows, columns=columns)

    def fit(self, customers: Any, *, weights: str | None = None) -> Self:
        table = read_customers(customers)
        unit, own = _unit_of(table), check_optional(self.period_days, "period_days")
        if unit is not None and own is not None:
            raise InputError(
                f"`period_days` is {own:g}, but `customers` counts in periods of {quoted(unit)}. "
                "Leave period_days out, or the columns 'period_unit' and 'as_of'."
            )
        if hasattr(self, "period_"):
            del self.period_
        super().fit(table, weights=weights)
        self.period_ = unit
        return self

    fit.__doc__ = PurchaseModel.fit.__doc__

    def _period(self) -> float:
        """Return the length of a period in days, on average over the years."""
        own = check_optional(self.period_days, "period_days")
        if own is not None:
            return float(own)
        if getattr(self, "period_", None) is None:
            raise InputError(
                f"This {type(self).__name__} does not know how long a period is. Make it with "
                "period_days, such as 365 for years, or fit it on a contract_table or an "
                "opportunity_table, which say it."
            )
        return days_of_period(read_period(str(self.period_)))

    def _future(self, theta: list[Any], columns: dict[str, Floats]) -> Future:
        unit = getattr(self, "period_", None)
        if unit is None:
            return self._in_periods(theta, columns, self._period())
        if "as_of" not in columns:
            raise InputError(
                "`customers` lacks the columns 'period_unit' and 'as_of', by which the model tells "
                f"what falls due. Give {unit!r} and the last day of the last period counted."
            )
        last = np.unique(columns["as_of"])
        if last.size > 1:
            raise InputError(
                "`customers` holds rows of several days in the column 'as_of'. Predict for each "
                "day apart."
            )
        clock = read_period(unit)
        day = int(last[0]) if last.size else 0
        return OnCalendar(self._in_periods(theta, columns, 1.0), clock, day)

    def _days_till(self, customers: pd.DataFrame, periods: float) -> float:
        """Return the days till so many periods are due after the last one counted."""
        if self.period_ is None:
            return periods * self._period()
        problems = Problems("customers")
        day = day_numbers(customers["as_of"].head(1), problems, "as_of")
        problems.raise_if_any()
        return float(OnCalendar(None, read_period(self.period_), int(day[0])).due(periods)[-1])

    def _new_customers(self, kinds: pd.DataFrame, days: Floats) -> Floats:
        """Return what customers without a history buy within each number of days, (n, days)."""
        _, rows = self._rows(kinds)
        theta = parameters_at(self.coefficients_, rows.designs)
        future = self._in_periods(theta, rows.columns, self._period())
        return np.column_stack([future.expected(float(t))[rows.inverse] for t in days])

    def _unit(self, rows: Rows) -> float:
        asked = check_optional(self.period_days, "period_days")  # refused before the work
        del rows, asked
        return 1.0

    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        del unit
        return rows

    def _unit_power(self, rows: Rows) -> float:
        del rows
        return 0.0


@dataclass(frozen=True, slots=True)
class OnCalendar:
    """A future in periods of one day as one on a calendar, from the end of day `as_of` on."""

    inner: Any
    calendar: Calendar
    as_of: int

    @property
    def p_alive(self) -> Floats:
        """P(alive at the last period counted)."""
        result: Floats = self.inner.p_alive
        return result

    def periods(self, days: float) -> float:
        """Return how many periods begin in (as_of, as_of + days]."""
        if days > _FAR:
            return float(days / days_of_period(self.calendar))
        ends = np.array([self.as_of, self.as_of + int(days)])
        first, last = period_of(ends, self.calendar)
        return float(last - first)

    def due(self, number: float) -> Floats:
        """Return the days from `as_of` to the first day of each of the next periods."""
        first = int(period_of(np.array([self.as_of]), self.calendar)[0]) + 1
        starts = period_start(first + np.arange(int(number)), self.calendar)
        return (starts - self.as_of).astype(np.float64)

    def survival(self, days: float) -> Floats:
        """P(alive after what falls due in `days`)."""
        result: Floats = self.inner.survival(self.periods(days))
        return result

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases that fall due in `days`, each discounted from its day."""
        number = self.periods(days)
        if rate == 0.0 or number == 0.0:
            found: Floats = self.inner.expected(number)
            return found
        near = min(number, _EXACT)
        factor = np.exp(-rate * self.due(near))
        # What falls due on a day is bought with the same probability by all who live to see it.
        there = np.stack([self.inner.survival(j) for j in np.arange(1.0, near + 1.0)])
        buys = self.inner.expected(1.0) / np.where(there[0] > 0.0, there[0], 1.0)
        total: Floats = (factor @ there) * buys
        if number > near:
            # Far ahead every period is as long as all are on average.
            per = rate * days_of_period(self.calendar)
            rest = self.inner.expected(number, per) - self.inner.expected(near, per)
            total = total + rest * factor[-1] * np.exp(per * near)
        return total

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw what of the things that fall due in `days` the customers `who` buy."""
        number = self.periods(days)
        found: Ahead = self.inner.draw(number, rng, who)
        return replace(found, when=self.due(number)[found.when.astype(np.int64) - 1])

    def at_least(self, days: float, counts: Floats) -> Floats:
        """P(at least `counts` purchases in what falls due in `days`), shape (n, m)."""
        result: Floats = self.inner.at_least(self.periods(days), counts)
        return result

    def exactly(self, days: float, counts: Floats) -> Floats:
        """P(`counts` purchases in what falls due in `days`), shape (n, m)."""
        result: Floats = self.inner.exactly(self.periods(days), counts)
        return result


def _unit_of(frame: pd.DataFrame) -> str | None:
    """Return what a table says its periods are, or None where it does not say it."""
    if "period_unit" not in frame.columns or "as_of" not in frame.columns:
        return None
    units = frame["period_unit"].unique()
    if len(units) != 1 or not isinstance(units[0], str):
        raise InputError(
            "`customers`: column 'period_unit' must hold one word in all rows; "
            f"got {listed(units)}."
        )
    read_period(units[0])
    return str(units[0])


def whole(values: Floats, column: str, problems: Problems) -> None:
    """Note values that are not whole numbers."""
    problems.rows(
        np.isfinite(values) & (values != np.floor(values)),
        f"column {column!r} is not a whole number",
        do="It counts periods or purchases.",
    )
