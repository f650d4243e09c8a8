"""Sequences of what is bought later after what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_flag, check_number, check_optional
from crmkit._frames import ACCOUNT, with_account
from crmkit._two_steps import in_two_steps
from crmkit.basket._math.itemset_index import lexicographic_order
from crmkit.basket._math.sequence_mining import mine_sequences
from crmkit.basket._math.steps import Steps, expected_by_order
from crmkit.basket._table.baskets import write_tuples
from crmkit.basket._table.histories import check_gaps, read_histories
from crmkit.basket._table.history_parts import (
    Buyers,
    add_buyers,
    add_sequences,
    count_buyers,
    count_sequences,
    find_sequences,
    to_count,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from crmkit._typing import Ints


def frequent_sequences(
    transactions: Any,
    *,
    min_support: float | None = None,
    max_length: int | None = None,
    max_together: int = 1,
    min_gap_days: int = 1,
    max_gap_days: int | None = None,
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    max_sequences: int = 1_000_000,
    as_of: Any = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Find the sequences of items that enough customers bought one after the other.

    A customer supports a sequence who bought its items on different days in this order; other
    purchases may lie between. An item may follow itself. With `max_together` a step may be a set of
    items that were bought on one day: A and B, then C.

    Parameters
    ----------
    transactions : DataFrame
        The log with ``customer_id``, ``date`` and ``product``. A refund is no purchase.
    min_support : float or int, optional
        Smallest support: a share of all customers as a float up to 1, or a number of customers as
        an integer. The default is 0.05, at least 5 customers: a history holds far more sequences
        than an order holds itemsets, whose default is 0.01.
    max_length : int, optional
        Largest number of steps in a sequence.
    max_together : int, default 1
        Most items of one day in a step.
    min_gap_days : int, default 1
        Fewest days from one step to the next.
    max_gap_days : int, optional
        Most days from one step to the next. The default is any number.
    include, exclude : list of items, optional
        Look only at these items; leave these out.
    max_sequences : int, default 1,000,000
        Stop with a message that says what threshold would fit, instead of filling the memory.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    progress : bool, default False
        Show a progress bar over the items that sequences begin with.

    Returns
    -------
    pandas.DataFrame
        One row per sequence, by falling count, then by length, then by items:

        * ``sequence`` (tuple) - the items in order; with `max_together` above 1 a tuple of items,
          sorted, for each step.
        * ``length`` (int) - number of steps.
        * ``count`` (int) - customers who bought them in this order.
        * ``support`` (float) - share of all customers.
        * ``expected_count`` (float) - customers by chance if the order meant nothing: the mean
          count over the orders of these steps, all of them for up to three; for more, from each
          step on once round, forwards and backwards.
        * ``lift`` (float) - count over that; 1 is chance.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range, or there are more than `max_sequences` sequences.

    See Also
    --------
    sequence_rules : Of two steps, with a test of their order.

    References
    ----------
    .. [1] Pei, J. et al. (2004). Mining sequential patterns by pattern-growth: the PrefixSpan
       approach. *IEEE Transactions on Knowledge and Data Engineering* 16(11), 1424-1440.
    .. [2] Agrawal, R. and Srikant, R. (1995). Mining sequential patterns. *ICDE 1995*, 3-14. Sets
       of items as steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import basket
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 2, 3],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-01", "2025-02-01", "2025-01-05", "2025-01-20", "2025-01-09"]
    ...         ),
    ...         "product": ["printer", "ink", "printer", "ink", "ink"],
    ...     }
    ... )
    >>> basket.frequent_sequences(transactions, min_support=2).drop(columns="expected_count")
             sequence  length  count   support  lift
    0          (ink,)       1      3  1.000000   1.0
    1      (printer,)       1      2  0.666667   1.0
    2  (printer, ink)       2      2  0.666667   2.0
    """
    max_length = check_optional(max_length, "max_length")
    cap = check_number(max_sequences, "max_sequences")
    min_gap, max_gap = check_gaps(min_gap_days, max_gap_days)
    read = read_histories(
        *(transactions, min_support, include, exclude, as_of),
        default=0.05,
        max_together=max_together,
        cap=cap,
    )
    log, lines, min_count = read.log, read.lines, read.min_count
    steps = Steps(lines, min_gap, max_gap)
    find = partial(
        mine_sequences, lines, steps, min_count=min_count, max_length=max_length, cap=cap
    )
    if check_flag(progress, "progress"):
        from tqdm.auto import tqdm

        with tqdm(total=len(np.unique(lines.item)), unit="items") as bar:
            found = find(step=bar.update)
    else:
        found = find()
    if found.capped:
        raise _too_many(min_count, cap, found.min_count, int(found.held), log.n_customers)
    levels = [
        (np.concatenate(rows), np.concatenate(count))
        for rows, count in (zip(*level, strict=True) for level in found.levels)
    ]
    names = log.product_ids.to_numpy(dtype=object) if max_together == 1 else read.names
    table = _written(levels, names, log.n_customers, steps.count)
    return read.history.noted(table)


def _added(
    counted: pd.DataFrame, *, buyers: Buyers, sequences: tuple[Ints, ...], max_sequences: int
) -> pd.DataFrame:
    """Add up the customers of each candidate in all parts, and keep those that are frequent."""
    counts = add_sequences(counted, sequences)
    levels = [
        (rows[enough := count >= buyers.min_count], count[enough])
        for rows, count in zip(sequences, counts, strict=True)
    ]
    levels = [level for level in levels if len(level[0])]
    every = np.sort(np.concatenate([np.zeros(0, np.int64), *(count for _, count in levels)]))
    if len(every) > max_sequences:
        fits = int(every[-max_sequences - 1]) + 1
        held = int((every >= fits).sum())
        raise _too_many(buyers.min_count, max_sequences, fits, held, buyers.n_customers)

    def look_up(rows: Ints) -> Ints:
        k = rows.shape[1]
        known = pd.MultiIndex.from_arrays([*sequences[k - 1].T])
        return counts[k - 1][known.get_indexer(pd.MultiIndex.from_arrays([*rows.T]))]

    names = buyers.items.to_numpy(dtype=object)
    table = _written(levels, names, buyers.n_customers, look_up)
    return with_account(table, counted.attrs.get(ACCOUNT, {}))


in_two_steps(
    frequent_sequences,
    before=[
        ("buyers", count_buyers, partial(add_buyers, default=0.05)),
        ("sequences", find_sequences, to_count),
    ],
    first=count_sequences,
    rest=_added,
)


def _too_many(least: int, cap: int, fits: int, held: int, n_customers: int) -> InputError:
    return InputError(
        f"`min_support` of {least:,} customers gives more than `max_sequences` = {cap:,} "
        f"sequences; {fits:,} customers ({fits / n_customers:.3g}) give {held:,}. "
        "Raise `min_support`, limit `max_length` or `max_gap_days`, or raise `max_sequences` "
        "if the memory allows."
    )


def _written(
    levels: list[tuple[Ints, Ints]],
    names: NDArray[np.object_],
    n_customers: int,
    count_others: Callable[[Ints], Ints],
) -> pd.DataFrame:
    """Write sequences as a table in an order that only their content decides."""
    written, none = [], np.zeros(0, dtype=np.int64)
    told = [(none, none, np.zeros(0))]
    for found, number in levels:
        order = lexicographic_order(found, len(names))
        rows, count = found[order], number[order]
        written.append(rows)
        chance = expected_by_order(rows, count, count_others)
        told.append((count, np.full_like(count, rows.shape[1]), chance))
    count, length, expected = (np.concatenate(part) for part in zip(*told, strict=True))
    order = np.argsort(-count, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    sequence = np.empty(len(order), dtype=object)
    end = 0
    for rows in written:
        write_tuples(sequence, place[end : end + len(rows)], names, rows)
        end += len(rows)
    return pd.DataFrame(
        {
            "sequence": sequence,
            "length": length[order],
            "count": count[order],
            "support": count[order] / n_customers,
            "expected_count": expected[order],
            "lift": (count / expected)[order],
        }
    )
