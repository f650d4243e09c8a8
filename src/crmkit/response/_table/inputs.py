"""How the room reads outcomes, arms, groups and scores from customer tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit._frames import read_customers, sorted_codes
from crmkit._learn import matched_scores
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "Groups",
    "as_list",
    "contacted_outcome",
    "judged_scores",
    "number_or_column",
    "positions",
    "read_groups",
    "score_column",
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


def read_groups(customers: pd.DataFrame, by: Sequence[str], *, name: str = "customers") -> Groups:
    """Group rows by crossed columns; a missing value is a level of its own."""
    require_columns(customers.columns, by, name)
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


def judged_scores(
    customers: Any, scores: Any, outcome: str, score: str | None, *, binary: bool = True
) -> tuple[pd.DataFrame, Floats, Floats]:
    """Return the contacted customers, their scores and outcomes, (n,), for judging the scores.

    Scores of rows the model learned from are refused: they flatter it.
    """
    people = read_customers(customers, needs=[outcome])
    marks = read_customers(scores, name="scores")
    result = contacted_outcome(people, outcome, binary=binary)
    known = np.isfinite(result)
    people = people[known].reset_index(drop=True)
    values = matched_scores(people, marks, score_column(marks, score))
    if "in_sample" in marks.columns:
        learned = marks.loc[marks["in_sample"].to_numpy(dtype=bool), "customer_id"]
        seen = people["customer_id"].isin(learned).to_numpy()
        problems = Problems("scores")
        problems.rows(
            seen,
            "the model learned from the very rows it would be judged on",
            do="Judge its out-of-fold scores (model.scores_), or customers it has not seen.",
        )
        problems.raise_if_any()
    return people, values, result[known]


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
