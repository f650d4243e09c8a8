"""From baskets of any shape to a log of order lines."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit._arguments import check_list
from crmkit._checks import quoted
from crmkit._frames import to_pandas
from crmkit._kinds import as_floats
from crmkit.basket._table.baskets import object_column
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

SETS = (list, tuple, set, frozenset, np.ndarray, pd.Series, pd.Index)


def as_baskets(baskets: Any, *, items: Iterable[Any] | None = None) -> pd.DataFrame:
    """Turn lists of items, or a table with a column per item, into a log of order lines.

    Parameters
    ----------
    baskets : list of lists, dict, Series, DataFrame or matrix
        Lists of items: a list or Series of lists, tuples or sets, or a dict of them by order id; a
        Series is numbered by its index. Or a table with one row per order and one column per item:
        True or a number above 0 where the order holds it, False or 0 elsewhere; its columns may be
        sparse, and a column ``order_id`` numbers the orders. Or such a matrix, of numpy or of
        scipy.sparse. Orders without a number are numbered from 0.
    items : list of items, optional
        The items of a matrix's columns. The default is their numbers from 0.

    Returns
    -------
    pandas.DataFrame
        One row per order and item, by order as given; an order without items keeps one row without
        a product, because it counts as an order:

        * ``order_id`` - the order.
        * ``product`` - the item.

    Raises
    ------
    InputError
        If a basket is no list of items, or a cell says neither yes nor no.

    Notes
    -----
    The log names no customers and no dates. What is counted in orders does without: `item_pairs`,
    `frequent_itemsets`, `itemset_value` and `rule_value` with ``unit="order"`` take each order for
    one of a customer of its own.

    Examples
    --------
    >>> from crmkit import basket
    >>> log = basket.as_baskets([["bread", "butter"], ["bread"], ["bread", "butter", "milk"]])
    >>> basket.item_pairs(log, min_support=2)[["item_a", "item_b", "count"]]
      item_a  item_b  count
    0  bread  butter      2
    """
    matrix = sparse.issparse(baskets) or isinstance(baskets, np.ndarray)
    names = None if items is None else check_list(items, "items", "items")
    if names is not None and not matrix:
        raise InputError("`items` names the columns of a matrix. `baskets` has names of its own.")
    if matrix:
        return _from_matrix(baskets, names)
    if isinstance(baskets, dict):
        return _from_lists(list(baskets), list(baskets.values()))
    if isinstance(baskets, pd.Series):
        return _from_lists(baskets.index.tolist(), baskets.tolist())
    if isinstance(baskets, (list, tuple)):
        return _from_lists(list(range(len(baskets))), list(baskets))
    frame = to_pandas(baskets, "baskets")
    if frame.empty:
        raise InputError("`baskets` holds no order. Pass one row per order.")
    has_number = "order_id" in frame.columns
    number = frame["order_id"].tolist() if has_number else list(range(len(frame)))
    names = [column for column in frame.columns if column != "order_id"]
    if len(set(number)) < len(number):
        raise InputError(
            "`baskets`: column 'order_id' holds a number twice. Pass one row per order."
        )
    rows, columns = [], []
    for place, name in enumerate(names):
        rows.append(np.flatnonzero(_held(frame[name], name)))
        columns.append(np.full(len(rows[-1]), place))
    log = _lines(number, names, rows, columns)
    return log.sort_values("order_id", kind="stable", ignore_index=True) if has_number else log


def _held(column: pd.Series[Any], name: Any) -> np.ndarray[Any, Any]:
    """Return in which rows of a column the order holds the item."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(column.to_numpy())
    value, broken = as_floats(column)
    wrong = np.isnan(value) | (value < 0) if broken is None else broken | ~(value >= 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"`baskets`: column {name!r} holds neither a number from 0 on nor True or False in "
            f"{int(wrong.sum()):,} of {len(wrong):,} rows (first at row {row}: "
            f"{quoted(column.iloc[row])}). Pass one column per item, or lists of items; a log of "
            "order lines needs no conversion."
        )
    held: np.ndarray[Any, Any] = value > 0
    return held


def _from_matrix(matrix: Any, items: list[Any] | None) -> pd.DataFrame:
    """Read a matrix of orders by items."""
    if len(matrix.shape) != 2 or not matrix.shape[0]:
        raise InputError("`baskets` must have one row per order and one column per item.")
    names = list(range(matrix.shape[1])) if items is None else items
    if len(names) != matrix.shape[1]:
        raise InputError(
            f"`items` has {len(names):,} names for {matrix.shape[1]:,} columns of `baskets`. Name "
            "every column."
        )
    cells = sparse.coo_array(matrix)
    if cells.data.dtype.kind not in "biuf" or not (cells.data >= 0).all():
        raise InputError("`baskets` holds cells that are neither numbers from 0 on nor True.")
    here = cells.data > 0
    row, column = cells.coords[0][here], cells.coords[1][here]
    return _lines(list(range(matrix.shape[0])), names, [row], [column])


def _from_lists(number: list[Any], baskets: list[Any]) -> pd.DataFrame:
    """Read lists of items."""
    wrong = next((b for b in baskets if not isinstance(b, SETS)), None)
    if wrong is not None or not baskets:
        what = f"holds {quoted(wrong)}, which is no list of items" if baskets else "is empty"
        raise InputError(f"`baskets` {what}. Pass one list of items per order.")
    row = np.repeat(np.arange(len(baskets)), [len(basket) for basket in baskets])
    items = list(chain.from_iterable(baskets))
    return _lines(number, items, [row], [np.arange(len(items))])


def _lines(
    number: list[Any], names: list[Any], rows: list[Any], columns: list[Any]
) -> pd.DataFrame:
    """Write one line per order and item, orders as given and items as their columns stand."""
    none = np.zeros(0, dtype=np.int64)
    row, column = np.concatenate([none, *rows]), np.concatenate([none, *columns])
    bare = np.setdiff1d(np.arange(len(number)), row)
    row, column = np.append(row, bare), np.append(column, np.full(len(bare), len(names)))
    order = np.lexsort((column, row))
    product = object_column([*names, None])[column[order]]
    ids = pd.Series(object_column(number)[row[order]], dtype=object).infer_objects()
    return pd.DataFrame({"order_id": ids, "product": pd.Series(product).infer_objects()})
