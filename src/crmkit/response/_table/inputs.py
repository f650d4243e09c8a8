"""How the room reads outcomes, arms, groups and scores from customer tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit._frames import sorted_codes
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "Arms",
    "Groups",
    "as_list",
    "contacted_outcome",
    "number_or_column",
    "positions",
    "read_arms",
    "read_groups",
    "score_column",
    "two_arms",
]

_SCORES = ("uplift", "p_response", "p_churn", "score")


def as_list(names: str | Iterable[str]) -> list[str]:
    """Return one name or several as a list."""
    return [names] if isinstance(names, str) else list(names)


def contacted_outcome(
    customers: pd.DataFrame, outcome: str, *, binary: bool = True, name: str = "customers"
) -> Floats:
    """Return column `outcome` as floats, shape (n,), NaN where the customer was not contacted.

    A missing outcome is not a "no": whoever was never asked did not decline.
    """
    require_columns(customers.columns, [outcome], name)
    problems = Problems(name)
    values = number_array(customers[outcome], problems, outcome, allow_missing=True)
    known = np.isfinite(values)
    if binary:
        problems.rows(
            known & (values != 0) & (values != 1),
            f"column {outcome!r} must be 0 or 1 (or False and True) but is not",
            do="Compare it with the level that counts as a response first.",
            values=values.tolist(),
        )
    if not problems and not known.any():
        problems.add(f"column {outcome!r} is missing in every row: nobody's outcome is known.")
    problems.raise_if_any()
    return values


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of rows by the levels of one or more columns.

    ``codes`` (n,) index the rows of ``levels``, a table with one column per grouping column,
    sorted, missing last.
    """

    codes: Ints
    levels: pd.DataFrame


def read_groups(
    customers: pd.DataFrame,
    by: Sequence[str],
    *,
    reserved: Iterable[str] = (),
    name: str = "customers",
) -> Groups:
    """Group rows by crossed columns; a missing value is a level of its own.

    `reserved` are the columns that the result will have beside those of `by`.
    """
    require_columns(customers.columns, by, name)
    taken = sorted(set(by) & set(reserved))
    if taken or not by:
        raise InputError(
            f"`by` names {taken}, which the result uses itself. Rename the column first."
            if taken
            else "`by` is empty: name at least one column."
        )
    cell = np.zeros(len(customers), dtype=np.int64)
    known: list[pd.Index[Any]] = []
    for column in by:
        codes, distinct = sorted_codes(customers[column])
        known.append(distinct)
        cell = cell * (len(distinct) + 1) + np.where(codes < 0, len(distinct), codes)
    cells, codes = np.unique(cell, return_inverse=True)
    levels: dict[str, pd.Series[Any]] = {}
    for column, distinct in zip(reversed(by), reversed(known), strict=True):
        cells, place = np.divmod(cells, len(distinct) + 1)
        # The place behind the last level is the missing one, which reindex fills as missing.
        levels[column] = pd.Series(distinct).reindex(place).reset_index(drop=True)
    return Groups(codes.astype(np.int64), pd.DataFrame({column: levels[column] for column in by}))


@dataclass(frozen=True, slots=True)
class Arms:
    """Which arm of a test every row is in: ``code`` (n,), 0 for control, and the treatments."""

    code: Ints
    treatments: list[Any]
    control: Any


def read_arms(
    customers: pd.DataFrame, treated: str, control: Any, *, name: str = "customers"
) -> Arms:
    """Read the arms of a test; a table without a control group or a treatment is refused."""
    require_columns(customers.columns, [treated], name)
    codes, distinct = sorted_codes(customers[treated])
    levels = list(distinct)
    problems = Problems(name)
    problems.rows(
        codes < 0,
        f"column {treated!r} is missing",
        do="Say for every customer which arm they were in, or leave them out.",
    )
    if control is None:
        numbers = all(level in (0, 1) for level in levels)
        if not numbers and "control" not in levels:
            problems.add(
                f"column {treated!r} has the levels {levels[:10]}: name the control group with "
                "`control`."
            )
        control = 0 if numbers else "control"
    problems.raise_if_any()
    if control not in levels or len(levels) < 2:
        what = "no control group" if control not in levels else "nobody but the control group"
        problems.add(
            f"column {treated!r} has {what} (levels {levels[:10]}, control {control!r}). What a "
            "contact changes cannot be told without customers who were left alone at random."
        )
        problems.raise_if_any()
    treatments = [level for level in levels if level != control]
    place = np.array([0 if level == control else treatments.index(level) + 1 for level in levels])
    return Arms(place[codes].astype(np.int64), treatments, control)


def two_arms(
    customers: pd.DataFrame, treated: str, control: Any, treatment: Any
) -> tuple[Bools, Bools, Any]:
    """Return which rows are compared, which are treated, (n,) each, and the treatment's name."""
    arms = read_arms(customers, treated, control)
    if treatment is None and len(arms.treatments) > 1:
        raise InputError(
            f"column {treated!r} has several treatments {arms.treatments[:10]}: choose the one to "
            "compare with the control group with `treatment`."
        )
    chosen = arms.treatments[0] if treatment is None else treatment
    if chosen not in arms.treatments:
        raise InputError(f"`treatment` must be one of {arms.treatments[:10]}; got {chosen!r}.")
    code = arms.treatments.index(chosen) + 1
    return (arms.code == 0) | (arms.code == code), arms.code == code, chosen


def score_column(scores: pd.DataFrame, score: str | None) -> str:
    """Return the name of the score column: the one asked for, or the only one that can be meant."""
    if score is not None:
        require_columns(scores.columns, [score], "scores")
        return score
    known = [column for column in _SCORES if column in scores.columns]
    if len(known) == 1:
        return known[0]
    raise InputError(
        f"`scores` has {'several of' if known else 'none of'} the columns {list(_SCORES)}. Name "
        "the one to use with `score`."
    )


def number_or_column(
    value: Any, customers: pd.DataFrame, name: str, *, low: float | None = None
) -> Floats:
    """Return one number for all or a column's numbers, shape (n,)."""
    if isinstance(value, str):
        require_columns(customers.columns, [value], "customers")
        problems = Problems("customers")
        values = number_array(customers[value], problems, value, low=low)
        problems.raise_if_any()
        return values
    return np.full(len(customers), check_number(value, name, low=low))


def positions(ids: pd.Series[Any], others: pd.Series[Any], table: str) -> Ints:
    """Return the row in `ids` (distinct) of each of the other ids, -1 where it is not there.

    Ids of another kind are refused: a list of text ids finds nobody in a table of numbers, and
    would for instance suppress nobody.
    """
    if len(others) and _is_number(ids) != _is_number(others):
        kinds = ["numbers" if _is_number(one) else "text" for one in (ids, others)]
        raise InputError(
            f"`{table}` has a customer_id of another kind: `customers` holds {kinds[0]}, "
            f"`{table}` holds {kinds[1]}, so no id could match. Convert one of them."
        )
    if ids.dtype != others.dtype:
        ids, others = ids.astype(object), others.astype(object)
    return np.asarray(pd.Index(ids).get_indexer(pd.Index(others)), dtype=np.int64)


def _is_number(ids: pd.Series[Any]) -> bool:
    """Tell whether ids are numbers, whatever their storage."""
    if isinstance(ids.dtype, pd.CategoricalDtype):
        ids = pd.Series(ids.cat.categories)
    kind = pd.api.types.infer_dtype(ids, skipna=True)
    return kind in {"integer", "floating", "mixed-integer-float", "decimal"}
