"""What a customer could be worth: its spending elsewhere, or what customers like it earn us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._arrays import rank_bins
from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import group_codes, read_by, read_customers, sorted_codes
from crmkit.segmentation._math import group_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Ints

__all__ = ["peer_potential", "share_of_wallet"]

_LEVELS = 5


def share_of_wallet(
    customers: Any, *, spend: str, wallet: str, margin: float = 1.0
) -> pd.DataFrame:
    """Compare what customers spend with us with all they spend on such goods.

    Parameters
    ----------
    customers : DataFrame
        One row per customer.
    spend : str
        Column with the money spent with us, at least 0.
    wallet : str
        Column with the money spent in the whole category, with us and elsewhere, above 0: from a
        survey, or estimated from income and household.
    margin : float, default 1.0
        Share of revenue that is profit, 0 to 1, so that potential is profit too.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``spend`` (float) - money spent with us.
        * ``wallet`` (float) - money spent in the category.
        * ``share_of_wallet`` (float) - spend / wallet; above 1 the wallet was underestimated.
        * ``potential`` (float) - margin x (wallet - spend), at least 0.

    Raises
    ------
    MissingColumnsError
        If `customers` lacks a column.
    InputError
        If a value is missing, infinite or out of range.

    References
    ----------
    .. [1] Kumar, V. and Reinartz, W. (2018). *Customer Relationship Management*, 3rd ed.
       Springer, on size of wallet and share of wallet.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [1, 2], "spend": [80.0, 50.0], "all_grocers": [100.0, 500.0]}
    ... )
    >>> share_of_wallet(customers, spend="spend", wallet="all_grocers", margin=0.2)
       customer_id  spend  wallet  share_of_wallet  potential
    0            1   80.0   100.0              0.8        4.0
    1            2   50.0   500.0              0.1       90.0
    """
    margin = check_number(margin, "margin")
    needs = columns_named(spend=spend, wallet=wallet)
    frame = read_customers(customers, needs=needs, optional=())
    problems = Problems("customers")
    spent = number_array(frame[spend], problems, spend, low=0)
    purse = number_array(frame[wallet], problems, wallet, low=0, low_open=True)
    problems.raise_if_any()
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "spend": spent,
            "wallet": purse,
            "share_of_wallet": spent / purse,
            "potential": margin * np.maximum(purse - spent, 0.0),
        }
    )


def peer_potential(
    customers: Any,
    *,
    value: str,
    by: str | Sequence[str],
    quantile: float = 0.8,
    min_peers: int = 20,
) -> pd.DataFrame:
    """Compare what customers earn us with what the better ones among customers like them earn.

    Parameters
    ----------
    customers : DataFrame
        One row per customer.
    value : str
        Column with present value, such as ``profit``.
    by : str or list of str
        Columns that make the groups; customers without a value are a group of their own.
        Customers of a group are alike. Texts and numbers with at most ten values are taken
        as they are, other numbers in five groups of about equal size.
    quantile : float, default 0.8
        Which of the look-alikes sets the mark: 0.8 is the customer whom 20% exceed.
    min_peers : int, default 20
        With fewer look-alikes, itself included, a customer is compared with all customers.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``value`` (float) - present value.
        * ``peers`` (int) - customers it is compared with, itself included.
        * ``peer_value`` (float) - the quantile of their values.
        * ``potential`` (float) - peer_value - value, at least 0.

    Raises
    ------
    MissingColumnsError
        If `customers` lacks a column.
    InputError
        If a value is missing or infinite, or an option is out of range.

    Notes
    -----
    The gap says what customers of this kind can earn us, not that this one will.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "profit": [10.0, 30.0, 50.0, 7.0],
    ...         "household": ["family", "family", "family", "single"],
    ...     }
    ... )
    >>> peer_potential(customers, value="profit", by="household", quantile=0.5, min_peers=2)
       customer_id  value  peers  peer_value  potential
    0            1   10.0      3        30.0       20.0
    1            2   30.0      3        30.0        0.0
    2            3   50.0      3        30.0        0.0
    3            4    7.0      4        20.0       13.0
    """
    columns = read_by(by, needed=True)
    quantile = check_number(quantile, "quantile")
    min_peers = check_number(min_peers, "min_peers")
    frame = read_customers(customers, needs=[*columns_named(value=value), *columns], optional=())
    problems = Problems("customers")
    worth = number_array(frame[value], problems, value)
    problems.raise_if_any()
    levels = pd.DataFrame({column: _levels(frame[column]) for column in columns})
    codes, _ = group_codes(levels, columns)
    peers = np.bincount(codes)
    mark = group_quantile(worth, codes, quantile)
    few = peers < min_peers
    mark[few] = np.quantile(worth, quantile)
    peers[few] = worth.size
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "value": worth,
            "peers": peers[codes],
            "peer_value": mark[codes],
            "potential": np.maximum(mark[codes] - worth, 0.0),
        }
    )


def _levels(column: pd.Series[Any]) -> Ints:
    """Return the group of each row in one column: -1 is missing."""
    codes, distinct = sorted_codes(column)
    if len(distinct) > 10 and pd.api.types.is_numeric_dtype(distinct):
        known = codes >= 0
        codes = codes.copy()
        codes[known] = rank_bins(codes[known], _LEVELS)
    return codes
