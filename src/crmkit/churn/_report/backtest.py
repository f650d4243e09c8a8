"""Judge predictions on days that the model could not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns
from crmkit._checks import check_flag, check_number, quoted, require_columns
from crmkit._frames import day_column, sorted_codes, with_account
from crmkit._periods import day_text
from crmkit._progress import steps
from crmkit._two_steps import in_one, in_two_steps
from crmkit.churn._model.churn import ChurnModel
from crmkit.churn._report.contest import Contest, contest_rows
from crmkit.churn._table.churn_table import churn_table, snapshot_days
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.churn._table.contracts import Ends

__all__ = ["backtest_table"]

_HEURISTICS = ("recency_days", "recent_orders", "orders", "gap_ratio")


def backtest_table(
    transactions: Any,
    *,
    customers: Any = None,
    as_of: Any,
    horizon_days: int,
    n_train: int = 3,
    lead_days: int = 0,
    recent_days: int = 56,
    active_days: int | None = None,
    discount: str | None = None,
    columns: Sequence[str] | None = None,
    heuristics: Sequence[str] | None = None,
    model: ChurnModel | None = None,
    observed_until: Any = None,
    contracts: Any = None,
    ends: Ends | None = None,
    grace_days: int = 0,
    confidence_level: float = 0.95,
    progress: bool = False,
) -> pd.DataFrame:
    """Learn before each of several days, predict from that day, and compare with what came.

    For each day the model learns from `n_train` earlier snapshots whose outcomes were complete by
    that day, one lead and horizon (and `grace_days`) apart, so nothing that was unknown on the day
    is used. Each heuristic is a model of one column, learned from the same snapshots. All are set
    beside the one that ranked best within these snapshots: the simple thing one would have done on
    the day.

    Parameters
    ----------
    transactions : DataFrame
        The log, as for ``churn_table``.
    customers : DataFrame, optional
        Further columns per customer, as for ``churn_table``.
    as_of : date-like or list of these
        Last day observed, inclusive; several days are several tests.
    horizon_days : int
        Days after `as_of` and lead over which a customer who buys nothing counts as churned.
    n_train : int, default 3
        Number of earlier snapshots to learn from.
    lead_days, recent_days, active_days, discount
        As in :func:`churn_table`.
    columns : sequence of str, optional
        Columns the model learns from. The default is all.
    heuristics : sequence of str, optional
        Single columns to compare with: by default recency, recent orders, orders and the gap
        against the customer's own rhythm, with `contracts` also the days under contract.
    model : ChurnModel, optional
        A model whose parameters are used. The default is ``ChurnModel(random_state=0)``.
    observed_until, contracts, ends, grace_days
        As in :func:`churn_table`.
    confidence_level : float, default 0.95
        Level of the intervals, and of what the verdict calls better or worse.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        Per day one row for the model, one per heuristic, best first, and one for the base rate;
        of several days such rows again for the means over all of them:

        * ``as_of`` (datetime) - day predicted from; missing for all days.
        * ``model`` (str) - ``model``, the column of the heuristic, or ``base rate``: the share
          that left in the snapshots learned from, for everybody.
        * ``customers`` (int) - customers predicted, over all days their sum.
        * ``churn_rate`` (float) - share that left.
        * ``p_mean`` (float) - mean predicted probability; far from the rate, the level drifted.
        * ``auc`` (float) - chance that one who left ranks above one who stayed; missing where all
          did the same.
        * ``average_precision`` (float) - mean precision over those who left; missing if nobody.
        * ``brier`` (float) - mean squared error of the probability.
        * ``calibration_error`` (float) - mean gap of prediction and rate over ten parts.
        * ``top_decile_lift`` (float) - rate in the highest tenth over the rate of all; missing
          if nobody left.
        * ``calibration_gap`` (float) - ``p_mean`` less ``churn_rate``.
        * ``calibration_gap_low`` (float) - its lower limit.
        * ``calibration_gap_high`` (float) - its upper limit.
        * ``rival`` (str) - the heuristic that the following compare with; without heuristics the
          base rate, over several days ``best of each day`` where they differ.
        * ``auc_gain`` (float) - ``auc`` less that of the rival; missing of the rival itself.
        * ``auc_gain_low`` (float) - lower limit of the paired difference (DeLong).
        * ``auc_gain_high`` (float) - its upper limit.
        * ``brier_gain`` (float) - Brier score of the rival less ``brier``: above 0 is better.
        * ``brier_gain_low`` (float) - lower limit of the paired difference.
        * ``brier_gain_high`` (float) - its upper limit.
        * ``verdict`` (str) - "better", "no better" or "worse" than the rival as a ranking and as
          a probability, by whether these intervals hold 0; "is the rival" of that row itself, "too
          few to tell" where all customers did the same.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If the log does not reach far enough back or ahead.

    Notes
    -----
    The intervals are about the customers of these days and take the models as they were learned;
    over several days a customer's parts are added before they are squared. They say nothing of
    days that are not like these.

    References
    ----------
    Bergmeir, C. and Benítez, J. M. (2012). On the use of cross-validation for time series
    predictor evaluation. *Information Sciences* 191, 192-213.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> transactions = datasets.make_transactions(1000, random_state=0)["transactions"]
    >>> table = churn.backtest_table(
    ...     transactions, as_of=["2025-03-31", "2025-06-30"], horizon_days=60
    ... )
    >>> both = table[table["as_of"].isna()].set_index("model")
    >>> both.loc["model", ["rival", "verdict"]].tolist()
    ['recency_days', 'better as a ranking, better as a probability']
    >>> len(table)
    18
    """
    return in_one(backtest_table, locals())


def _learned_from(
    as_of: Any, horizon_days: int, n_train: int, lead_days: int, grace_days: int
) -> dict[int, list[int]]:
    """Return the days predicted from, each with the days that are learned from."""
    n_train = check_number(n_train, "n_train")
    step = check_number(horizon_days, "horizon_days")
    step += check_number(lead_days, "lead_days") + check_number(grace_days, "grace_days")
    return {test: [test - step * k for k in range(1, n_train + 1)] for test in snapshot_days(as_of)}


def _snapshots(
    transactions: Any,
    *,
    customers: Any,
    as_of: Any,
    horizon_days: int,
    n_train: int,
    lead_days: int,
    recent_days: int,
    active_days: int | None,
    discount: str | None,
    observed_until: Any,
    contracts: Any,
    ends: Ends | None,
    grace_days: int,
) -> pd.DataFrame:
    """Describe the customers on all days."""
    learning = _learned_from(as_of, horizon_days, n_train, lead_days, grace_days)
    every = sorted({*learning, *(day for days in learning.values() for day in days)})
    return churn_table(
        transactions,
        customers=customers,
        as_of=list(day_column(every)),
        horizon_days=horizon_days,
        lead_days=lead_days,
        recent_days=recent_days,
        active_days=active_days,
        discount=discount,
        observed_until=observed_until,
        contracts=contracts,
        ends=ends,
        grace_days=grace_days,
    )


def _judged(
    table: pd.DataFrame,
    *,
    as_of: Any,
    horizon_days: int,
    n_train: int,
    lead_days: int,
    columns: Sequence[str] | None,
    heuristics: Sequence[str] | None,
    model: ChurnModel | None,
    contracts: Any,
    grace_days: int,
    confidence_level: float,
    progress: bool,
) -> pd.DataFrame:
    """Learn before each day, predict from it and compare."""
    check_flag(progress, "progress")
    learning = _learned_from(as_of, horizon_days, n_train, lead_days, grace_days)
    if heuristics is None:
        heuristics = _HEURISTICS if contracts is None else (*_HEURISTICS, "contract_days")
    heuristics = check_columns(heuristics, "heuristics", empty=True)
    level = check_number(confidence_level, "confidence_level")
    columns = None if columns is None else check_columns(columns, "columns")
    if model is not None and not isinstance(model, ChurnModel):
        raise InputError(f"`model` must be a ChurnModel; got {quoted(model)}.")
    require_columns(table.columns, heuristics, "transactions", do="Choose other `heuristics`.")
    day = table["as_of"].to_numpy().astype("datetime64[D]").astype(np.int64)
    every = {*learning, *(early for days in learning.values() for early in days)}
    short = sorted(every - set(day.tolist()))
    if short:
        raise InputError(
            f"`transactions` has no customer on {day_text(short[-1])}, a day to learn "
            "from. Choose a later `as_of` or a smaller `n_train`."
        )
    base = ChurnModel(random_state=0) if model is None else model
    customer = sorted_codes(table["customer_id"])[0]
    contests = []
    for test in steps(list(learning), "backtest", progress):
        learned, unseen = np.isin(day, learning[test]), day == test
        train, later = table[learned], table[unseen]
        contest = Contest(
            test,
            later["churned"].to_numpy(dtype=np.float64),
            customer[unseen],
            float(train["churned"].mean()),
        )
        for name, chosen in (("model", columns), *((h, [h]) for h in heuristics)):
            learner = ChurnModel(**base.get_params(deep=False))
            if name != "model":
                learner.set_params(estimator=None)
            scores = learner.fit(train, columns=chosen).predict(later)["p_churn"].to_numpy()
            contest.add(name, scores, float(learner.performance_["auc"].iloc[0]))
        contests.append(contest)
    report = pd.DataFrame(contest_rows(contests, level))
    known = report["as_of"].notna()
    days = day_column(report["as_of"].fillna(0).to_numpy(dtype=np.int64))
    report["as_of"] = pd.Series(days).where(known)
    return with_account(report, table.attrs["account"])


in_two_steps(backtest_table, first=_snapshots, rest=_judged)
