"""What the scores say: the grid of recency and frequency."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers, rows_of, with_account, without
from crmkit.segmentation._math import decimal_sums
from crmkit.segmentation._table.segments import read_scores

__all__ = ["rfm_cells"]


def rfm_cells(scores: Any, rfm: Any) -> pd.DataFrame:
    """Count customers and money in each cell of recency score by frequency score.

    Parameters
    ----------
    scores : DataFrame
        The table of :func:`rfm_scores`.
    rfm : DataFrame
        The table of :func:`rfm_table` with the same customers.

    Returns
    -------
    pandas.DataFrame
        One row per cell that holds customers:

        * ``recency_score`` (int) - as in `scores`.
        * ``frequency_score`` (int) - as in `scores`.
        * ``customers`` (int) - customers in the cell.
        * ``share_of_customers`` (float) - share of all customers.
        * ``total_amount`` (float) - their net amount.
        * ``mean_amount`` (float) - net amount per customer.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If `rfm` lacks a customer of `scores`, or a value cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> rfm = pd.DataFrame({"customer_id": [1, 2, 3], "total_amount": [90.0, 30.0, 10.0]})
    >>> scores = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3],
    ...         "recency_score": [2, 1, 1],
    ...         "frequency_score": [2, 1, 1],
    ...         "monetary_score": [2, 2, 1],
    ...     }
    ... )
    >>> rfm_cells(scores, rfm)[["recency_score", "frequency_score", "customers", "mean_amount"]]
       recency_score  frequency_score  customers  mean_amount
    0              1                1          2         20.0
    1              2                2          1         90.0
    """
    ids, values = read_scores(scores)
    frame = read_customers(rfm, needs=["total_amount"], optional=(), name="rfm")
    problems = Problems("rfm")
    amount = number_array(frame["total_amount"], problems, "total_amount")
    problems.raise_if_any()
    row = rows_of(ids, frame["customer_id"], name="scores", other="rfm")
    account = {"rfm_unmatched": without(row, len(frame))}
    cells, codes = np.unique(values[:, 0] * 10 + values[:, 1], return_inverse=True)
    customers = np.bincount(codes)
    total = decimal_sums(codes, amount[row], cells.size)
    table = pd.DataFrame(
        {
            "recency_score": cells // 10,
            "frequency_score": cells % 10,
            "customers": customers,
            "share_of_customers": customers / customers.sum(),
            "total_amount": total,
            "mean_amount": total / customers,
        }
    )
    return with_account(table, account)
