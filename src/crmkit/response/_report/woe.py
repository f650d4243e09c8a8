"""The bins of variables, with rates and weights of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import wilson_interval
from crmkit._checks import check_number
from crmkit._frames import with_account
from crmkit.response._math.binning import information
from crmkit.response._table.bins import bin_customers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["woe_table"]


def woe_table(
    customers: Any,
    *,
    outcome: str,
    columns: str | Sequence[str] | None = None,
    max_bins: int = 10,
    min_bin_share: float = 0.01,
    monotone: bool = False,
    special_codes: Mapping[str, Iterable[Any]] | Iterable[Any] | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Show the bins behind :func:`response_drivers`, with their rates and weights of evidence.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id``, the outcome and variables. Customers with a
        missing outcome were not contacted and are left out.
    outcome : str
        Column with the outcome: 1 (or True) for a response and 0 for none.
    columns : str or sequence of str, optional
        Variables to show. The default is every column but the id, the outcome and dates.
    max_bins : int, default 10
        Most bins of a number.
    min_bin_share : float, default 0.01
        Least share of customers in a bin.
    monotone : bool, default False
        Whether the rate of a number's bins must rise, or fall, throughout.
    special_codes : list or mapping, optional
        Values that are codes and no amounts, such as -999 or "refused", each of which is a bin of
        its own: a list for all columns, or one per column. A column whose other values are all
        numbers is one of numbers.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per variable and bin: numbers from low to high, levels from the lowest rate to
        the highest, special codes as given, missing values last:

        * ``variable`` (str) - the column.
        * ``bin`` (str) - a range, one level or several, "(other)" for pooled rare levels, a special
          code, or "(missing)".
        * ``rule`` (str) - who belongs to it, for ``DataFrame.query`` and :func:`rule_scores`.
        * ``customers`` (int) - contacted customers in the bin.
        * ``share`` (float) - of all contacted customers.
        * ``responders`` (int) - those who responded.
        * ``rate`` (float) - responders / customers.
        * ``conf_low``, ``conf_high`` (float) - Wilson's interval of the rate.
        * ``woe`` (float) - weight of evidence, ln(share of responders / share of others).
        * ``information_value`` (float) - the bin's part of the variable's.

    Raises
    ------
    InputError
        If nobody or everybody responded, or there is no variable.

    Notes
    -----
    The bins were chosen for their rates, and the limits do not know it: of numbers that mean
    nothing, intervals of 95 % hold 73 % among 3,000 customers. New customers tell more.

    References
    ----------
    Siddiqi, N. (2006). Credit Risk Scorecards. Wiley. Chapter 6.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(400),
    ...         "channel": ["shop", "web"] * 200,
    ...         "responded": [0, 1, 0, 1, 0, 0, 1, 0] * 50,
    ...     }
    ... )
    >>> table = response.woe_table(customers, outcome="responded", columns="channel")
    >>> table[["bin", "customers", "rate", "woe"]].round(3)
        bin  customers  rate    woe
    0  shop        200  0.25 -0.588
    1   web        200  0.50  0.511
    """
    confidence_level = check_number(confidence_level, "confidence_level")
    account, outcomes, variables = bin_customers(
        customers,
        outcome,
        columns=columns,
        max_bins=max_bins,
        min_bin_share=min_bin_share,
        monotone=monotone,
        special_codes=special_codes,
    )
    parts = []
    for variable in variables:
        size = variable.events + variable.others
        woe, value = information(variable.events, variable.others)
        low, high = wilson_interval(variable.events, size, confidence_level)
        parts.append(
            pd.DataFrame(
                {
                    "variable": variable.name,
                    "bin": variable.labels,
                    "rule": variable.rules,
                    "customers": size.astype(np.int64),
                    "share": size / sum(outcomes),
                    "responders": variable.events.astype(np.int64),
                    "rate": variable.events / size,
                    "conf_low": low,
                    "conf_high": high,
                    "woe": woe,
                    "information_value": value,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return with_account(table, account)
