"""What happened to customers: outcomes, arms of a test, and the names that are meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_column, check_level, is_level
from crmkit._checks import Problems, listed, number_array, quoted, require_columns
from crmkit._frames import read_customers, sorted_codes
from crmkit._kinds import column_kind
from crmkit.errors import InputError, MissingColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "NO_ARM",
    "Arms",
    "outcome_column",
    "read_arms",
    "read_outcome",
    "read_snapshots",
    "score_column",
    "tested_customers",
    "two_arms",
    "with_outcome",
]

# What ``select_targets`` decides of those who are neither contacted nor held out.
NO_ARM = "no contact"
_OUTCOMES = ("churned", "responded")
_SCORES = ("uplift", "p_response", "p_churn", "score")


def outcome_column(customers: pd.DataFrame, outcome: str | None) -> str:
    """Return the name of the outcome column: the one asked for, or the only one that is meant."""
    return _meant(customers, outcome, _OUTCOMES, "customers", "outcome")


def score_column(scores: pd.DataFrame, score: str | None, *, known: Sequence[str] = _SCORES) -> str:
    """Return the name of the score column: the one asked for, or the only one that is meant."""
    return _meant(scores, score, known, "scores", "score")


def _meant(
    table: pd.DataFrame, name: str | None, known: Sequence[str], argument: str, parameter: str
) -> str:
    """Return a column's name, where none is given the only one of the known names."""
    if name is not None:
        require_columns(table.columns, [check_column(name, parameter)], argument)
        return name
    present = [column for column in known if column in table.columns]
    if len(present) == 1:
        return present[0]
    error = InputError if present else MissingColumnsError
    raise error(
        f"`{argument}` has {f'several ({present})' if present else 'none'} of the columns "
        f"{list(known)}. Name the one to use with `{parameter}`."
    )


def read_snapshots(
    customers: Any, needs: Iterable[str] = (), *, second: str = "as_of"
) -> pd.DataFrame:
    """Return a table with one row per customer, or per customer and `second` where it has that."""
    frame = read_customers(customers, needs=list(needs), unique=False)
    keys = ["customer_id", second] if second in frame.columns else ["customer_id"]
    problems = Problems("customers")
    problems.rows(
        frame.duplicated(keys).to_numpy(),
        f"{' and '.join(keys)} repeat an earlier row",
        do=f"Keep one row per customer, or one per customer and `{second}`.",
    )
    problems.raise_if_any()
    return frame


def read_outcome(
    customers: pd.DataFrame, outcome: str, *, binary: bool = True, name: str = "customers"
) -> Floats:
    """Return column `outcome` as floats, shape (n,), NaN where nobody knows what happened.

    A missing outcome is not a "no": whoever was never asked did not decline. `binary` outcomes
    are 0.0 and 1.0.
    """
    require_columns(customers.columns, [outcome], name)
    problems = Problems(name)
    if column_kind(customers[outcome]) == "levels":
        words = sorted({str(value) for value in customers[outcome].dropna().unique()})[:3]
        problems.add(
            f"column {outcome!r} must be {'0 or 1 (or False and True)' if binary else 'numbers'}; "
            f"it holds words, such as {words}. Compare it with the word that counts as the outcome "
            f"first, for example {name}[{outcome!r}] == 'Yes'."
        )
        problems.raise_if_any()
    values = number_array(customers[outcome], problems, outcome, allow_missing=True)
    known = np.isfinite(values)
    if binary:
        problems.rows(
            known & (values != 0) & (values != 1),
            f"column {outcome!r} must be 0 or 1 (or False and True) but is not",
            do="Compare it with the level that counts as the outcome first.",
            values=values.tolist(),
        )
    if not problems and not known.any():
        problems.add(f"column {outcome!r} is missing in every row: nobody's outcome is known.")
    problems.raise_if_any()
    return values


def with_outcome(
    customers: pd.DataFrame, outcome: str, *, binary: bool = True, name: str = "customers"
) -> tuple[pd.DataFrame, Floats, dict[str, int]]:
    """Return the rows whose outcome is known, their outcomes, and the account of all rows."""
    values = read_outcome(customers, outcome, binary=binary, name=name)
    known = np.isfinite(values)
    account = {"rows": known.size, "without_outcome": int(known.size - known.sum())}
    if known.all():
        return customers, values, account
    return customers[known].reset_index(drop=True), values[known], account


@dataclass(frozen=True, slots=True)
class Arms:
    """Which arm of a test every row is in: ``code`` (n,), 0 for control, and the treatments.

    Whom a selection left alone for a reason is in no arm, -1: they differ from the others.
    """

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
                f"column {treated!r} has the levels {listed(levels[:10])}: name the control group "
                "with "
                "`control`."
            )
        control = 0 if numbers else "control"
    problems.raise_if_any()
    there = is_level(control, levels)
    if not there or len(levels) < 2:
        what = "nobody but the control group" if there else "no control group"
        problems.add(
            f"column {treated!r} has {what} (levels {listed(levels[:10])}, `control` "
            f"{quoted(control)}). "
            "What a contact changes cannot be told without customers who were left alone at random."
        )
        problems.raise_if_any()
    outside = [NO_ARM] if control == "control" else []
    treatments = [level for level in levels if level != control and level not in outside]
    if not treatments:
        problems.add(f"column {treated!r} has nobody who was contacted (levels {listed(levels)}).")
        problems.raise_if_any()
    arm = {control: 0, **{level: n for n, level in enumerate(treatments, start=1)}}
    place = np.array([arm.get(level, -1) for level in levels])
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
    chosen = arms.treatments[0]
    if treatment is not None:
        chosen = check_level(treatment, "treatment", arms.treatments)
    code = arms.treatments.index(chosen) + 1
    return (arms.code == 0) | (arms.code == code), arms.code == code, chosen


def tested_customers(
    people: pd.DataFrame, outcome: str, treated: str, *, control: Any, treatment: Any
) -> tuple[pd.DataFrame, Floats, Ints, dict[str, int]]:
    """Return the customers of two arms whose outcome is known, outcome and arm, and the account."""
    result = read_outcome(people, outcome, binary=False)
    compared, is_treated, _ = two_arms(people, treated, control, treatment)
    known = np.isfinite(result)
    account = {
        "rows": known.size,
        "without_outcome": int((~known).sum()),
        "other_arms": int((known & ~compared).sum()),
    }
    kept = compared & known
    arm = is_treated[kept].astype(np.int64)
    return people[kept].reset_index(drop=True), result[kept], arm, account
