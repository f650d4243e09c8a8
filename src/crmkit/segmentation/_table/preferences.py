"""What each customer buys, where, when and at which price: shares, own against those of all."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_flag, check_number
from crmkit._frames import with_account
from crmkit._periods import day_text
from crmkit._two_steps import in_two_steps
from crmkit.errors import InputError
from crmkit.segmentation._math import shrink_shares
from crmkit.segmentation._table.level_counts import (
    Kept,
    Levels,
    Variable,
    count,
    keep,
    reach,
    read_base,
)
from crmkit.segmentation._table.purchase_levels import DISCOUNTED, OF_ALL, Read, read_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

__all__ = ["preference_table"]


def preference_table(
    transactions: Any,
    *,
    columns: Sequence[str] | None = None,
    discount: str | None = None,
    max_levels: int = 8,
    base: Any = None,
    since: Any = None,
    as_of: Any = None,
    detail: bool = False,
) -> pd.DataFrame:
    """Describe each customer by what it prefers: shares of categories, channels, days and hours.

    Parameters
    ----------
    transactions : DataFrame
        The log, with columns ``customer_id`` and ``date`` and those of `columns`; ``order_id`` is
        used where there is one. Refunds are no purchases and tell nothing here.
    columns : list of str, optional
        Columns of `transactions` with what is preferred, in words. The default is those of
        ``category``, ``brand`` and ``channel`` that are there.
    discount : str, optional
        Name of the column of `transactions` with the discount granted, as a positive number.
    max_levels : int, default 8
        Levels of a column that are kept apart; the rarest of more are one, ``(other)``. Ignored
        with `base`.
    base : DataFrame, optional
        Levels and shares of all customers to keep, from `detail` of an earlier day, so that two
        tables have the same columns and a model learned on one reads the other.
    since : date-like, optional
        First day counted, inclusive. The default is the first date in `transactions`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in `transactions`.
    detail : bool, default False
        One row per customer and level instead, own share beside that of all.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``, and with `detail` per customer and level:

        * ``customer_id`` - as given.
        * ``orders`` (int) - number of orders; with `detail` those that have the level.
        * ``<column>_<level>_share`` (float) - share of the level among the customer's purchases,
          drawn towards that of all customers. The columns are those asked for, ``weekday``,
          ``daytime`` (by six hours from midnight, where the dates have hours) and, with
          `discount`, ``discounted`` alone: the share of orders with a discount. These and the
          next only without `detail`.
        * ``<column>_breadth`` (float) - effective number of levels, 1 / sum of squared shares.
        * ``variable`` (str) - name of the column; this and those that follow only with `detail`.
        * ``level`` (str) - its level, ``(missing)`` included; only so.
        * ``share`` (float) - the customer's own share, missing without any such order; only so.
        * ``base`` (float) - share among the purchases of all customers; only so.
        * ``base_orders`` (float) - how many orders of its own the base weighs as much as: large
          where customers are alike, 0 where one order tells all; only so.
        * ``estimate`` (float) - own share drawn towards the base; only so.
        * ``index`` (float) - 100 x estimate / base; missing where the base is 0; only so.

        ``attrs["account"]`` says how many customers have refunds only.

    Raises
    ------
    MissingColumnsError
        If `transactions` lacks a column.
    InputError
        If a value cannot be used, or `base` knows none of the levels.

    See Also
    --------
    readiness_table : How each customer answers contact.
    segment_profile : What marks segments in these shares.

    Notes
    -----
    An order counts once for each level in it, whatever it cost. Of few orders little is known, so
    the estimate is (orders with the level + ``base_orders`` x base) / (orders + ``base_orders``),
    the mean a posteriori where customers' shares scatter around the base by a Dirichlet
    distribution; how much they scatter is learned from all of them [1]_. On the Complete Journey
    the shares of three months foretold those of the other nine with .31 to .87 of the squared error
    of own shares, and .52 to .97 of that of the base.

    References
    ----------
    .. [1] Weir, B. S. and Cockerham, C. C. (1984). Estimating F-statistics for the analysis of
       population structure. *Evolution*, 38(6), 1358-1370.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann"] * 4 + ["bob"] * 4 + ["cid"],
    ...         "date": pd.date_range("2025-01-06", periods=9),
    ...         "channel": ["web"] * 4 + ["shop", "shop", "shop", "web", "web"],
    ...     }
    ... )
    >>> preferences = preference_table(transactions)
    >>> preferences[["customer_id", "orders", "channel_shop_share"]].round(2)
      customer_id  orders  channel_shop_share
    0         ann       4                0.05
    1         bob       4                0.69
    2         cid       1                0.13
    >>> detail = preference_table(transactions, detail=True)
    >>> detail.loc[detail["level"] == "shop", ["customer_id", "share", "base", "index"]].round(2)
       customer_id  share  base   index
    0          ann   0.00  0.33   14.29
    9          bob   0.75  0.33  207.14
    18         cid   0.00  0.33   40.00
    """
    check_flag(detail, "detail")
    read = read_levels(transactions, columns=columns, discount=discount, since=since, as_of=as_of)
    kept = _keep(_reached(read), max_levels=max_levels, base=base)
    return _drawn(_counted(read, kept), kept=kept, detail=detail)


def _reach(
    transactions: Any, *, columns: Any, discount: str | None, since: Any, as_of: Any
) -> pd.DataFrame:
    """Return how many customers have each level."""
    return _reached(
        read_levels(transactions, columns=columns, discount=discount, since=since, as_of=as_of)
    )


def _reached(read: Read) -> pd.DataFrame:
    log = read.purchases.purchases
    return pd.concat(
        [reach(name, levels, log) for name, levels in read.levels.items()], ignore_index=True
    )


def _keep(reached: pd.DataFrame, *, max_levels: int, base: Any) -> list[Kept]:
    """Choose the levels kept apart, of each variable."""
    max_levels = check_number(max_levels, "max_levels")
    kept = None if base is None else read_base(base)
    of = {str(name): rows for name, rows in reached.groupby("variable", sort=False)}
    names = [*(name for name in of if name not in OF_ALL), *(name for name in OF_ALL if name in of)]
    return [keep(n, of[n], np.inf if n in OF_ALL else max_levels, kept) for n in names]


def _count(
    transactions: Any,
    *,
    columns: Any,
    discount: str | None,
    since: Any,
    as_of: Any,
    kept: list[Kept],
) -> pd.DataFrame:
    """Count each customer's orders, all and those with each level."""
    return _counted(
        read_levels(transactions, columns=columns, discount=discount, since=since, as_of=as_of),
        kept,
    )


def _counted(read: Read, kept: list[Kept]) -> pd.DataFrame:
    log, account = read.purchases.purchases, dict(read.purchases.account)
    orders = np.unique(log.order) // log.order_span
    table = pd.DataFrame(
        {
            "customer_id": log.customer_ids,
            "orders": np.bincount(orders, minlength=len(log.customer_ids)),
        }
    )
    counts = []
    for one in kept:
        codes = one.place(read.levels.get(one.name) or Levels(log.day * 0, OF_ALL[one.name], []))
        counts.append(count(log, codes, len(one.names)))
        if one.base is not None:
            account[f"{one.name}_rows_of_new_levels"] = int((codes < 0).sum())
    table = pd.concat([table, pd.DataFrame(np.hstack(counts))], axis=1)
    table.attrs["as_of"] = day_text(log.as_of)
    table.attrs["rows_after_as_of"] = log.rows_after_as_of
    table.attrs["rows_before_since"] = log.rows_before_since
    return with_account(table, account)


def _drawn(counted: pd.DataFrame, *, kept: list[Kept], detail: bool) -> pd.DataFrame:
    """Draw the shares of each customer towards those of all."""
    edges = 2 + np.cumsum([0, *(len(one.names) for one in kept)])
    values = [counted.iloc[:, low:high].to_numpy() for low, high in pairwise(edges.tolist())]
    variables = [
        Variable(one.name, one.names, counts, shrink_shares(counts, one.base, one.weight))
        for one, counts in zip(kept, values, strict=True)
    ]
    if check_flag(detail, "detail"):
        table = _detail(pd.Index(counted["customer_id"]), variables)
    else:
        table = pd.concat([counted.iloc[:, :2], *map(_wide, variables)], axis=1)
        if not table.columns.is_unique:
            twice = table.columns[table.columns.duplicated()].tolist()
            raise InputError(
                f"`columns` and their levels make the same column twice: {twice}. Rename one of "
                "the columns."
            )
    table.attrs = dict(counted.attrs)
    return table


in_two_steps(preference_table, before=[("kept", _reach, _keep)], first=_count, rest=_drawn)


def _wide(one: Variable) -> pd.DataFrame:
    """Return the shares of one variable, a column per level, and its breadth."""
    shares = one.shrunk.shares
    if one.name == DISCOUNTED:
        return pd.DataFrame({f"{DISCOUNTED}_share": shares[:, one.levels.index("yes")]})
    table = pd.DataFrame(shares, columns=[f"{one.name}_{level}_share" for level in one.levels])
    return table.assign(**{f"{one.name}_breadth": 1 / (shares**2).sum(axis=1)})


def _detail(ids: pd.Index[Any], variables: list[Variable]) -> pd.DataFrame:
    """Return one row per customer, variable and level."""
    n = len(ids)
    sizes = [len(one.levels) for one in variables]
    counts = np.column_stack([one.counts for one in variables])
    total = np.column_stack(
        [
            np.repeat(one.counts.sum(axis=1)[:, None], k, axis=1)
            for one, k in zip(variables, sizes, strict=True)
        ]
    )
    base = np.tile(np.concatenate([one.shrunk.base for one in variables]), n)
    estimate = np.column_stack([one.shrunk.shares for one in variables]).ravel()
    counts, total = counts.ravel(), total.ravel()
    levels = [level for one in variables for level in one.levels]
    return pd.DataFrame(
        {
            "customer_id": ids.repeat(sum(sizes)),
            "orders": counts.astype(np.int64),
            "variable": np.repeat([one.name for one in variables], sizes).tolist() * n,
            "level": levels * n,
            "share": _over(counts, total),
            "base": base,
            "base_orders": np.tile(np.repeat([one.shrunk.weight for one in variables], sizes), n),
            "estimate": estimate,
            "index": np.divide(
                100 * estimate, base, out=np.full(base.size, np.nan), where=base > 0
            ),
        }
    )


def _over(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, missing where there is no whole."""
    return np.divide(part, whole, out=np.full(part.size, np.nan), where=whole > 0)
