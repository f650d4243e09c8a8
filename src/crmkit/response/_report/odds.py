"""What each variable does to the odds of a response, the others held fixed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arguments import columns_named
from crmkit._arrays import adjust_p_values
from crmkit._checks import Problems, check_flag, check_number, listed
from crmkit._frames import read_customers, sorted_codes, with_account
from crmkit._learn import with_outcome
from crmkit._learn.levels import MISSING, OTHER
from crmkit._progress import steps
from crmkit.errors import InputError
from crmkit.response._math.logistic import (
    Profile,
    clustered_covariance,
    dependent_columns,
    fit_logistic,
    fit_penalised,
)
from crmkit.response._table.variables import Variable, read_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["odds_ratios"]

_FEWEST_CLUSTERS = 5


def odds_ratios(
    customers: Any,
    *,
    outcome: str,
    columns: Sequence[str] | None = None,
    cluster: str | None = None,
    min_customers: int = 20,
    per: float | str | Mapping[str, float | str] = 1.0,
    confidence_level: float = 0.95,
    progress: bool = False,
) -> pd.DataFrame:
    """Explain the response by all variables at once: a logistic regression, read as odds ratios.

    Numbers count per unit, or as `per` says; a missing one stands at the mean and gets a row of its
    own. Levels are compared with the most frequent one; levels held by fewer than `min_customers`
    are pooled. Where a variable separates responders from others, so that its odds ratio would be
    infinite, all are fitted with Firth's penalty and have limits by profile likelihood.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id``, the outcome and variables. Customers with a
        missing outcome were not contacted and are left out.
    outcome : str
        Column with the outcome: 1 (or True) for a response and 0 for none.
    columns : sequence of str, optional
        Variables of the regression. The default is every column but the id, the outcome and
        dates.
    cluster : str, optional
        Column that says which customers hang together, such as those of one household; no variable.
        Errors then allow for it, and limits and p-values are Wald's by Student's t.
    min_customers : int, default 20
        Least customers for a level of its own.
    per : float, "std" or mapping, default 1
        Units of a number that its odds ratio counts: 100 for an odds ratio per 100, "std" for one
        per standard deviation, or either by the name of the column.
    confidence_level : float, default 0.95
        Level of the intervals.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per number and per level but the reference, in the order of the columns:

        * ``variable`` (str) - the column.
        * ``level`` (str) - the level, "(other)", "(missing)", or empty for a number.
        * ``reference`` (str) - the level compared with, empty for a number.
        * ``customers`` (int) - contacted customers with the level, or with a known number.
        * ``per`` (float) - units of the number that the odds ratio counts, 1 for a level.
        * ``odds_ratio`` (float) - odds against the reference, or per so many units.
        * ``conf_low``, ``conf_high`` (float) - interval of the odds ratio: Wald's, or by profile
          likelihood, then perhaps without end.
        * ``coefficient`` (float) - its logarithm.
        * ``std_error`` (float) - of the coefficient.
        * ``p_value`` (float) - that the odds ratio is 1: Wald's test, or the likelihood ratio.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg, over the rows.
        * ``method`` (str) - "maximum likelihood", or "Firth" where a variable separates.

    Raises
    ------
    InputError
        If a variable is a combination of others, or there is none, or there are fewer than five
        clusters.

    References
    ----------
    Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear
    models. Biometrika, 73, 13-22.

    Hosmer, D. W., Lemeshow, S. and Sturdivant, R. X. (2013). Applied Logistic Regression, 3rd
    edition. Wiley. Sections 2.3 and 3.

    Heinze, G. and Schemper, M. (2002). A solution to the problem of separation in logistic
    regression. Statistics in Medicine, 21, 2409-2419.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(400),
    ...         "channel": ["shop", "shop", "shop", "web"] * 100,
    ...         "responded": [0, 1, 0, 1, 0, 0, 1, 0] * 50,
    ...     }
    ... )
    >>> table = response.odds_ratios(customers, outcome="responded", columns=["channel"])
    >>> table[["variable", "level", "reference", "odds_ratio", "conf_low", "conf_high"]].round(3)
      variable level reference  odds_ratio  conf_low  conf_high
    0  channel   web      shop         2.0     1.263      3.167
    """
    confidence_level = check_number(confidence_level, "confidence_level")
    least = check_number(min_customers, "min_customers")
    check_flag(progress, "progress")
    beside = [] if cluster is None else columns_named(cluster=cluster)
    people = read_customers(customers, needs=[*columns_named(outcome=outcome), *beside])
    people, result, account = with_outcome(people, outcome)
    if result.min() == result.max():
        raise InputError(f"`customers`: all have the same {outcome!r}: nothing to explain.")
    rows: list[dict[str, Any]] = []
    blocks: list[Floats] = []
    for variable in read_variables(people, columns, exclude=[outcome, *beside]):
        _add_terms(variable, least, rows, blocks)
    matrix = _independent(rows, blocks)
    fit = fit_logistic(matrix, result)
    separated = fit.separated
    if separated:
        fit = fit_penalised(matrix, result)
    covariance, freedom = fit.covariance, np.inf
    if cluster is not None:
        codes = _clusters(people, cluster)
        covariance, freedom = clustered_covariance(fit, matrix, result, codes), float(codes.max())
    beta = fit.coefficient[1:]
    error = np.sqrt(np.diag(covariance)[1:])
    z = -special.stdtrit(freedom, (1 - confidence_level) / 2)
    low, high = beta - z * error, beta + z * error
    p = 2 * special.stdtr(freedom, -np.abs(beta / error))
    if separated and cluster is None:
        profile = Profile(matrix, result)
        limits = [
            profile.limits(column, confidence_level)
            for column in steps(range(beta.size), "odds ratios", progress)
        ]
        low, high, p = np.array(limits).T
    table = pd.DataFrame(rows)
    each = _units(rows, matrix, per)
    table["per"] = each
    table["odds_ratio"] = np.exp(beta * each)
    table["conf_low"], table["conf_high"] = np.exp(low * each), np.exp(high * each)
    table["coefficient"], table["std_error"] = beta * each, error * each
    table["p_value"], table["p_adjusted"] = p, adjust_p_values(p, "bh")
    table["method"] = "Firth" if separated else "maximum likelihood"
    return with_account(table, account)


def _clusters(people: pd.DataFrame, cluster: str) -> Ints:
    """Return a code from 0 per row of the cluster it is in."""
    codes, distinct = sorted_codes(people[cluster])
    problems = Problems("customers")
    problems.rows(
        codes < 0,
        f"column {cluster!r} is missing",
        do="Give who hangs together with nobody a value of their own.",
    )
    if not problems and len(distinct) < _FEWEST_CLUSTERS:
        problems.add(
            f"column {cluster!r} has {len(distinct)} clusters; errors need at least "
            f"{_FEWEST_CLUSTERS}. Leave `cluster` out or take smaller ones."
        )
    problems.raise_if_any()
    return codes


def _units(
    rows: list[dict[str, Any]], matrix: Floats, per: float | str | Mapping[str, float | str]
) -> Floats:
    """Return the units that each row counts; levels and marks of missing numbers count 1."""
    numbers = [row["variable"] for row in rows if not row["level"]]
    wanted = per if isinstance(per, Mapping) else dict.fromkeys(numbers, per)
    unknown = [name for name in wanted if name not in numbers]
    if unknown:
        raise InputError(
            f"`per` names {listed(unknown)}, but the numbers explained with are {listed(numbers)}."
        )
    units = np.ones(len(rows))
    for i, row in enumerate(rows):
        if not row["level"] and row["variable"] in wanted:
            value = wanted[row["variable"]]
            is_std = isinstance(value, str) and value == "std"
            units[i] = matrix[:, i].std() if is_std else check_number(value, "per")
    return units


def _add_terms(
    variable: Variable, least: int, rows: list[dict[str, Any]], blocks: list[Floats]
) -> None:
    """Append the columns of one variable and what they stand for."""
    if variable.numbers is not None:
        missing = np.isnan(variable.numbers)
        if missing.all() or np.nanmin(variable.numbers) == np.nanmax(variable.numbers):
            return
        mean = float(variable.numbers[~missing].mean())
        rows.append(_row(variable.name, "", "", int((~missing).sum())))
        blocks.append(np.where(missing, mean, variable.numbers))
        if missing.any():
            rows.append(_row(variable.name, MISSING, "", int(missing.sum())))
            blocks.append(missing.astype(np.float64))
        return
    assert variable.codes is not None
    names = [*variable.levels, MISSING]
    codes = np.where(variable.codes < 0, len(variable.levels), variable.codes)
    count = np.bincount(codes, minlength=len(names))
    rare = count < least
    kept = [i for i in np.argsort(-count, kind="stable") if not rare[i]]
    groups = [(names[i], codes == i) for i in kept]
    if count[rare].sum():
        groups.append((OTHER, rare[codes]))
    if len(groups) < 2:
        return
    for name, mask in groups[1:]:
        rows.append(_row(variable.name, name, groups[0][0], int(mask.sum())))
        blocks.append(mask.astype(np.float64))


def _row(variable: str, level: str, reference: str, customers: int) -> dict[str, Any]:
    """Return what one coefficient stands for."""
    return {
        "variable": variable,
        "level": level,
        "reference": reference,
        "customers": customers,
    }


def _independent(rows: list[dict[str, Any]], blocks: list[Floats]) -> Floats:
    """Return the design matrix, or say which columns repeat others.

    Columns that are missing for the same customers share one mark of it: the later ones go.
    """
    if not blocks:
        raise InputError("`customers` has no column that varies: nothing to explain with.")
    marks = [i for i, row in enumerate(rows) if row["level"] == MISSING]
    order = [*(i for i in range(len(rows)) if i not in set(marks)), *marks]
    matrix = np.column_stack([blocks[i] for i in order])
    again = dependent_columns(np.column_stack([np.ones(len(matrix)), matrix - matrix.mean(axis=0)]))
    drop = {order[i - 1] for i in again}
    wrong = [rows[i]["variable"] for i in sorted(drop) if i not in marks]
    if wrong:
        raise InputError(
            f"`customers`: column(s) {list(dict.fromkeys(wrong))} are combinations of the others. "
            "Leave them out with `columns`."
        )
    rows[:] = [row for i, row in enumerate(rows) if i not in drop]
    return np.column_stack([block for i, block in enumerate(blocks) if i not in drop])
