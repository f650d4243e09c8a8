"""What marks customers who leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._arrays import adjust_p_values
from crmkit._checks import Problems, check_number, random_generator
from crmkit._frames import read_customers, sorted_codes, with_account
from crmkit._learn import (
    FeatureEncoder,
    area_under_curve,
    customer_folds,
    fit_classifier,
    positive_score,
    with_outcome,
)
from crmkit._learn.clusters import Clusters
from crmkit._learn.levels import column_levels
from crmkit._progress import steps
from crmkit.churn._math.levels import two_sided_p
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["retention_profile"]

_FOLDS = 5
_MOST_CUSTOMERS = 20_000


def retention_profile(
    customers: Any,
    *,
    outcome: str = "churned",
    columns: Sequence[str] | None = None,
    n_bins: int = 5,
    max_levels: int = 20,
    estimator: Any = None,
    confidence_level: float = 0.95,
    random_state: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Compare how often customers of each kind leave with how often all do.

    Two questions are answered side by side. The rates, level by level, say who leaves. The
    importance says how much worse a model ranks unseen customers that has to learn without the
    column: what it knows that the other columns do not. Two columns that know the same are both of
    no importance while the other is there.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, or per customer and ``as_of``, with ``customer_id``, traits and the
        outcome, as ``churn_table`` makes it.
    outcome : str, default "churned"
        Column with the outcome: 1 (or True) for customers who left, 0 for those who stayed.
        Rows where it is missing are left out and counted in ``attrs["account"]``.
    columns : sequence of str, optional
        Columns to profile. The default is all but the id, the outcome, dates and columns that
        never vary.
    n_bins : int, default 5
        Number of parts of equal size into which numbers are cut; equal values stay
        together.
    max_levels : int, default 20
        Most levels shown of a column of words; the rarest are pooled as ``(other)``.
    estimator : scikit-learn classifier, optional
        What learns, so that importance can be measured. The default is a ridge-penalised
        logistic regression.
    confidence_level : float, default 0.95
        Level of the intervals, and of what counts as a difference in ``direction``.
    random_state : int, optional
        Seed of the folds, and of the 20,000 customers the importance is measured with where there
        are more. Without one they are fixed.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per column and level, the most important column first:

        * ``variable`` (str) - the column.
        * ``level`` (str) - its value, or the lowest and highest value of a part.
        * ``customers`` (int) - rows of this level.
        * ``share`` (float) - their share of all rows.
        * ``churners`` (int) - those who left.
        * ``churn_rate`` (float) - their share of the level.
        * ``conf_low`` (float) - lower limit of the rate (Wilson).
        * ``conf_high`` (float) - upper limit.
        * ``index`` (float) - 100 x rate over the rate of all.
        * ``p_value`` (float) - of the level's rate against that of all others (chi-square).
        * ``p_adjusted`` (float) - the same after Benjamini and Hochberg over all rows.
        * ``direction`` (str) - ``leave more`` or ``leave less`` where the adjusted p-value is
          below 1 - `confidence_level`, else ``as all``.
        * ``importance`` (float) - area under the curve of a model of all columns, less that of one
          that learned without this column; out of fold.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If nobody left, nobody stayed, or no column can be used.

    Notes
    -----
    Several snapshots of one customer count as what they are worth: intervals are Wilson's for as
    many independent rows (Korn and Graubard 1998), and the chi-square is divided by what clustering
    adds to the variance (Rao and Scott 1981). With one row each nothing changes.

    A profile finds marks, not causes: what happens when a mark is changed needs a test.

    References
    ----------
    Lei, J., G'Sell, M., Rinaldo, A., Tibshirani, R. J. and Wasserman, L. (2018). Distribution-free
    predictive inference for regression. *Journal of the American Statistical Association*
    113(523), 1094-1111, section 6, for leaving a column out and learning again.

    Rao, J. N. K. and Scott, A. J. (1981). The analysis of categorical data from complex sample
    surveys. *Journal of the American Statistical Association* 76(374), 221-230.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(200),
    ...         "channel": ["web", "shop"] * 100,
    ...         "churned": [1, 0, 1, 0, 0, 1, 1, 0] * 25,
    ...     }
    ... )
    >>> profile = retention_profile(customers)
    >>> profile[["variable", "level", "customers", "churn_rate", "index", "direction"]]
      variable level  customers  churn_rate  index   direction
    0  channel  shop        100        0.25   50.0  leave less
    1  channel   web        100        0.75  150.0  leave more
    """
    n_bins = check_number(n_bins, "n_bins")
    max_levels = check_number(max_levels, "max_levels")
    confidence_level = check_number(confidence_level, "confidence_level")
    frame = read_customers(customers, needs=columns_named(outcome=outcome), unique=False)
    frame, result, account = with_outcome(frame, outcome)
    codes, _ = sorted_codes(frame["customer_id"])
    day = sorted_codes(frame["as_of"])[0] if "as_of" in frame.columns else codes
    order = np.lexsort((day, codes))
    frame, codes, result = frame.iloc[order], codes[order], result[order]
    if result.min() == result.max():
        raise InputError(
            f"`customers`: column {outcome!r} is {result[0]:g} in every row; a profile needs "
            "customers who left and customers who stayed."
        )
    encoder = FeatureEncoder(columns=columns, exclude=[outcome]).fit(frame)
    importance = _importance(
        encoder,
        frame,
        result,
        codes,
        estimator=estimator,
        random_state=random_state,
        progress=progress,
    )
    problems = Problems("customers")
    parts = [
        _level_rates(
            frame,
            variable,
            result,
            codes,
            problems,
            n_bins=n_bins,
            max_levels=max_levels,
            confidence_level=confidence_level,
        )
        for variable in sorted(importance, key=lambda name: (-importance[name], name))
    ]
    problems.raise_if_any()
    profile = pd.concat(parts, ignore_index=True)
    adjusted = adjust_p_values(profile["p_value"].to_numpy())
    more = (profile["index"] > 100).to_numpy()
    differs = adjusted < 1 - confidence_level
    profile["p_adjusted"] = adjusted
    profile["direction"] = np.where(differs, np.where(more, "leave more", "leave less"), "as all")
    profile["importance"] = profile["variable"].map(importance).astype(np.float64)
    return with_account(profile, account)


def _importance(
    encoder: FeatureEncoder,
    frame: pd.DataFrame,
    result: Floats,
    codes: Ints,
    *,
    estimator: Any,
    random_state: int | None,
    progress: bool,
) -> dict[str, float]:
    """Return what each used column adds to the area, a mean over folds the model has not seen."""
    rng = random_generator(random_state, fixed=0)
    drawn = rng.permutation(int(codes.max()) + 1)[:_MOST_CUSTOMERS]
    some = np.isin(codes, drawn)
    matrix, result, codes = encoder.transform(frame[some]), result[some], codes[some]
    names = encoder.used_columns
    owner = np.asarray(encoder.feature_columns)
    folds = customer_folds(codes, result, _FOLDS, random_state)
    total, counted = np.zeros(len(names)), 0

    def area(columns: Bools, test: Bools) -> float:
        learned = fit_classifier(
            estimator, matrix[np.ix_(~test, columns)], result[~test], random_state=random_state
        )
        scores = positive_score(learned, matrix[np.ix_(test, columns)])
        return area_under_curve(scores, result[test])

    for fold in steps(range(int(folds.max()) + 1), "importance", progress):
        test = folds == fold
        if np.ptp(result[~test]) == 0 or np.ptp(result[test]) == 0:
            continue
        whole = area(np.ones(owner.size, dtype=bool), test)
        # Without its only column a model knows nothing.
        total += [whole - (area(owner != name, test) if len(names) > 1 else 0.5) for name in names]
        counted += 1
    return dict(zip(names, (total / max(counted, 1)).tolist(), strict=True))


def _level_rates(
    frame: pd.DataFrame,
    variable: str,
    result: Floats,
    owner: Ints,
    problems: Problems,
    *,
    n_bins: int,
    max_levels: int,
    confidence_level: float,
) -> pd.DataFrame:
    """Return counts, rates and tests of one column's levels."""
    codes, names = column_levels(frame[variable], problems, variable, n_bins, max_levels)
    customers = np.bincount(codes, minlength=len(names)).astype(np.float64)
    churners = np.bincount(codes, weights=result, minlength=len(names)).astype(np.float64)
    rate = churners / customers
    clusters = Clusters.of(owner, codes)
    low, high = clusters.rate_limits(result, confidence_level)
    p = two_sided_p(
        churners, customers, float(result.sum()), float(len(result)), clusters.inflation(result)
    )
    return pd.DataFrame(
        {
            "variable": variable,
            "level": names,
            "customers": customers.astype(np.int64),
            "share": customers / len(result),
            "churners": churners.astype(np.int64),
            "churn_rate": rate,
            "conf_low": low,
            "conf_high": high,
            "index": 100 * rate / result.mean(),
            "p_value": p,
        }
    )
