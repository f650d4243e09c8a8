"""Priors as tables: what is thought likely of quantities that people know, before the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import Problems, listed, number_array, quoted, require_columns
from crmkit._frames import to_pandas
from crmkit.clv._math.prior import Prior, Quantity, to_scale
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats

__all__ = ["is_about", "prior_of", "read_prior"]

_COLUMNS = ("term", "low", "high")
# An effect by which a standard deviation of its covariate makes a parameter up to e^2 = 7 times.
_EFFECT = 1.96


def is_about(prior: Any, term: str) -> bool:
    """Tell whether a prior is a table with a row of this term."""
    return "term" in getattr(prior, "columns", ()) and term in set(
        to_pandas(prior, "prior")["term"]
    )


def read_prior(
    prior: Any, quantities: Sequence[Quantity], effects: Sequence[str], spread: Floats, unit: float
) -> pd.DataFrame:
    """Return the whole prior as a table of term, low and high: the defaults, and what was given.

    `spread` are the standard deviations of the covariates behind the `effects`, `unit` that in
    which amounts are computed.
    """
    rows = {q.name: (q.low * unit, q.high * unit) if q.of_unit else (q.low, q.high)
            for q in quantities}  # fmt: skip
    rows |= {name: (-_EFFECT / sd, _EFFECT / sd) for name, sd in zip(effects, spread, strict=True)}
    if not (isinstance(prior, str) and prior == "weak"):
        rows |= _given(prior, quantities, list(rows))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"])
    return table.rename_axis("term").reset_index()


def _given(
    prior: Any, quantities: Sequence[Quantity], terms: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Return the rows of a table that was given, or say what is wrong with it."""
    wrong = (
        "`prior` must be 'weak' or a table with the columns term, low and high, such as prior_ of "
        f"a fitted model; got {quoted(prior)}."
    )
    if isinstance(prior, (str, bytes)) or prior is None or not hasattr(prior, "columns"):
        raise InputError(wrong)
    frame = to_pandas(prior, "prior")
    require_columns(frame.columns, list(_COLUMNS), "prior")
    problems = Problems("prior")
    low, high = (number_array(frame[name], problems, name) for name in ("low", "high"))
    names = frame["term"]
    problems.rows(
        ~names.isin(list(terms)).to_numpy(),
        "column 'term' holds what this model has no prior for",
        do=f"Its terms are {listed(terms)}.",
        values=names,
    )
    problems.rows(
        names.duplicated().to_numpy(), "column 'term' holds a term twice", do="Keep one row each."
    )
    problems.rows(low >= high, "`low` is not below `high`", do="They hold 95 % of the prior.")
    scales = {q.name: q.scale for q in quantities}
    scale = [scales.get(str(name), "plain") for name in names]
    shares = np.array([s in ("chance", "division") for s in scale], dtype=bool)
    positive = np.array([s != "plain" for s in scale], dtype=bool)
    problems.rows(positive & (low <= 0.0), "`low` is not above 0", do="It is a positive quantity.")
    problems.rows(shares & (high >= 1.0), "`high` is not below 1", do="It is a share.")
    problems.raise_if_any()
    return {str(n): (float(a), float(b)) for n, a, b in zip(names, low, high, strict=True)}


def prior_of(
    table: pd.DataFrame,
    quantities: Sequence[Quantity],
    names: Sequence[str],
    *,
    shift: Floats,
    spread: Floats,
    offsets: Mapping[str, float],
) -> Prior:
    """Return the prior of a table for coefficients in other units.

    Log-parameters lack `shift`, shape (p,); effects are multiplied by the covariates' `spread`.
    `offsets` are added to quantities by name.
    """
    n_effects = len(table) - len(quantities)
    p, q = len(names) + n_effects, len(table)
    sums, offset = np.zeros((q, p)), np.zeros(q)
    pairs: list[tuple[int, int] | None] = [None] * q
    low, high = np.empty(q), np.empty(q)
    ranges = table[["low", "high"]].to_numpy(dtype=np.float64)
    for row, quantity in enumerate(quantities):
        for name, weight in quantity.sums.items():
            sums[row, names.index(name)] = weight
        if quantity.pair:
            j, k = (names.index(name) for name in quantity.pair)
            pairs[row] = (j, k)
        low[row], high[row] = to_scale(ranges[row], quantity.scale)
        offset[row] = sums[row] @ shift + offsets.get(quantity.name, 0.0)
    effects = np.arange(len(quantities), q)
    sums[effects, len(names) + np.arange(n_effects)] = 1.0
    low[effects], high[effects] = (ranges[effects] * spread[len(names) :, None]).T
    width = 2.0 * normal_quantile(0.95)
    return Prior(sums, offset, tuple(pairs), (low + high) / 2.0, np.abs(high - low) / width)
