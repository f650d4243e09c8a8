"""Variables cut into cells and bins, each with the rule that says who is in it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import columns_named
from crmkit._checks import check_flag, check_number
from crmkit._frames import read_customers
from crmkit._learn import with_outcome
from crmkit._learn.levels import MISSING, OTHER, level_text, number_texts
from crmkit.errors import InputError
from crmkit.response._math.binning import merge_cells, number_cells
from crmkit.response._table.coding import RuleCells, condition, quoted_name
from crmkit.response._table.variables import Variable, as_number, read_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["BinnedVariable", "bin_customers"]

_FEW = 50
_FINE = 50


@dataclass(frozen=True, slots=True)
class BinnedVariable:
    """A variable's bins and the finer cells they were merged from.

    Special codes are bins of their own behind the others, missing comes last if there is any.
    ``labels``, ``rules``, ``events`` and ``others`` have shape (b,); ``cell_events`` and
    ``cell_others`` (m,) were cut without a look at the outcome, so that a test on them is fair.
    """

    name: str
    kind: str
    labels: list[str]
    rules: list[str]
    events: Floats
    others: Floats
    cell_events: Floats
    cell_others: Floats
    missing: float


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
        events = others = edges = np.zeros(0)
        starts, labels = np.zeros(0, dtype=np.int64), []
        if values.size:
            cells = number_cells(values, with_event, fine)
            events, others, edges = cells.events, cells.others, cells.edges
            starts = merge_cells(
                events, others, max_bins=max_bins, min_size=least, monotone=monotone, whole=whole
            )
            labels = _range_labels(edges, starts, float(values.min()), float(values.max()))
        meaning = RuleCells(variable.name, edges, [], False, True)
        order = np.arange(events.size)
    else:
        names, kept, events, others = _level_cells(variable, outcome, min(_FEW, least))
        meaning = RuleCells(variable.name, None, kept, len(names) > len(kept), True)
        order = np.lexsort((np.arange(events.size), events / np.maximum(events + others, 1)))
        names, events, others = [names[i] for i in order], events[order], others[order]
        starts = np.zeros(0, dtype=np.int64)
        if events.size:
            starts = merge_cells(events, others, max_bins=events.size, min_size=least, whole=whole)
        ends = [*starts[1:].tolist(), len(names)]
        labels = [", ".join(sorted(names[a:b])) for a, b in zip(starts.tolist(), ends, strict=True)]
    parts = np.split(order, starts[1:]) if starts.size else []
    rules = [_rule(meaning, part, events.size, variable) for part in parts]
    bin_events = np.add.reduceat(events, starts) if starts.size else events
    bin_others = np.add.reduceat(others, starts) if starts.size else others
    more_labels, more_rules, more = _apart(variable, outcome)
    return BinnedVariable(
        variable.name,
        variable.kind,
        [*labels, *more_labels],
        [*rules, *more_rules],
        np.r_[bin_events, more[0]],
        np.r_[bin_others, more[1]],
        np.r_[events, more[0]],
        np.r_[others, more[1]],
        float(more[:, -1].sum()) if MISSING in more_labels else 0.0,
    )


def _apart(variable: Variable, outcome: Floats) -> tuple[list[str], list[str], Floats]:
    """Return labels, rules, and events and others, of what is a bin in any case, (2, b).

    Special codes that somebody has, and missing values.
    """
    if variable.numbers is not None:
        known = ~np.isnan(variable.numbers)
    else:
        assert variable.codes is not None
        known = variable.codes >= 0
    name, size = quoted_name(variable.name), len(variable.special)
    code = np.full(outcome.size, size)
    if variable.at_special is not None:
        code = np.where(variable.at_special >= 0, variable.at_special, size)
    code = np.where(known, size + 1, code)
    events = np.bincount(code, weights=outcome, minlength=size + 2)[: size + 1]
    n = np.bincount(code, minlength=size + 2)[: size + 1]
    labels = [*map(level_text, variable.special), MISSING]
    rules = [*(f"{name} in [{one!r}]" for one in variable.special), f"{name}.isna()"]
    met = np.flatnonzero(n)
    counts = np.stack([events, n - events])[:, met]
    return [labels[i] for i in met], [rules[i] for i in met], counts


def _rule(meaning: RuleCells, cells: Ints, n_cells: int, variable: Variable) -> str:
    """Write who is in the bin of some cells, special codes that its limits would take in left out.

    They are no amounts: -999 is not below 20.
    """
    mask = np.zeros(n_cells + 1, dtype=bool)
    mask[cells] = True
    rule, whole = condition(meaning, mask), bool(mask[:-1].all())
    if meaning.edges is None:
        caught = variable.special if whole or (meaning.pooled and mask[-2]) else []
    else:
        edges = np.r_[-np.inf, meaning.edges, np.inf]
        low, high = edges[cells.min()], edges[cells.max() + 1]
        caught = [one for one in variable.special if whole or low <= as_number(one) < high]
    return f"{rule} and {quoted_name(variable.name)} not in {caught!r}" if caught else rule


def bin_customers(
    customers: Any,
    outcome: str,
    *,
    columns: str | Sequence[str] | None,
    max_bins: int,
    min_bin_share: float,
    monotone: bool,
    special_codes: Any,
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
    variables = read_variables(people, columns, exclude=[outcome], special_codes=special_codes)
    binned = [
        _bin(variable, result, max_bins=max_bins, min_bin_share=min_bin_share, monotone=monotone)
        for variable in variables
    ]
    return account, (events, result.size - events), binned


def _level_cells(
    variable: Variable, outcome: Floats, few: float
) -> tuple[list[str], list[Any], Floats, Floats]:
    """Return names, levels, events and others per level; levels held by few are pooled, last.

    They are pooled before any look at their outcomes: ordered by their rates, a thousand levels of
    one customer each would seem to tell everything.
    """
    assert variable.codes is not None
    size = len(variable.levels)
    known = variable.codes >= 0
    codes = variable.codes[known]
    count = np.bincount(codes, minlength=size).astype(np.float64)
    events = np.bincount(codes, weights=outcome[known], minlength=size).astype(np.float64)
    rare = count < few
    if rare.sum() < 2:
        rare[:] = False
    kept = np.flatnonzero(~rare).tolist()
    names, values = [variable.levels[i] for i in kept], [variable.values[i] for i in kept]
    if rare.any():
        names.append(OTHER)
        count = np.r_[count[~rare], count[rare].sum()]
        events = np.r_[events[~rare], events[rare].sum()]
    return names, values, events, count - events


def _range_labels(edges: Floats, starts: Ints, low: float, high: float) -> list[str]:
    """Name the bins of a number by their limits; the lower one belongs to the bin."""
    if not starts[1:].size:
        return [" to ".join(dict.fromkeys(number_texts([low, high], 6)))]
    cuts = number_texts(edges[starts[1:] - 1], 6)
    inner = [f"{a} to < {b}" for a, b in itertools.pairwise(cuts)]
    return [f"< {cuts[0]}", *inner, f">= {cuts[-1]}"]
