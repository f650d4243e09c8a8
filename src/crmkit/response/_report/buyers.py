"""What marks the buyers of a product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_list, columns_named
from crmkit._arrays import adjust_p_values, wilson_interval
from crmkit._checks import check_number, quoted
from crmkit._frames import read_customers, rows_of, sorted_codes, with_account, without
from crmkit._learn.levels import MISSING, number_levels
from crmkit._log import distinct_pairs, read_rows
from crmkit._two_steps import in_one, in_two_steps
from crmkit.errors import InputError
from crmkit.response._math.rates import group_against_rest
from crmkit.response._table.variables import Variable, read_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Bools, Ints


__all__ = ["buyer_profile"]


def buyer_profile(
    transactions: Any,
    customers: Any,
    *,
    product: Any,
    product_column: str = "product",
    columns: Sequence[str] | None = None,
    n_bins: int = 4,
    min_customers: int = 1,
    as_of: Any = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare the buyers of a product with all customers, trait by trait.

    Parameters
    ----------
    transactions : DataFrame
        Order lines with ``customer_id``, ``date`` and the product. A refund makes nobody a buyer.
    customers : DataFrame
        The base: one row per customer, with ``customer_id`` and traits.
    product : scalar or list
        The product, or several that count as one.
    product_column : str, default "product"
        Column of `transactions` that names it; give another for a category.
    columns : sequence of str, optional
        Traits to look at. The default is every column but the id and dates.
    n_bins : int, default 4
        Number of parts of about equal size into which numbers are cut.
    min_customers : int, default 1
        Levels with fewer customers are shown but not tested.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per trait and level, in the order of the columns:

        * ``variable`` (str) - the trait.
        * ``level`` (str) - its level, a range of numbers, or "(missing)".
        * ``customers`` (int) - customers with the level.
        * ``buyers`` (int) - buyers among them.
        * ``share_base`` (float) - share of all customers with the level.
        * ``share_buyers`` (float) - share of buyers with the level.
        * ``index`` (float) - 100 x share of buyers / share of base: above 100 the trait marks
          buyers.
        * ``conf_low``, ``conf_high`` (float) - interval of the index, from Wilson's for the rate
          of buyers.
        * ``p_value`` (float) - two-sided test of the level against all others; missing where it
          has fewer than `min_customers`.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg, over all rows tested.

        ``attrs["account"]`` counts customers of one table that the other lacks.

    Raises
    ------
    InputError
        If none of `customers` bought the product, or the tables have no customer in common.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "date": pd.to_datetime(["2025-01-01"] * 4),
    ...         "product": ["tea", "tea", "coffee", "coffee"],
    ...     }
    ... )
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "town": ["A", "A", "A", "B"]})
    >>> profile = response.buyer_profile(transactions, customers, product="tea")
    >>> profile[["level", "customers", "buyers", "share_base", "share_buyers", "index"]].round(2)
      level  customers  buyers  share_base  share_buyers   index
    0     A          3       2        0.75           1.0  133.33
    1     B          1       0        0.25           0.0    0.00
    """
    return in_one(buyer_profile, locals())


def _lines(transactions: Any, *, product: Any, product_column: str, as_of: Any) -> pd.DataFrame:
    """Return each customer of the log, and again with each of the products that it bought.

    With a product stands whether any line of it was bought: a refund tells that there is one.
    """
    column = product_column
    log, bought = read_rows(transactions, needs=columns_named(product_column=column), as_of=as_of)
    if column == "product":
        codes, names = log.product, log.product_ids
    else:
        codes, names = sorted_codes(log.column(column))
    account: dict[str, Any] = {}  # what does not occur in some of the customers may in others
    meant = rows_of(
        _wanted(product),
        names,
        name="product",
        other="transactions",
        what=column,
        account=account,
        allow_none=True,
    )
    found = np.flatnonzero(np.isin(codes, meant[meant >= 0]))
    lines = np.ones(found.size) if bought is None else bought[found].astype(np.float64)
    who, what, some = distinct_pairs(
        log.customer[found], codes[found], shape=(log.n_customers, len(names)), weights=lines
    )
    # Whoever bought none of them stands beside the first name, which errors show.
    none = np.full(log.n_customers, 0 if len(names) else -1)
    return pd.DataFrame(
        {
            "customer_id": log.customer_ids.take(np.r_[np.arange(log.n_customers), who]),
            "product": pd.Series(names).reindex(np.r_[none, what]).array,
            "bought": np.r_[np.zeros(log.n_customers), some] > 0,
        }
    )


def _profiled(
    lines: pd.DataFrame,
    *,
    customers: Any,
    product: Any,
    product_column: str,
    columns: Sequence[str] | None,
    n_bins: int,
    min_customers: int,
    confidence_level: float,
) -> pd.DataFrame:
    """Compare those who bought with all customers."""
    n_bins = check_number(n_bins, "n_bins")
    least = check_number(min_customers, "min_customers")
    confidence_level = check_number(confidence_level, "confidence_level")
    people = read_customers(customers)
    account: dict[str, Any] = {}
    bought = _buyers(lines, people, product, product_column, account)
    n, k = len(people), int(bought.sum())
    if k == 0:
        raise InputError(f"`product`: none of `customers` bought {quoted(product)} up to `as_of`.")
    parts = []
    for variable in read_variables(people, columns):
        codes, labels = _levels(variable, n_bins)
        size = np.bincount(codes, minlength=len(labels))
        buyers = np.bincount(codes, weights=bought, minlength=len(labels))
        parts.append(
            pd.DataFrame(
                {"variable": variable.name, "level": labels, "customers": size, "buyers": buyers}
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table = table[table["customers"] > 0].reset_index(drop=True)
    size, buyers = table["customers"].to_numpy(np.float64), table["buyers"].to_numpy(np.float64)
    low, high = wilson_interval(buyers, size, confidence_level)
    p = np.where(size >= least, group_against_rest(buyers, size, k, n), np.nan)
    table = table.assign(
        customers=size.astype(np.int64),
        buyers=buyers.astype(np.int64),
        share_base=size / n,
        share_buyers=buyers / k,
        index=100 * (buyers / size) / (k / n),
        conf_low=100 * low / (k / n),
        conf_high=100 * high / (k / n),
        p_value=p,
        p_adjusted=adjust_p_values(p, "bh"),
    )
    return with_account(table, account)


in_two_steps(buyer_profile, first=_lines, rest=_profiled)


def _wanted(product: Any) -> list[Any]:
    """Return the products that count as one."""
    one = pd.api.types.is_scalar(product)
    return [product] if one else check_list(product, "product", "products")


def _buyers(
    lines: pd.DataFrame, people: pd.DataFrame, product: Any, column: str, account: dict[str, Any]
) -> Bools:
    """Tell which customers have a line with the product that is no return, shape (n,)."""
    customer, everyone = sorted_codes(lines["customer_id"])
    at = rows_of(
        everyone, people["customer_id"], name="transactions", other="customers", account=account
    )
    account["customers_unmatched"] = without(at, len(people))
    rows_of(
        _wanted(product),
        sorted_codes(lines["product"])[1],
        name="product",
        other="transactions",
        what=column,
        do="Name products that occur there.",
    )
    buyers = at[np.unique(customer[lines["bought"].to_numpy()])]
    return np.bincount(buyers[buyers >= 0], minlength=len(people)) > 0


def _levels(variable: Variable, n_bins: int) -> tuple[Ints, list[str]]:
    """Return level codes and their names; a number's levels are bins of about equal size."""
    if variable.codes is not None:
        last = len(variable.levels)
        return np.where(variable.codes < 0, last, variable.codes), [*variable.levels, MISSING]
    assert variable.numbers is not None
    codes, labels = number_levels(variable.numbers, n_bins)
    codes = np.where(codes < 0, len(labels), codes)
    return codes, [*labels, MISSING]
