"""Scores beside what happened, for tables that judge scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array, require_columns
from crmkit._frames import read_customers
from crmkit._learn.outcomes import (
    outcome_column,
    read_snapshots,
    score_column,
    tested_customers,
    two_arms,
    with_outcome,
)

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["JudgedArms", "JudgedScores", "judged_arms", "judged_scores", "matched_scores"]


@dataclass(frozen=True, slots=True)
class JudgedScores:
    """``score`` and ``outcome`` of the customers whose outcome is known, (n,) each.

    ``name`` is the column the score comes from, ``account`` counts the rows that were given.
    """

    score: Floats
    outcome: Floats
    name: str
    account: dict[str, int]


def judged_scores(
    customers: Any, scores: Any, outcome: str | None, score: str | None, **known: Any
) -> JudgedScores:
    """Return scores and outcomes of one row per customer, or per customer and ``as_of``.

    Scores of rows the model learned from are refused: they flatter it. `known` are the names that
    `score` may mean where it is None.
    """
    frame = read_snapshots(customers)
    marks = read_customers(scores, name="scores", unique=False)
    frame, result, account = with_outcome(frame, outcome_column(frame, outcome))
    column = score_column(marks, score, **known)
    return JudgedScores(matched_scores(frame, marks, column), result, column, account)


def matched_scores(customers: pd.DataFrame, scores: pd.DataFrame, score: str) -> Floats:
    """Return column `score` in the row order of `customers`; each row needs exactly one score.

    Rows meet by id, and by ``as_of`` where both tables have it.
    """
    keys = ["customer_id"]
    require_columns(customers.columns, keys, "customers")
    require_columns(scores.columns, [*keys, score], "scores")
    if "as_of" in customers.columns and "as_of" in scores.columns:
        keys.append("as_of")
    problems = Problems("scores")
    values = number_array(scores[score], problems, score)
    index = pd.MultiIndex.from_frame(scores[keys])
    problems.rows(
        np.asarray(index.duplicated()),
        f"{' and '.join(keys)} occur twice",
        do="Keep one score per row of `customers`.",
    )
    problems.raise_if_any()
    at = index.get_indexer(pd.MultiIndex.from_frame(customers[keys]))
    problems = Problems("customers")
    problems.rows(at < 0, "no score found", do="Score the same customers that are judged.")
    problems.raise_if_any()
    _refuse_flattery(scores, at)
    return values[at]


def _refuse_flattery(scores: pd.DataFrame, rows: Ints) -> None:
    """Raise InputError if a model learned from any of these rows of its scores."""
    if "in_sample" not in scores.columns:
        return
    problems = Problems("scores")
    learned = number_array(
        scores["in_sample"].iloc[rows], problems, "in_sample", allow_missing=True
    )
    problems.rows(
        np.isnan(learned),
        "column 'in_sample' is missing: a model read from a file does not know its training table",
        do="If it holds none of these customers, say so: scores.assign(in_sample=False).",
    )
    problems.rows(
        learned > 0,
        "the model learned from the very rows it would be judged on",
        do="Judge its out-of-fold scores (model.scores_), or customers it has not seen.",
    )
    problems.raise_if_any()


@dataclass(frozen=True, slots=True)
class JudgedArms:
    """Customers of a test: ``score``, ``arm`` (0 control, 1 treated) and ``outcome``, (n,) each.

    ``people`` (n rows) and ``scores`` are the tables they come from, ``account`` counts the rows
    that were given.
    """

    score: Floats
    arm: Ints
    outcome: Floats
    binary: bool
    people: pd.DataFrame
    scores: pd.DataFrame
    account: dict[str, int]


def judged_arms(
    customers: Any,
    scores: Any,
    *,
    outcome: str,
    treated: str,
    control: Any,
    treatment: Any,
    score: str | None,
) -> JudgedArms:
    """Return scores, arms and outcomes of one treatment and the control group."""
    people = read_customers(customers, needs=[outcome, treated])
    marks = read_customers(scores, name="scores", unique=False)
    _, _, chosen = two_arms(people, treated, control, treatment)
    people, result, arm, account = tested_customers(
        people, outcome, treated, control=control, treatment=chosen
    )
    if "treatment" in marks.columns:
        marks = marks[(marks["treatment"].astype(object) == chosen).to_numpy(dtype=bool)]
    marks = marks.reset_index(drop=True)
    values = matched_scores(people, marks, score_column(marks, score))
    binary = bool(((result == 0) | (result == 1)).all())
    return JudgedArms(values, arm, result, binary, people, marks, account)
