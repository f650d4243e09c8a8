"""Columns of a customer table as variables: numbers or levels, each cut into cells and bins."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns, columns_named
from crmkit._checks import Problems, check_flag, check_number, require_columns
from crmkit._frames import read_customers, sorted_codes
from crmkit._learn import column_kind, with_outcome
from crmkit._learn.levels import MISSING, OTHER, level_text, number_texts
from crmkit._learn.terms import read_numbers
from crmkit.errors import InputError
from crmkit.response._math.binning import merge_cells, number_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from crmkit._typing import Floats, Ints


__all__ = ["BinnedVariable", "Variable", "bin_customers", "read_variables"]

_FEW = 50
_FINE = 50


@dataclass(frozen=True, slots=True)
class Variable:
    """One column: ``numbers`` (n,), NaN where missing, or ``codes`` (n,) into ``levels``, -1."""

    name: str
    numbers: Floats | None
    codes: Ints | None
    levels: list[str]

    @property
    def kind(self) -> str:
        """Return "number" or "level"."""
        return "number" if self.numbers is not None else "level"


@dataclass(frozen=True, slots=True)
class BinnedVariable:
    """A variable's bins and the finer cells they were merged from, missing last if there is any.

    ``labels``, ``events`` and ``others`` have shape (b,); ``cell_events`` and ``cell_others``
    (m,) were cut without a look at the outcome, so that a test on them is fair.
    """

    name: str
    kind: str
    labels: list[str]
    events: Floats
    others: Floats
    cell_events: Floats
    cell_others: Floats
    missing: float


def read_variables(
    customers: pd.DataFrame,
    columns: str | Sequence[str] | None,
    *,
    exclude: Iterable[str] = (),
    name: str = "customers",
) -> list[Variable]:
    """Read the columns asked for, or all but the id, the excluded ones and dates."""
    left_out = {"customer_id", *exclude}
    if columns is None:
        chosen = [column for column in customers.columns if column not in left_out]
    else:
        chosen = check_columns(columns, "columns")
        require_columns(customers.columns, chosen, name)
    problems = Problems(name)
    found = []
    for column in chosen:
        kind = column_kind(customers[column])
        if kind == "numbers":
            values = read_numbers(customers[column], problems, column)
            found.append(Variable(column, values, None, []))
        elif kind in ("flags", "levels"):
            codes, distinct = sorted_codes(customers[column])
            found.append(Variable(column, None, codes, [level_text(level) for level in distinct]))
        elif columns is not None:
            what = "dates: write it as days before the contact" if kind == "dates" else "nothing"
            problems.add(f"column {column!r} holds {what}.")
    problems.raise_if_any()
    if not found:
        raise InputError(f"`{name}` has no column to look at: give some that describe customers.")
    return found


def _bin(
    variable: Variable,
    outcome: Floats,
    *,
    max_bins: int,
    min_bin_share: float,
    monotone: bool = False,
) -> BinnedVariable:
    """Bin a variable for outcomes (n,) of 0.0 and 1.0; a missing value is a bin of its own."""
    n, total = outcome.size, float(outcome.sum())
    least = min_bin_share * n
    whole = (total, n - total)
    if variable.numbers is not None:
        known = ~np.isnan(variable.numbers)
        everything = bool(known.all())
        values = variable.numbers if everything else variable.numbers[known]
        with_event = variable.numbers[known & (outcome > 0)]
        # Five expected events per cell keep the chi-squared test of the cells sound.
        fine = int(min(_FINE, max(min(total, n - total) // 5, 2)))
        if values.size:
            cells = number_cells(values, with_event, fine)
            events, others, edges = cells.events, cells.others, cells.edges
            starts = merge_cells(
                events, others, max_bins=max_bins, min_size=least, monotone=monotone, whole=whole
            )
            labels = _range_labels(edges, starts, float(values.min()), float(values.max()))
        else:
            events = others = np.zeros(0)
            starts, labels = np.zeros(0, dtype=np.int64), []
        lost = (total - events.sum(), n - total - others.sum())
    else:
        names, events, others, lost = _level_cells(variable, outcome, min(_FEW, least))
        order = np.lexsort((np.arange(events.size), events / np.maximum(events + others, 1)))
        names, events, others = [names[i] for i in order], events[order], others[order]
        starts = np.zeros(0, dtype=np.int64)
        if events.size:
            starts = merge_cells(events, others, max_bins=events.size, min_size=least, whole=whole)
        ends = [*starts[1:].tolist(), len(names)]
        labels = [", ".join(sorted(names[a:b])) for a, b in zip(starts.tolist(), ends, strict=True)]
    bin_events = np.add.reduceat(events, starts) if starts.size else events
    bin_others = np.add.reduceat(others, starts) if starts.size else others
    missing = float(sum(lost))
    if missing:
        labels = [*labels, MISSING]
        bin_events, bin_others = np.r_[bin_events, lost[0]], np.r_[bin_others, lost[1]]
        events, others = np.r_[events, lost[0]], np.r_[others, lost[1]]
    return BinnedVariable(
        variable.name, variable.kind, labels, bin_events, bin_others, events, others, missing
    )


def bin_customers(
    customers: Any,
    outcome: str,
    *,
    columns: str | Sequence[str] | None,
    max_bins: int,
    min_bin_share: float,
    monotone: bool,
) -> tuple[dict[str, int], tuple[float, float], list[BinnedVariable]]:
    """Return the account of the rows, responders and others, and the variables."""
    max_bins = check_number(max_bins, "max_bins")
    min_bin_share = check_number(min_bin_share, "min_bin_share")
    check_flag(monotone, "monotone")
    people = read_customers(customers, needs=columns_named(outcome=outcome))
    people, result, account = with_outcome(people, outcome)
    events = float(result.sum())
    if events in (0.0, float(result.size)):
        who = "nobody" if events == 0 else "everybody"
        raise InputError(f"`customers`: {who} has outcome 1 in {outcome!r}: nothing to explain.")
    variables = [
        _bin(variable, result, max_bins=max_bins, min_bin_share=min_bin_share, monotone=monotone)
        for variable in read_variables(people, columns, exclude=[outcome])
    ]
    return account, (events, result.size - events), variables


def _level_cells(
    variable: Variable, outcome: Floats, few: float
) -> tuple[list[str], Floats, Floats, tuple[float, float]]:
    """Count events and others per level; levels held by few are pooled before any look at them.

    Ordered by their rates, a thousand levels of one customer each would seem to tell everything.
    """
    assert variable.codes is not None
    size = len(variable.levels)
    codes = np.where(variable.codes < 0, size, variable.codes)
    count = np.bincount(codes, minlength=size + 1).astype(np.float64)
    events: Floats = np.bincount(codes, weights=outcome, minlength=size + 1).astype(np.float64)
    lost = (float(events[size]), float(count[size] - events[size]))
    count, events = count[:size], events[:size]
    rare = count < few
    if rare.sum() < 2:
        rare[:] = False
    names = [name for name, small in zip(variable.levels, rare, strict=True) if not small]
    kept_count, kept_events = count[~rare], events[~rare]
    if rare.any():
        names.append(OTHER)
        kept_count = np.r_[kept_count, count[rare].sum()]
        kept_events = np.r_[kept_events, events[rare].sum()]
    return names, kept_events, kept_count - kept_events, lost


def _range_labels(edges: Floats, starts: Ints, low: float, high: float) -> list[str]:
    """Name the bins of a number by their limits; the lower one belongs to the bin."""
    if not starts[1:].size:
        return [" to ".join(dict.fromkeys(number_texts([low, high], 6)))]
    cuts = number_texts(edges[starts[1:] - 1], 6)
    inner = [f"{a} to < {b}" for a, b in itertools.pairwise(cuts)]
    return [f"< {cuts[0]}", *inner, f">= {cuts[-1]}"]
