"""Judging next items on what customers bought later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from crmkit._arrays import distinct, mean_interval
from crmkit._frames import day_column, parse_day
from crmkit._log import check_covered, read_log
from crmkit._periods import day_text
from crmkit.basket._math.recommend import merge_best
from crmkit.basket._model.offers import Recommender, rank_offers
from crmkit.basket._model.strengths import among
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Floats, Ints
    from crmkit.basket._model.offers import Offers

MEASURES = ("hit_rate", "recall", "mrr", "ndcg")


def judge_offers(
    model: Any,
    transactions: Any,
    *,
    horizon_days: int,
    as_of: Any,
    n_splits: int,
    n_items: int,
    exclude_owned: bool,
    confidence_level: float,
    progress: bool,
) -> pd.DataFrame:
    """Judge a model and its rivals, each knowing the past only, on the future."""
    from sklearn.base import clone

    log = read_log(transactions, needs=("product",)).purchases
    split = log.as_of - horizon_days if as_of is None else parse_day(as_of, "as_of")
    _check_days(log, split, split - (n_splits - 1) * horizon_days, horizon_days)
    judged: dict[tuple[str, str], list[Any]] = {}
    for day in range(split, split - n_splits * horizon_days, -horizon_days):
        past = day_column([day])[0]
        fitted = clone(model).set_params(horizon_days=horizon_days).fit(transactions, as_of=past)
        later = _later(log, day, horizon_days)
        owned = _owned(log, day)
        for recommender in get_args(Recommender):
            offers = rank_offers(
                fitted,
                transactions,
                n_items=n_items,
                exclude_owned=exclude_owned,
                as_of=past,
                progress=progress,
                judge=recommender,
            )
            again = among(later, owned)
            kinds = {
                "all": ((offers.repeat, offers.new), later),
                "repeat": ((offers.repeat,), later[again]),
                "new": ((offers.new,), later[~again]),
            }
            for kind, (parts, wanted) in kinds.items():
                if (kind == "new" and recommender == "favourites") or (
                    kind != "new" and exclude_owned
                ):
                    continue
                score = _by_customer(log, offers, merge_best(parts, n_items), wanted, n_items)
                judged.setdefault((kind, recommender), []).append(score)
    rows: list[tuple[Any, ...]] = []
    for kind in ("all", "repeat", "new"):
        known = {name: _mean(parts, log) for (k, name), parts in judged.items() if k == kind}
        if known and known["model"][0].shape[1]:
            rows += _compared(kind, known, confidence_level)
    if not rows:
        raise InputError(
            "`transactions`: no known customer bought a countable item after `as_of`. Lengthen "
            "`horizon_days`, or set `exclude_owned=False`."
        )
    columns = [
        "items", "recommender", "measure", "customers", "estimate", "std_error", "conf_low",
        "conf_high", "verdict",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _check_days(log: Log, split: int, first: int, horizon_days: int) -> None:
    """Raise unless the log has days before the first split and after the last."""
    check_covered(np.array([log.as_of]), split, split + horizon_days, tells=False)
    if len(log.day) and first < log.day.min():
        raise InputError(
            f"The first split, {day_text(first)}, is before the first date, "
            f"{day_text(int(log.day.min()))}. Choose fewer `n_splits` or a shorter `horizon_days`."
        )


def _owned(log: Log, split: int) -> Ints:
    """Return what was owned by a day, as sorted keys customer * items + item."""
    before = (log.day <= split) & (log.product >= 0)
    return distinct(log.customer[before] * max(len(log.product_ids), 1) + log.product[before])


def _later(log: Log, split: int, horizon_days: int) -> Ints:
    """Return what known customers bought after a day, as sorted keys."""
    seen = np.zeros(log.n_customers, dtype=bool)
    seen[log.customer[log.day <= split]] = True
    after = (log.day > split) & (log.day <= split + horizon_days) & (log.product >= 0)
    after &= seen[log.customer]
    return distinct(log.customer[after] * max(len(log.product_ids), 1) + log.product[after])


def _by_customer(
    log: Log, offers: Offers, best: tuple[Ints, Ints, Floats, Ints], wanted: Ints, n_items: int
) -> tuple[Ints, Floats, float]:
    """Return the judged customers, their measures, shape (4, n), and the coverage."""
    m = max(len(log.product_ids), 1)
    who, item, _, rank = best
    # both logs know the same ids, the one up to the split a part of them
    customer = log.customer_ids.get_indexer(offers.history.purchases.customer_ids)[who]
    product = log.product_ids.get_indexer(offers.items)[item]
    hit = among(customer * m + product, wanted)
    judged, n_later = np.unique(wanted // m, return_counts=True)
    row, rank = np.searchsorted(judged, customer[hit]), rank[hit]
    n = len(judged)
    found = np.bincount(row, minlength=n)
    first = np.full(n, np.inf)
    np.minimum.at(first, row, rank)
    gain = np.bincount(row, weights=1 / np.log2(rank + 1), minlength=n)
    most = np.cumsum(1 / np.log2(np.arange(n_items) + 2))
    ideal = most[np.minimum(n_later, n_items) - 1]
    measures = np.stack([(found > 0).astype(float), found / n_later, 1 / first, gain / ideal])
    return judged, measures, len(np.unique(item)) / len(offers.items)


def _mean(parts: list[tuple[Ints, Floats, float]], log: Log) -> tuple[Floats, float]:
    """Return each customer's mean measures over the splits that judge it, and mean coverage."""
    total, n = np.zeros((len(MEASURES), log.n_customers)), np.zeros(log.n_customers)
    for customer, measures, _ in parts:
        total[:, customer] += measures
        n[customer] += 1
    return total[:, n > 0] / n[n > 0], float(np.mean([part[2] for part in parts]))


def _compared(
    kind: str, known: dict[str, tuple[Floats, float]], confidence_level: float
) -> list[tuple[Any, ...]]:
    """Return the rows of one kind of items: every recommender, then the differences."""
    model, covered = known["model"]
    rivals = {
        f"model - {name}": (model - score, covered - coverage)
        for name, (score, coverage) in known.items()
        if name != "model"
    }
    rows: list[tuple[Any, ...]] = []
    for name, (score, coverage) in (known | rivals).items():
        n = score.shape[1]
        interval = mean_interval(
            score.sum(axis=1), (score**2).sum(axis=1), np.full(len(MEASURES), n), confidence_level
        )
        for number, measure in enumerate(MEASURES):
            estimate, error, low, high = (float(part[number]) for part in interval)
            verdict = "not tested"
            if name in rivals and np.isfinite(low):
                verdict = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
            rows.append((kind, name, measure, n, estimate, error, low, high, verdict))
        rows.append((kind, name, "coverage", n, coverage, *[np.nan] * 3, "not tested"))
    return rows
