"""How many customers have the same history: all that a model learns from, whoever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import check_choice, check_flag
from crmkit._frames import ACCOUNT, with_account
from crmkit._two_steps import in_one, in_two_steps
from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._table.purchases import purchase_table
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import KeepDropOrRaise


__all__ = ["history_counts"]

Of = Literal["purchases", "spend"]

_PURCHASES = ("frequency", "recency", "T")
_SPEND = ("frequency", "kept_purchases", "cell")
_STEP = float(np.log(1.01))


def history_counts(
    transactions: Any,
    *,
    of: Of = "purchases",
    as_of: Any = None,
    refunds: KeepDropOrRaise = "keep",
    regularity: bool = False,
) -> pd.DataFrame:
    """Count the customers of each distinct history, for models of more customers than fit.

    A model learns the same from a history and the number of customers who have it as from a row
    for each: ``BGNBD().fit(counts, weights="customers")``.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and, for money, ``amount``.
    of : {"purchases", "spend"}
        Histories of purchases, for :class:`BGNBD` and the other models of purchases; or of spend,
        for :class:`GammaGamma` with first purchases.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`.
    regularity : bool, default False
        Add ``sum_log_gaps``, which :class:`BGCNBD` and :class:`MBGCNBD` learn from.

    Returns
    -------
    pandas.DataFrame
        One row per distinct history, sorted by its columns:

        * ``frequency`` (int) - repeat purchase days.
        * ``recency`` (float) - days from the first to the last purchase. Only of purchases.
        * ``T`` (float) - days from the first purchase to `as_of`. Only of purchases.
        * ``sum_log_gaps`` (float) - sum of the logarithms of the days between purchases, on average
          over the customers. Optional.
        * ``kept_purchases`` (int) - purchase days of which money is left. Only of spend.
        * ``monetary_value`` (float) - mean amount per repeat purchase day, on average over
          customers whose means lie within 1 %. Only of spend.
        * ``first_amount`` (float) - amount of the first purchase day, likewise; first and repeat
          purchases are given the same mean. Only of spend.
        * ``customers`` (int) - customers with that history.

    Raises
    ------
    MissingColumnsError
        If ``customer_id`` or ``date`` is missing.
    InputError
        If no purchase falls on or before `as_of`, or there is no ``amount`` for spend.

    See Also
    --------
    crmkit.by_customer : Counts the histories of a log that is larger than memory.

    Notes
    -----
    Distinct histories are fewer than customers, but not few: of a million customers like those of
    CDNOW over a year 186,000; of a million frequent buyers over three years 840,000. Spend has as
    many histories as customers, so amounts are put into cells of 1 %, whose means are kept.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> counts = clv.history_counts(datasets.load_cdnow())
    >>> len(counts), int(counts["customers"].sum())
    (11104, 23570)
    >>> model = clv.BGNBD().fit(counts, weights="customers")
    """
    return in_one(history_counts, locals())


def _counted(
    transactions: Any, *, of: Of, as_of: Any, refunds: KeepDropOrRaise, regularity: bool
) -> pd.DataFrame:
    """Return the customers and the sums of what is no key, per key of a history."""
    check_choice(of, "of", Of)
    spend = of == "spend"
    if spend and check_flag(regularity, "regularity"):
        raise InputError("`regularity` is about purchases; leave it out for of='spend'.")
    table = purchase_table(transactions, as_of=as_of, refunds=refunds, regularity=regularity)
    account = table.attrs[ACCOUNT]
    found: dict[str, Any] = {
        name: table[name] for name in (*_PURCHASES, *_SPEND) if name in table.columns
    }
    if spend:
        if "monetary_value" not in table.columns:
            raise InputError("`transactions` has no column 'amount', which spend is made of.")
        x, kept = table["frequency"].to_numpy(), table["kept_purchases"].to_numpy()
        total = x * table["monetary_value"].to_numpy() + table["first_amount"].to_numpy()
        total = np.where(kept > 0, total, 0.0)
        mean = np.maximum(total / np.maximum(kept, 1), np.finfo(float).tiny)
        found |= {"cell": np.floor(np.log(mean) / _STEP), "sum": total}
    elif regularity:
        found["sum"] = table["sum_log_gaps"]
    keys = list(_SPEND if spend else _PURCHASES)
    sums = {"sum": found["sum"]} if "sum" in found else {}
    counted = pd.DataFrame({**{key: found[key] for key in keys}, **sums, "customers": 1})
    return with_account(_alike(counted, keys), account)


def _alike(counted: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add up the rows of the same keys, which come sorted."""
    first, row = distinct_rows([counted[key].to_numpy() for key in keys])
    table = counted[keys].iloc[first].reset_index(drop=True)
    if "sum" in counted:
        table["sum"] = np.bincount(row, weights=counted["sum"])
    number = np.zeros(len(table), dtype=np.int64)
    np.add.at(number, row, counted["customers"].to_numpy())
    return table.assign(customers=number)


def _added(counted: pd.DataFrame, *, of: Of) -> pd.DataFrame:
    """Add up the same histories, and give the means of what was summed."""
    spend = of == "spend"
    keys = list(_SPEND if spend else _PURCHASES)
    table = _alike(counted, keys)
    number = table.pop("customers")
    if spend:
        each = table.pop("sum") / number / (table["frequency"] + 1)
        table = table.drop(columns="cell")
        table["monetary_value"] = each.where(table["frequency"] > 0, 0.0)
        table["first_amount"] = each
    elif "sum" in table:
        table["sum_log_gaps"] = table.pop("sum") / number
    return with_account(table.assign(customers=number), counted.attrs[ACCOUNT])


in_two_steps(history_counts, first=_counted, rest=_added)
