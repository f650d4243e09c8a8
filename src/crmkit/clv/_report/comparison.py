"""Which model to believe: in-sample fit and errors in a hold-out period, beside simple rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit._frames import read_customers
from crmkit._learn.concordance import concordance
from crmkit._learn.judging import gini, lift_at
from crmkit.clv._model.on_log import NEEDS_A_LOG, ReadsLogs
from crmkit.clv._model.periods import PeriodModel
from crmkit.clv._report.numbers import numbers
from crmkit.clv._report.value import read_spend
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit._typing import Floats


__all__ = ["model_comparison", "read_ahead"]

_FEW, _BLOCK = 8, 50_000

# Length of history and of the hold-out: in days, or in the periods of an opportunity_table.
LENGTHS = {"holdout_days": "T", "holdout_periods": "periods"}


def model_comparison(
    customers: Any, *, models: Mapping[str, Any], spend: Any = None
) -> pd.DataFrame:
    """Compare purchase models by their fit and by what they foresaw of a hold-out period.

    Two rules that need no model stand beside them: ``as_before`` (each customer goes on buying
    at the rate so far) and ``mean`` (everybody buys at the rate of the whole base); of contracts,
    all that run go on, or are each renewed with the mean rate so far. A model that does not beat
    both has nothing to say about these customers.

    Parameters
    ----------
    customers : DataFrame
        A :func:`holdout_table`, with the covariates of the models if they have any; for
        :class:`BGBB` an :func:`opportunity_table` and for contracts a :func:`contract_table`, each
        with ``horizon_periods``.
    models : dict of str to fitted model
        Purchase models by the name to show, fitted on this table or on one of the same day.
    spend : fitted model, float or str, optional
        As in :func:`lifetime_value`: whom money comes from is judged too. ``top_decile_share`` and
        ``gini`` are then of the amounts of the hold-out period; the rule ``as_before`` expects as
        much money as came so far.

    Returns
    -------
    pandas.DataFrame
        One row per model in the given order, then the two rules:

        * ``model`` (str) - name.
        * ``log_likelihood`` (float) - in-sample; comparable between models fitted on the same
          table. Missing for the rules.
        * ``n_parameters`` (int) - free parameters; 0 and 1 for the rules.
        * ``aic`` (float) - Akaike's criterion, smaller is better. Missing for the rules.
        * ``bic`` (float) - Schwarz's criterion, smaller is better. Missing for the rules.
        * ``holdout_log_score`` (float) - mean log probability of the number of purchases that
          happened; larger is better. Missing for the rules, which give no probabilities, and for
          models that do not give them.
        * ``mean_absolute_error`` (float) - of the purchases per customer.
        * ``root_mean_squared_error`` (float) - of the purchases per customer.
        * ``expected_total`` (float) - expected purchases of all customers.
        * ``actual_total`` (float) - purchases of all customers.
        * ``bias`` (float) - expected total over actual total, less 1; missing where nobody
          bought.
        * ``concordance`` (float) - share of pairs of customers who bought differently often in
          which more was expected of the one who bought more, equal expectations counted half:
          0.5 is luck, 1 a perfect order.
        * ``top_decile_share`` (float) - share of all purchases, or with `spend` of all money, that
          the tenth of customers brought of whom most was expected; customers of whom the same was
          expected count in proportion, so that 0.1 is luck.
        * ``gini`` (float) - Gini coefficient of purchases, or money, in the order of what was
          expected, over that of the best order: 0 is luck, 1 a perfect order.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If `models` is empty or holds something that does not predict.

    Notes
    -----
    The mean absolute error of counts favours expectations that are too low, because the median
    customer buys nothing; judge by the log score and the bias of the total as well. Rank
    correlation is not here: where most buy nothing it falls when a model tells them apart.

    References
    ----------
    .. [1] Harrell, F. E., Lee, K. L. and Mark, D. B. (1996). Multivariable prognostic models.
       *Stat. Med.* 15, 361-387: concordance.
    .. [2] Wang, X., Liu, T. and Miao, J. (2019). A deep probabilistic model for customer lifetime
       value prediction. arXiv:1912.07753, section 4.2: the Gini coefficient of later value.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> customers = clv.holdout_table(log, as_of="2025-09-21")
    >>> models = {"BG/NBD": clv.BGNBD().fit(customers)}
    >>> table = clv.model_comparison(customers, models=models)
    >>> table["model"].tolist()
    ['BG/NBD', 'as_before', 'mean']
    """
    if not isinstance(models, dict) or not models:
        raise InputError(
            "`models` must be a dict of names and fitted models, such as "
            "{'BG/NBD': clv.BGNBD().fit(customers)}."
        )
    table = read_customers(customers)
    ahead, length = read_ahead(table)
    contracts = "churned" in table.columns and "frequency" not in table.columns
    past = "churned" if contracts else "frequency"
    history = (past, LENGTHS[ahead], "holdout_frequency")
    table = read_customers(table, needs=history)
    columns = numbers(table, history, name="customers", low=0.0)
    actual = columns["holdout_frequency"]
    value, amount, before = actual, np.ones_like(actual), np.ones_like(actual)
    if spend is not None:
        spend, came = read_spend(spend), "holdout_monetary_value"
        table = read_customers(table, needs=(came, "monetary_value"))
        money = numbers(table, (came, "monetary_value"), name="customers")
        amount = spend.predict(table)["expected_amount"].to_numpy()
        value, before = actual * money[came], money["monetary_value"]
    rows = []
    for name, model in models.items():
        if isinstance(model, type) or not hasattr(model, "log_likelihood_"):
            raise InputError(
                f"`models`: {quoted(name)} is not a fitted purchase model; got {quoted(model)}."
            )
        if isinstance(model, ReadsLogs):
            raise InputError(f"`models`: {quoted(name)} {NEEDS_A_LOG}")
        horizon = _days_ahead(model, name, table, length) if ahead == "holdout_periods" else length
        predicted = model.predict(customers, horizon_days=horizon)
        in_sample = {
            "log_likelihood": model.log_likelihood_,
            "n_parameters": model.n_parameters_,
            "aic": model.aic_,
            "bic": model.bic_,
            "holdout_log_score": _log_score(model, table, horizon, actual),
        }
        expected = predicted["expected_purchases"].to_numpy()
        rows.append(
            {"model": name, **in_sample, **_figures(expected, actual, expected * amount, value)}
        )
    rules = (_staying if contracts else _buying)(columns[past], columns[LENGTHS[ahead]], length)
    nothing = dict.fromkeys(("log_likelihood", "aic", "bic", "holdout_log_score"), np.nan)
    for name, expected in rules.items():
        told = {"model": name, **nothing, "n_parameters": int(name == "mean")}
        worth = expected if name == "mean" else expected * before
        rows.append({**told, **_figures(expected, actual, worth, value)})
    order = ["model", "log_likelihood", "n_parameters", "aic", "bic", "holdout_log_score"]
    errors = [column for column in rows[0] if column not in order]
    return pd.DataFrame(rows, columns=[*order, *errors])


def read_ahead(table: pd.DataFrame) -> tuple[str, float]:
    """Return the column that says how long the hold-out period is, and how long that is."""
    ahead = "holdout_periods" if "holdout_periods" in table.columns else "holdout_days"
    lengths = numbers(read_customers(table, needs=(ahead,)), (ahead,), name="customers")[ahead]
    if np.ptp(lengths) > 0.0 or not lengths[0] > 0.0:
        raise InputError(
            f"`customers`: column {ahead!r} must be the same positive number in all rows; make "
            "the table with holdout_table, or opportunity_table(..., horizon_periods=...)."
        )
    return ahead, float(lengths[0])


def _buying(frequency: Floats, observed: Floats, length: float) -> dict[str, Floats]:
    """Return what the rules expect of buyers, over so many days or periods."""
    observed = np.maximum(observed, 1.0)
    mean = np.full(frequency.shape, frequency.sum() / observed.sum())
    return {"as_before": frequency / observed * length, "mean": mean * length}


def _staying(churned: Floats, periods: Floats, length: float) -> dict[str, Floats]:
    """Return what the rules expect of contracts: all go on, or each with the mean retention."""
    there, renewed = 1.0 - churned, periods - churned
    rate = renewed.sum() / max(periods.sum(), 1.0)
    mean = float((rate ** np.arange(1.0, length + 1.0)).sum())
    return {"as_before": there * length, "mean": there * mean}


def _days_ahead(model: Any, name: str, table: pd.DataFrame, periods: float) -> float:
    """Return the days till so many periods are due, of a model in whole periods or its groups."""
    one = model.models_[0] if hasattr(model, "models_") else model
    if not isinstance(one, PeriodModel):
        raise InputError(
            f"`models`: {quoted(name)} does not count in periods as 'holdout_periods' does; use a "
            "holdout_table."
        )
    return one._days_till(table, periods)


def _log_score(model: Any, table: pd.DataFrame, horizon: float, actual: Floats) -> float:
    """Return the mean log probability of what happened, where the model gives it."""
    if not hasattr(model, "purchase_probabilities"):
        return float("nan")
    total, low, high = 0.0, -1, _FEW
    while low < actual.max(initial=0.0):
        # Few customers buy often: they alone need the probabilities of large numbers.
        rows = np.flatnonzero((actual > low) & (actual <= high))
        for start in range(0, rows.size, _BLOCK):
            block = rows[start : start + _BLOCK]
            told = model.purchase_probabilities(
                table.iloc[block], horizon_days=horizon, max_purchases=high
            )
            found = told["p_exactly"].to_numpy().reshape(block.size, high + 1)
            happened = found[np.arange(block.size), actual[block].astype(np.int64)]
            total += float(np.log(np.maximum(happened, 1e-300)).sum())
        low, high = high, 2 * high
    return total / len(table)


def _figures(expected: Floats, actual: Floats, worth: Floats, value: Floats) -> dict[str, float]:
    """Return errors and order of expected purchases, and of what they are worth, all (n,)."""
    gap, total = expected - actual, float(actual.sum())
    worth = _told_apart(np.nan_to_num(worth, nan=np.inf))
    return {
        "mean_absolute_error": float(np.abs(gap).mean()),
        "root_mean_squared_error": float(np.sqrt(np.mean(gap**2))),
        "expected_total": float(expected.sum()),
        "actual_total": total,
        "bias": float(expected.sum()) / total - 1.0 if total else float("nan"),
        "concordance": concordance(actual, _told_apart(expected))[0],
        "top_decile_share": 0.1 * lift_at(worth, value),
        "gini": gini(worth, value),
    }


def _told_apart(expected: Floats) -> Floats:
    """Return expectations to 12 digits, so that rounding makes no order where there is none."""
    share, power = np.frexp(expected)
    return np.ldexp(np.round(share, 12), power)
