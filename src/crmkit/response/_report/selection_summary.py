"""What a selection costs and promises, and how far it is from the best."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._frames import read_customers
from crmkit.response._math.selection import gain_bound
from crmkit.response._table.offers import limits

__all__ = ["selection_summary"]


def selection_summary(
    selection: Any, *, budget: float | None = None, capacity: int | None = None
) -> pd.DataFrame:
    """Sum up a selection and tell how far it can be from the best possible one.

    The bound is that of the linear programme that may contact customers in part; no selection
    from the same customers within budget and capacity earns more.

    Parameters
    ----------
    selection : DataFrame
        What :func:`select_targets` gives.
    budget : float, optional
        The budget it was made with.
    capacity : int, optional
        The capacity it was made with.

    Returns
    -------
    pandas.DataFrame
        One row:

        * ``customers`` (int) - customers decided on.
        * ``contacts`` (int) - contacts that are to be made.
        * ``controls`` (int) - customers held out at random.
        * ``no_contacts`` (int) - all others.
        * ``cost`` (float) - cost of the contacts, in money.
        * ``expected_gain`` (float) - expected gain of the contacts, in money.
        * ``bound`` (float) - upper bound on the expected gain, in money; missing for several
          offers in a table that no longer comes from ``select_targets`` itself.
        * ``bound_gap`` (float) - bound - expected gain: at most this much was missed; missing
          likewise.

    Raises
    ------
    MissingColumnsError
        If `selection` is not what ``select_targets`` gives.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame({"customer_id": range(4), "email": True})
    >>> scores = pd.DataFrame({"customer_id": range(4), "p_response": [0.1, 0.2, 0.3, 0.4]})
    >>> selection = response.select_targets(
    ...     customers, scores, consent="email", value=10, capacity=2, holdout_share=0
    ... )
    >>> response.selection_summary(selection, capacity=2)[["contacts", "expected_gain", "bound"]]
       contacts  expected_gain  bound
    0         2            7.0    7.0
    """
    needs = ["decision", "reason", "expected_gain", "cost"]
    table = read_customers(selection, needs=needs, name="selection", unique=False)
    customers = table["customer_id"].nunique()
    contact = (table["decision"] == "contact").to_numpy(dtype=bool)
    control = (table["decision"] == "control").to_numpy(dtype=bool)
    beyond = table["reason"].isin(["beyond budget", "beyond capacity"]).to_numpy(dtype=bool)
    gain = table["expected_gain"].to_numpy(dtype=np.float64)
    cost = table["cost"].to_numpy(dtype=np.float64)
    candidate = contact | beyond
    most = limits(budget, capacity)
    # Only the selection itself knew the offers that were not chosen; of a part of it nothing is
    # known.
    account = table.attrs.get("account", {})
    bound = account.get("gain_bound", np.nan) if account.get("rows") == customers else np.nan
    if np.isnan(bound) and not {"treatment", "channel"} & set(table.columns):
        bound = gain_bound(
            gain[candidate], cost[candidate], budget=most.budget, capacity=most.capacity
        )
    total = float(gain[contact].sum())
    return pd.DataFrame(
        {
            "customers": [customers],
            "contacts": [int(contact.sum())],
            "controls": [int(control.sum())],
            "no_contacts": [int((~contact & ~control).sum())],
            "cost": [float(cost[contact].sum())],
            "expected_gain": [total],
            "bound": [bound],
            "bound_gap": [np.maximum(bound - total, 0.0)],
        }
    )
