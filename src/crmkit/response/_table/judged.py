"""Scores beside what happened, for tables that judge scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems
from crmkit._frames import read_customers
from crmkit._learn import matched_scores
from crmkit.response._table.inputs import contacted_outcome, score_column, two_arms

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats, Ints


__all__ = ["JudgedArms", "judged_arms", "judged_scores"]


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
    return people, _matched(people, marks, score), result[known]


def _matched(people: pd.DataFrame, marks: pd.DataFrame, score: str | None) -> Floats:
    """Return the scores of these customers, (n,), unless a model learned from these very rows."""
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
    return values


@dataclass(frozen=True, slots=True)
class JudgedArms:
    """Customers of a test: ``score``, ``arm`` (0 control, 1 treated) and ``outcome``, (n,) each.

    ``people`` (n rows) and ``scores`` are the tables they come from.
    """

    score: Floats
    arm: Ints
    outcome: Floats
    binary: bool
    people: pd.DataFrame
    scores: pd.DataFrame


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
    result = contacted_outcome(people, outcome, binary=False)
    compared, is_treated, chosen = two_arms(people, treated, control, treatment)
    if "treatment" in marks.columns:
        marks = marks[(marks["treatment"].astype(object) == chosen).to_numpy(dtype=bool)]
    kept = compared & np.isfinite(result)
    people = people[kept].reset_index(drop=True)
    marks = marks.reset_index(drop=True)
    values, result = _matched(people, marks, score), result[kept]
    binary = bool(((result == 0) | (result == 1)).all())
    return JudgedArms(values, is_treated[kept].astype(np.int64), result, binary, people, marks)
