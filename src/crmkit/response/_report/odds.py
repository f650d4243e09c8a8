"""What each variable does to the odds of a response, the others held fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arguments import columns_named
from crmkit._arrays import adjust_p_values, normal_quantile
from crmkit._checks import check_number, quoted
from crmkit._frames import read_customers, with_account
from crmkit._learn import with_outcome
from crmkit._learn.levels import MISSING, OTHER
from crmkit.errors import ConvergenceError, InputError
from crmkit.response._math.logistic import dependent_columns, fit_logistic
from crmkit.response._table import Variable, read_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats


__all__ = ["odds_ratios"]


def odds_ratios(
    customers: Any,
    *,
    outcome: str,
    columns: Sequence[str] | None = None,
    min_customers: int = 20,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Explain the response by all variables at once: a logistic regression, read as odds ratios.

    Numbers count per unit; a missing one stands at the mean and gets a row of its own. Levels
    are compared with the most frequent one; levels held by fewer than `min_customers` are pooled.

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
    min_customers : int, default 20
        Least customers for a level of its own.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per number and per level but the reference, in the order of the columns:

        * ``variable`` (str) - the column.
        * ``level`` (str) - the level, "(other)", "(missing)", or empty for a number.
        * ``reference`` (str) - the level compared with, empty for a number.
        * ``customers`` (int) - contacted customers with the level, or with a known number.
        * ``odds_ratio`` (float) - odds against the reference, or per unit.
        * ``conf_low``, ``conf_high`` (float) - Wald interval of the odds ratio.
        * ``coefficient`` (float) - its logarithm.
        * ``std_error`` (float) - of the coefficient.
        * ``p_value`` (float) - Wald test that the odds ratio is 1.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg, over the rows.

    Raises
    ------
    InputError
        If a variable is a combination of others, or there is none.
    ConvergenceError
        If a variable separates responders from others, so that its odds ratio is infinite.

    References
    ----------
    Hosmer, D. W., Lemeshow, S. and Sturdivant, R. X. (2013). Applied Logistic Regression, 3rd
    edition. Wiley. Sections 2.3 and 3.

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
    people = read_customers(customers, needs=columns_named(outcome=outcome))
    people, result, account = with_outcome(people, outcome)
    if result.min() == result.max():
        raise InputError(f"`customers`: all have the same {outcome!r}: nothing to explain.")
    rows: list[dict[str, Any]] = []
    blocks: list[Floats] = []
    for variable in read_variables(people, columns, exclude=[outcome]):
        _add_terms(variable, least, rows, blocks)
    matrix = _independent(rows, blocks)
    fit = fit_logistic(matrix, result)
    if fit.separated:
        eta = np.abs(fit.coefficient[1:]) * matrix.std(axis=0)
        worst = rows[int(np.argmax(eta))]
        what = f"{quoted(worst['variable'])}" + (
            f" = {quoted(worst['level'])}" if worst["level"] else ""
        )
        raise ConvergenceError(
            f"Column {what} separates responders from others, so its odds ratio is infinite. "
            "Leave it out, or pool its levels with a higher `min_customers`."
        )
    beta = fit.coefficient[1:]
    error = np.sqrt(np.diag(fit.covariance)[1:])
    z = normal_quantile(confidence_level)
    p = 2 * special.ndtr(-np.abs(beta / error))
    table = pd.DataFrame(rows)
    table["odds_ratio"] = np.exp(beta)
    table["conf_low"], table["conf_high"] = np.exp(beta - z * error), np.exp(beta + z * error)
    table["coefficient"], table["std_error"] = beta, error
    table["p_value"], table["p_adjusted"] = p, adjust_p_values(p, "bh")
    return with_account(table, account)


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
