"""Scores beside what happened, for tables that judge scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers, rows_of, sorted_codes
from crmkit._frames.join import by_value
from crmkit._learn.outcomes import (
    outcome_column,
    read_arms,
    read_outcome,
    read_snapshots,
    score_column,
    tested_customers,
    two_arms,
    with_outcome,
)

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = [
    "JudgedArms",
    "JudgedOffers",
    "JudgedScores",
    "judged_arms",
    "judged_offers",
    "judged_scores",
    "scores_at",
]


@dataclass(frozen=True, slots=True)
class JudgedScores:
    """``score`` and ``outcome`` of the customers whose outcome is known, (n,) each.

    ``customer`` (n,) are codes from 0 of whose rows these are, ``name`` is the column the score
    comes from, ``account`` counts the rows that were given.
    """

    score: Floats
    outcome: Floats
    customer: Ints
    name: str
    account: dict[str, int]


def judged_scores(
    customers: Any, scores: Any, outcome: str | None, score: str | None, **known: Any
) -> JudgedScores:
    """Return scores and outcomes of one row per customer, or per customer and ``as_of``.

    Scores of rows the model learned from are refused: they flatter it. `known` are the names that
    `score` may mean where it is None.
    """
    everyone = read_snapshots(customers)
    marks = read_customers(scores, name="scores", unique=False)
    frame, result, account = with_outcome(everyone, outcome_column(everyone, outcome))
    column = score_column(marks, score, **known)
    rows = _rows(frame, marks, everyone["customer_id"], account)
    customer = sorted_codes(frame["customer_id"])[0]
    return JudgedScores(scores_at(marks, column, rows), result, customer, column, account)


def _rows(
    customers: pd.DataFrame, scores: pd.DataFrame, everyone: pd.Series[Any], account: dict[str, int]
) -> Ints:
    """Return the row in `scores` of each of `customers`, who each need exactly one.

    Rows meet by id, and by ``as_of`` where both tables have it. `everyone` holds the ids of all
    customers that were given; ids of `scores` that are not among them are counted.
    """
    ids = by_value(everyone).unique()
    theirs = rows_of(scores["customer_id"], ids, name="scores", other="customers", account=account)
    ours = rows_of(customers["customer_id"], ids, name="customers", other="customers")
    keys = "customer_id"
    if "as_of" in customers.columns and "as_of" in scores.columns:
        keys = "customer_id and as_of"
        days = pd.concat([customers["as_of"], scores["as_of"]], ignore_index=True)
        day, distinct = sorted_codes(days)
        day, n = day + 1, len(distinct) + 1  # a missing day is a day of its own
        ours = ours * n + day[: len(ours)]
        theirs = np.where(theirs < 0, -1, theirs * n + day[len(ours) :])
    problems = Problems("scores")
    problems.rows(
        pd.Series(theirs).duplicated().to_numpy() & (theirs >= 0),
        f"{keys} occur twice",
        do="Keep one score per row of `customers`.",
    )
    problems.raise_if_any()
    known = np.flatnonzero(theirs >= 0)
    rows = np.append(known, -1)[pd.Index(theirs[known]).get_indexer(pd.Index(ours))]
    problems = Problems("customers")
    problems.rows(rows < 0, "no score found", do="Score the same customers that are judged.")
    problems.raise_if_any()
    return rows


def scores_at(scores: pd.DataFrame, score: str, rows: Ints) -> Floats:
    """Return column `score` in these rows, unless a model learned from any of them."""
    problems = Problems("scores")
    values = number_array(scores[score], problems, score)
    problems.raise_if_any()
    if "in_sample" in scores.columns:
        learned = number_array(
            scores["in_sample"].iloc[rows], problems, "in_sample", allow_missing=True
        )
        problems.rows(
            np.isnan(learned),
            "column 'in_sample' is missing: a model read from a file does not know its training "
            "table",
            do="If it holds none of these customers, say so: scores.assign(in_sample=False).",
        )
        problems.rows(
            learned > 0,
            "the model learned from the very rows it would be judged on",
            do="Judge its out-of-fold scores (model.scores_), or customers it has not seen.",
        )
        problems.raise_if_any()
    return values[rows]


@dataclass(frozen=True, slots=True)
class JudgedArms:
    """Customers of a test: ``score``, ``arm`` (0 control, 1 treated) and ``outcome``, (n,) each.

    ``scores`` is the table that the scores come from, ``rows`` (n,) their places there,
    ``account`` counts the rows that were given.
    """

    score: Floats
    arm: Ints
    outcome: Floats
    binary: bool
    scores: pd.DataFrame
    rows: Ints
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
    everyone = read_customers(customers, needs=columns_named(outcome=outcome, treated=treated))
    marks = read_customers(scores, name="scores", unique=False)
    _, _, chosen = two_arms(everyone, treated, control, treatment)
    people, result, arm, account = tested_customers(
        everyone, outcome, treated, control=control, treatment=chosen
    )
    if "treatment" in marks.columns:
        marks = marks[(marks["treatment"].astype(object) == chosen).to_numpy(dtype=bool)]
    marks = marks.reset_index(drop=True)
    column = score_column(marks, score)
    rows = _rows(people, marks, everyone["customer_id"], account)
    binary = bool(((result == 0) | (result == 1)).all())
    values = scores_at(marks, column, rows)
    return JudgedArms(values, arm, result, binary, marks, rows, account)


@dataclass(frozen=True, slots=True)
class JudgedOffers:
    """Customers of a test of k treatments: ``arm`` (n,), 0 for control, and ``outcome`` (n,).

    ``rows`` (n, k) are the places of their ``score`` (n, k) in the table ``scores``; ``account``
    counts the rows that were given.
    """

    score: Floats
    arm: Ints
    outcome: Floats
    scores: pd.DataFrame
    rows: Ints
    account: dict[str, int]


def judged_offers(
    customers: Any, scores: Any, *, outcome: str, treated: str, control: Any, score: str | None
) -> JudgedOffers:
    """Return scores for each treatment, arms and outcomes of all customers of a test."""
    everyone = read_customers(customers, needs=columns_named(outcome=outcome, treated=treated))
    marks = read_customers(scores, needs=["treatment"], name="scores", unique=False)
    result = read_outcome(everyone, outcome, binary=False)
    arms = read_arms(everyone, treated, control)
    kept = np.isfinite(result) & (arms.code >= 0)
    account = {
        "rows": kept.size,
        "without_outcome": int((~np.isfinite(result)).sum()),
        "in_no_arm": int((np.isfinite(result) & (arms.code < 0)).sum()),
    }
    people = everyone[kept].reset_index(drop=True)
    column = score_column(marks, score)
    names = marks["treatment"].astype(object)
    values, places = [], []
    for treatment in arms.treatments:
        own = np.flatnonzero((names == treatment).to_numpy(dtype=bool))
        part = marks.iloc[own].reset_index(drop=True)
        at = _rows(people, part, everyone["customer_id"], account)
        values.append(scores_at(part, column, at))
        places.append(own[at])
    score_of, rows = np.column_stack(values), np.column_stack(places)
    return JudgedOffers(score_of, arms.code[kept], result[kept], marks, rows, account)
