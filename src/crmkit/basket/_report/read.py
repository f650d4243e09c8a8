"""Reading tables of itemsets back into arrays."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, number_array, quoted
from crmkit._frames import table_columns, to_pandas
from crmkit.basket._math.itemset_index import ItemsetIndex, index_itemsets, lexicographic_order
from crmkit.basket._math.rules import MissingParts
from crmkit.basket._table.baskets import sorted_items
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from crmkit._typing import Ints

Tuples = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ItemsetTable:
    """Itemsets by length and lexicographic order, numbered through.

    ``levels`` holds item codes per length, shape (n_k, k), ``counts`` the counts by number,
    ``customers`` likewise if the table tells them, and ``names`` the tuples by number.
    """

    items: pd.Index[Any]
    levels: tuple[Ints, ...]
    counts: Ints
    customers: Ints | None
    names: NDArray[np.object_]
    index: ItemsetIndex
    n_baskets: int


# What the two sides of a rule are called in the tables of the room.
SIDES = (("antecedent", "consequent"), ("item_a", "item_b"), ("item", "next_item"))


def read_column(table: Any, name: str) -> list[Tuples]:
    """Read the column of itemsets."""
    frame = to_pandas(table, name, needs=("itemset",), optional=())
    problems = Problems(name)
    sets = read_tuples(frame["itemset"], problems, "itemset")
    problems.raise_if_any()
    return [sets]


def read_sides(table: Any, name: str) -> list[Tuples]:
    """Read both sides of rules as tuples of items, from any table of the room that has two."""
    present = table_columns(table, name)
    columns = next((pair for pair in SIDES if {*pair} <= {*present}), SIDES[0])
    frame = to_pandas(table, name, needs=columns, optional=())
    if columns != SIDES[0]:  # single items
        return [[(item,) for item in frame[column].tolist()] for column in columns]
    problems = Problems(name)
    sides = [read_tuples(frame[column], problems, column) for column in columns]
    problems.raise_if_any()
    return sides


def read_tuples(column: pd.Series[Any], problems: Problems, name: str) -> Tuples:
    """Return a column of item tuples and note whatever is none.

    Lists and arrays are read as tuples: Arrow and Parquet know no tuples. So is the text that a
    tuple is written as, which is what a CSV file holds.
    """
    values: list[Any] = column.tolist()
    if set(map(type, values)) == {tuple} and all(values):
        return values
    if any(isinstance(value, str) for value in values):
        values = [_from_text(value) if isinstance(value, str) else value for value in values]
    kinds = (tuple, list, np.ndarray)
    wrong = np.array([not isinstance(v, kinds) or len(v) == 0 for v in values], dtype=bool)
    problems.rows(
        wrong,
        f"column {name!r} holds no tuple of items",
        do="Pass the table as crmkit.basket made it; of one written to a file, items must have "
        "been text or numbers.",
        values=column,
    )
    return [
        v if isinstance(v, tuple) else tuple(v)
        for v, bad in zip(values, wrong, strict=True)
        if not bad
    ]


def _from_text(text: str) -> Any:
    """Read a tuple that was written as text; anything else stays text. Nothing is executed."""
    try:
        value = ast.literal_eval(text) if text.startswith("(") else text
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value


@contextmanager
def whole_table(table: ItemsetTable) -> Iterator[None]:
    """Say in a sentence that a part of an itemset is missing, whose count is needed."""
    try:
        yield
    except MissingParts as missing:
        raise InputError(
            f"`itemsets` holds {quoted(table.names[missing.args[0]])} but not all of its parts, "
            "whose counts a rule needs. Pass the whole table of frequent_itemsets(family='all', "
            "min_length=1)."
        ) from None


def read_itemsets(itemsets: Any) -> ItemsetTable:
    """Read a table of `frequent_itemsets`, whole or in part."""
    frame = to_pandas(
        itemsets, "itemsets", needs=("itemset", "count", "support"), optional=("customers",)
    )
    problems = Problems("itemsets")
    names = read_tuples(frame["itemset"], problems, "itemset")
    counts = number_array(frame["count"], problems, "count", low=1)
    told = "customers" in frame
    customers = number_array(frame["customers"], problems, "customers", low=1) if told else None
    support = number_array(frame["support"], problems, "support", low=0, low_open=True)
    problems.raise_if_any()
    if not names:
        nothing = np.zeros(0, dtype=np.int64)
        items = sorted_items([])[1]
        return ItemsetTable(
            items, (), nothing, nothing, nothing.astype(object), index_itemsets((), 0), 1
        )
    # the largest count gives the number of orders with the smallest rounding error
    most = int(np.argmax(counts))
    n_baskets = round(counts[most] / support[most])
    if (np.abs(support * n_baskets - counts) > 1e-6 * counts).any():
        raise InputError(
            "`itemsets`: column 'support' is not 'count' over one number of orders. Pass itemsets "
            "of one log, as frequent_itemsets made them."
        )
    length = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
    codes, items = sorted_items(list(chain.from_iterable(names)))
    start = np.cumsum(length) - length
    levels, numbers = [], []
    for k in range(1, int(length.max()) + 1):
        here = np.flatnonzero(length == k)
        rows = np.sort(codes[start[here][:, None] + np.arange(k)], axis=1)
        order = lexicographic_order(rows, len(items))
        levels.append(rows[order])
        numbers.append(here[order])
        if (rows[order][1:] == rows[order][:-1]).all(axis=1).any():
            raise InputError("`itemsets` holds an itemset twice. Pass every itemset once.")
    number = np.concatenate(numbers)
    return ItemsetTable(
        items=items,
        levels=tuple(levels),
        counts=counts[number].astype(np.int64),
        customers=None if customers is None else customers[number].astype(np.int64),
        names=np.fromiter(names, dtype=object, count=len(names))[number],
        index=index_itemsets(tuple(levels), len(items)),
        n_baskets=n_baskets,
    )
