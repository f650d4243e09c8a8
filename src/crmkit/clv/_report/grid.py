"""What a model says about every combination of frequency and recency."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number, quoted
from crmkit._frames import read_customers
from crmkit.clv._report.numbers import numbers
from crmkit.errors import InputError

__all__ = ["frequency_recency_table"]

_MOST_CELLS = 10_000_000


def frequency_recency_table(
    customers: Any,
    *,
    purchases: Any,
    horizon_days: float = 365,
    max_frequency: int | None = None,
    n_recencies: int = 40,
) -> pd.DataFrame:
    """Predict for every combination of how often and how lately a customer bought.

    All combinations are those of the customer observed longest, so that the picture shows
    behaviour and not time.

    Parameters
    ----------
    customers : DataFrame
        The table the model was fitted on; says how far frequency and recency reach.
    purchases : fitted model
        Of repeat purchases, without covariates.
    horizon_days : float
        Days to look ahead.
    max_frequency : int, optional
        Largest number of repeat purchases. Default: what 99% of repeat customers stay below.
    n_recencies : int
        Number of values of recency, evenly spaced.

    Returns
    -------
    pandas.DataFrame
        One row per combination, by frequency and recency:

        * ``frequency`` (int) - repeat purchases.
        * ``recency`` (float) - days from the first to the last purchase.
        * ``recency_days`` (float) - days from the last purchase to the end.
        * ``p_alive`` (float) - probability of being a customer still.
        * ``expected_purchases`` (float) - purchases within the horizon.

    Raises
    ------
    MissingColumnsError
        If ``frequency`` or ``T`` is missing.
    InputError
        If a value is impossible, or the model needs more than frequency, recency and T.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> customers = clv.purchase_table(log)
    >>> model = clv.BGNBD().fit(customers)
    >>> grid = clv.frequency_recency_table(customers, purchases=model, max_frequency=10)
    >>> grid["frequency"].max()
    np.int64(10)
    """
    known = getattr(purchases, "_columns", ()) == ("frequency", "recency", "T")
    if isinstance(purchases, type) or not known or any(purchases._covariates()):
        raise InputError(
            "`purchases` must be one fitted model in days without covariates, such as BGNBD or "
            f"ParetoNBD, for a map of frequency and recency alone; got {quoted(purchases)}."
        )
    table = read_customers(customers, needs=("frequency", "T"))
    columns = numbers(table, ("frequency", "T"), name="customers", low=0.0)
    n_recencies = check_number(n_recencies, "n_recencies")
    repeat = columns["frequency"][columns["frequency"] > 0.0]
    if max_frequency is None:
        max_frequency = int(np.quantile(repeat, 0.99)) if repeat.size else 1
    most = check_number(max_frequency, "max_frequency")
    if most * n_recencies > _MOST_CELLS:
        raise InputError(
            f"The map would have {most:,} frequencies by {n_recencies:,} recencies. Choose a "
            "lower `max_frequency` or `n_recencies`."
        )
    longest = float(columns["T"].max())
    # Recency 0 belongs to frequency 0 alone: repeat purchases take time.
    steps = longest * np.arange(1, n_recencies + 1) / n_recencies
    frequency = np.r_[0, np.repeat(np.arange(1, most + 1), n_recencies)]
    recency = np.r_[0.0, np.tile(steps, most)]
    grid = pd.DataFrame(
        {
            "customer_id": np.arange(frequency.size),
            "frequency": frequency,
            "recency": recency,
            "T": longest,
        }
    )
    told = purchases.predict(grid, horizon_days=horizon_days)
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency": recency,
            "recency_days": longest - recency,
            "p_alive": told["p_alive"],
            "expected_purchases": told["expected_purchases"],
        }
    )
