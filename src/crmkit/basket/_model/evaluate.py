"""Judging next items on what customers bought later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct, mean_interval
from crmkit._checks import check_flag, check_number
from crmkit._frames import day_column, parse_day
from crmkit._log import read_log
from crmkit._periods import day_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crmkit._frames import Log
    from crmkit._typing import Floats, Ints

    # The last day that may be known -> offers, and how many items could have been offered.
    Recommender = Callable[[np.datetime64], tuple[pd.DataFrame, int]]


def compare(
    recommenders: Mapping[str, Recommender],
    transactions: Any,
    *,
    horizon_days: int,
    as_of: Any,
    exclude_owned: bool,
    confidence_level: float,
) -> pd.DataFrame:
    """Judge recommenders that know the past on the future, the first against the second."""
    horizon_days = check_number(horizon_days, "horizon_days")
    confidence_level = check_number(confidence_level, "confidence_level")
    log = read_log(transactions, needs=("product",)).purchases
    split = log.as_of - horizon_days if as_of is None else parse_day(as_of, "as_of")
    if split + horizon_days > log.as_of:
        raise InputError(
            f"`as_of` plus `horizon_days` is {day_text(split + horizon_days)}, after "
            f"the last date, {day_text(log.as_of)}. Choose an earlier `as_of`."
        )
    past = day_column([split])[0]
    customer, item = _later(log, split, horizon_days, exclude_owned)
    scores, coverage = {}, {}
    for name, recommend in recommenders.items():
        offers, known_items = recommend(past)
        scores[name] = _by_customer(log, offers, customer, item)
        coverage[name] = offers["item"].nunique() / known_items
    one, other = recommenders
    scores["difference"] = scores[one] - scores[other]
    coverage["difference"] = coverage[one] - coverage[other]
    rows = []
    for name, score in scores.items():
        n = score.shape[1]
        interval = mean_interval(
            score.sum(axis=1), (score**2).sum(axis=1), np.full(3, n), confidence_level
        )
        for number, measure in enumerate(("hit_rate", "recall", "mrr")):
            rows.append((name, measure, n, *(float(part[number]) for part in interval)))
        rows.append((name, "coverage", n, coverage[name], np.nan, np.nan, np.nan))
    columns = [
        "recommender",
        "measure",
        "customers",
        "estimate",
        "std_error",
        "conf_low",
        "conf_high",
    ]
    return pd.DataFrame(rows, columns=columns)


def refitted(
    model: Any, transactions: Any, weights: Mapping[str, float] | None = None, **options: Any
) -> Recommender:
    """Return what a copy of a model, with other weights, recommends once fitted on the past."""
    from sklearn.base import clone

    def recommend(past: np.datetime64) -> tuple[pd.DataFrame, int]:
        fitted = clone(model).set_params(**(weights or {})).fit(transactions, as_of=past)
        return fitted.predict(transactions, as_of=past, **options), len(fitted.items_)

    return recommend


def _later(log: Log, split: int, horizon_days: int, exclude_owned: bool) -> tuple[Ints, Ints]:
    """Return the distinct (customer, item) that count as later purchases of known customers."""
    n_items = max(len(log.product_ids), 1)
    key = log.customer * n_items + log.product
    before = (log.day <= split) & (log.product >= 0)
    after = (log.day > split) & (log.day <= split + horizon_days) & (log.product >= 0)
    bought = distinct(key[after])
    if check_flag(exclude_owned, "exclude_owned"):
        owned = np.append(np.sort(key[before]), -1)
        bought = bought[owned[np.searchsorted(owned[:-1], bought)] != bought]
    customer, item = np.divmod(bought, n_items)
    seen = np.zeros(log.n_customers, dtype=bool)
    seen[log.customer[log.day <= split]] = True
    known = seen[customer]
    if not known.any():
        raise InputError(
            "`transactions`: no known customer bought a countable item after `as_of`. Lengthen "
            "`horizon_days`, or set `exclude_owned=False`."
        )
    return customer[known], item[known]


def _by_customer(log: Log, offers: pd.DataFrame, customer: Ints, item: Ints) -> Floats:
    """Return hit, recall and reciprocal rank per judged customer, shape (3, n)."""
    n_items = max(len(log.product_ids), 1)
    who = log.customer_ids.get_indexer(pd.Index(offers["customer_id"]))
    what = log.product_ids.get_indexer(pd.Index(offers["item"]))
    wanted = customer * n_items + item
    hit = np.isin(who * n_items + what, wanted)
    judged, n_later = np.unique(customer, return_counts=True)
    row = np.searchsorted(judged, who[hit])
    found = np.bincount(row, minlength=len(judged))
    first = np.full(len(judged), np.inf)
    np.minimum.at(first, row, offers["rank"].to_numpy()[hit])
    return np.stack([(found > 0).astype(float), found / n_later, 1 / first])
