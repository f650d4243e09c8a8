"""A transaction log and covariates over time, read and made ready for a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._log import read_log
from crmkit.clv._math.pareto import starting_points
from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._math.varying_likelihood import Effects, Histories, effects_of, moments_of
from crmkit.clv._model.pareto_nbd import ParetoNBD
from crmkit.clv._table.covariates import covariate_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.varying_paths import Paths

__all__ = ["Read", "Scaled", "read_histories", "standardised", "starting_logs"]


# So few distinct histories that climbing from everywhere costs nothing.
_FEW = 300


@dataclass(frozen=True, slots=True)
class Read:
    """A log and its covariates: n customers with k distinct histories.

    ``ids`` and ``inverse`` (n,) stand in the order in which the log names the customers.
    ``bought`` (q,) sums the covariates over all repeat purchases; ``account`` says who was left
    out and who met nobody.
    """

    ids: pd.Index[Any]
    inverse: Ints
    histories: Histories
    paths: Paths
    bought: Floats
    account: dict[str, float]


def read_histories(
    transactions: Any,
    covariates: Any,
    columns: Sequence[str],
    *,
    as_of: Any = None,
    ahead: float = 0.0,
) -> Read:
    """Read a log and the covariates up to `ahead` days after its end, and compress them."""
    purchases = read_log(transactions, as_of=as_of)
    log, days = purchases.rows, purchases.days()
    ids = log.customer_ids
    first, last = days.day[days.first], days.day[days.last]
    paths, path = covariate_paths(
        covariates,
        columns=columns,
        customer_ids=ids,
        first=first,
        until=max(log.as_of, log.as_of + math.ceil(ahead) - 1),
        other="transactions",
        account=purchases.account,
    )
    kind, inverse = distinct_rows([path, first, last, days.count])
    histories = Histories(
        path=path[kind],
        first=first[kind].astype(np.float64),
        last=last[kind].astype(np.float64),
        end=np.full(kind.size, float(log.as_of)),
        frequency=(days.count[kind] - 1).astype(np.float64),
        weight=np.bincount(inverse).astype(np.float64),
    )
    bought_on = days.day[days.repeat].astype(np.float64)
    bought = paths.at(np.repeat(path, days.count - 1), bought_on).sum(axis=0)
    # Customers in the order in which the log first names them.
    order = np.argsort(np.unique(log.customer, return_index=True)[1])
    return Read(ids[order], inverse[order], histories, paths, bought, purchases.account)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Covariates less their means over their deviations: what the likelihood is climbed with.

    ``purchases`` sums the design of purchases over all repeat purchases; ``spread`` (p,) holds
    the deviations of the effects; ``back`` (p, p) turns coefficients into those of the covariates
    as given.
    """

    effects: tuple[Effects, Effects]
    purchases: Floats
    spread: Floats
    back: Floats


def standardised(read: Read, chosen: Sequence[Sequence[int]], *, center: bool) -> Scaled:
    """Standardise the covariates `chosen` for purchases and for dropout."""
    mean, deviation = moments_of(read.histories, read.paths)
    mean = mean * center
    scale = np.where(deviation > 0.0, deviation, 1.0)
    effects = effects_of((read.paths.values - mean) / scale, chosen)
    n_repeats = float(read.histories.weight @ read.histories.frequency)
    bought = (read.bought - n_repeats * mean) / scale
    spread = np.concatenate([np.ones(4), *(deviation[list(columns)] for columns in chosen)])
    back = np.diag(1.0 / np.where(spread > 0.0, spread, 1.0))
    for effect, columns in zip(effects, chosen, strict=True):
        back[effect.place[0], effect.place[1:]] = (mean / scale)[list(columns)]
    return Scaled(effects, np.append(-n_repeats, bought[list(chosen[0])]), spread, back)


def starting_logs(histories: Histories, unit: float) -> list[list[float]]:
    """Return log-parameters to start from, the maximum without covariates among them.

    With many customers that maximum is near the one to find; few may leave several peaks.
    """
    h = histories
    starts = np.array(starting_points(float(np.average(h.frequency, weights=h.weight))))
    starts[:, [1, 3]] += math.log(unit)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(h.path.size),
            "frequency": h.frequency,
            "recency": h.last - h.first,
            "T": h.end - h.first,
            "weight": h.weight,
        }
    )
    without = ParetoNBD().fit(table, weights="weight").coefficients_
    # A limit without covariates need not be one with them.
    near = np.clip(without, starts[0] - 6.0, starts[0] + 6.0).tolist()
    usual, *others = starts.tolist()
    return [usual, near, *others] if h.path.size <= _FEW else [near, usual]
