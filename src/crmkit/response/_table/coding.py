"""Variables as codes for trees, and masks of codes as rules to read and to run."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_number
from crmkit.response._math.tree import Coded
from crmkit.response._table.variables import Variable, read_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Bools, Floats


__all__ = [
    "EVERYONE",
    "RuleCells",
    "RuleVariable",
    "check_tree_options",
    "code_variables",
    "condition",
    "quoted_name",
    "rule_of",
]

EVERYONE = "all customers"
_CELLS = 32


@dataclass(frozen=True, slots=True)
class RuleCells:
    """What the codes of a variable mean.

    Numbers: code i holds edges[i - 1] <= x < edges[i]. Levels: code i is ``levels[i]``, the last
    but one stands for all rare levels if ``pooled``. The last code is missing, ``gaps`` tells
    whether anybody has it.
    """

    name: str
    edges: Floats | None
    levels: list[Any]
    pooled: bool
    gaps: bool


@dataclass(frozen=True, slots=True)
class RuleVariable(RuleCells):
    """A variable as codes, and what they mean."""

    coded: Coded


def check_tree_options(max_segments: int, min_customers: int, alpha: float) -> Any:
    """Return what both trees take, checked."""
    return (
        check_number(max_segments, "max_segments"),
        check_number(min_customers, "min_customers"),
        check_number(alpha, "alpha"),
    )


def code_variables(
    customers: pd.DataFrame, columns: Sequence[str] | None, *, exclude: list[str], least: int
) -> list[RuleVariable]:
    """Read the variables and code them; levels too rare for a group of `least` are pooled."""
    return [
        _code(variable, few=least / 2)
        for variable in read_variables(customers, columns, exclude=exclude)
    ]


def _code(variable: Variable, *, few: float) -> RuleVariable:
    """Code numbers by their quantiles and levels by themselves, rare ones as one."""
    if variable.numbers is not None:
        missing = np.isnan(variable.numbers)
        known = variable.numbers[~missing] if missing.any() else variable.numbers
        edges = _edges(known, _CELLS)
        codes = np.searchsorted(edges, variable.numbers, side="right")
        codes = np.where(missing, edges.size + 1, codes).astype(np.uint8)
        coded = Coded(codes, edges.size + 2, ordered=True)
        return RuleVariable(variable.name, edges, [], False, bool(missing.any()), coded)
    assert variable.codes is not None
    count = np.bincount(variable.codes[variable.codes >= 0], minlength=len(variable.levels))
    rare = count < few
    kept = np.flatnonzero(~rare)
    place = np.full(len(count) + 1, kept.size, dtype=np.int64)
    place[kept] = np.arange(kept.size)
    size = kept.size + int(rare.any()) + 1
    place[len(count)] = size - 1
    levels = [variable.values[int(i)] for i in kept]
    coded = Coded(place[variable.codes].astype(np.uint16), size, ordered=False)
    gaps = bool((variable.codes < 0).any())
    return RuleVariable(variable.name, None, levels, bool(rare.any()), gaps, coded)


def _edges(known: Floats, n_cells: int) -> Floats:
    """Return distinct quantiles that separate the numbers, all values where there are few."""
    if not known.size:
        return np.zeros(0)
    positions = np.unique(np.arange(1, n_cells) * known.size // n_cells)
    ordered = np.partition(known, positions)
    cut = np.unique(ordered[positions])
    if cut.size < positions.size:
        # Repeated values: give the heavy ones an edge on either side.
        distinct = np.unique(known)
        if distinct.size <= 2 * n_cells:
            cut = distinct
        else:
            following = np.searchsorted(distinct, cut, side="right")
            cut = np.unique(np.r_[cut, distinct[np.minimum(following, distinct.size - 1)]])
    return cut[cut > known.min()]


def rule_of(variables: Sequence[RuleCells], region: list[Bools]) -> str:
    """Write a region as a condition that ``DataFrame.query`` understands."""
    parts = [
        condition(variable, mask)
        for variable, mask in zip(variables, region, strict=True)
        if not (mask if variable.gaps else mask[:-1]).all()
    ]
    return " and ".join(parts) if parts else EVERYONE


def quoted_name(name: str) -> str:
    """Write a column's name as ``DataFrame.query`` understands it."""
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"`{name}`"


def condition(variable: RuleCells, mask: Bools) -> str:
    """Write one variable's allowed codes as a condition."""
    name = quoted_name(variable.name)
    known, missing = mask[:-1], bool(mask[-1]) and variable.gaps
    if not known.any():
        return f"{name}.isna()"
    if known.all():
        return f"{name}.notna()"
    if variable.edges is not None:
        first, last = int(np.argmax(known)), int(known.size - 1 - np.argmax(known[::-1]))
        limits = []
        if first > 0:
            limits.append(f"{name} >= {_number(variable.edges[first - 1])}")
        if last < known.size - 1:
            limits.append(f"{name} < {_number(variable.edges[last])}")
        text = " and ".join(limits)
    else:
        own = len(variable.levels)
        if variable.pooled and known[own]:
            others = [variable.levels[i] for i in np.flatnonzero(~known[:own])]
            text = f"{name} not in {others!r}"
            # A missing value is in no list either.
            return text if missing or not variable.gaps else f"{text} and {name}.notna()"
        inside, outside = (
            [variable.levels[i] for i in np.flatnonzero(one[:own])] for one in (known, ~known)
        )
        exact = not variable.pooled and (missing or not variable.gaps)
        if exact and len(outside) < len(inside):
            return f"{name} not in {outside!r}"
        text = f"{name} in {inside!r}"
    return f"({text} or {name}.isna())" if missing else text


def _number(value: float) -> str:
    """Write a cut so that reading it back gives the same number."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
