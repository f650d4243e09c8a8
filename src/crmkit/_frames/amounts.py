"""What may be one number for all customers or a column with one for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit._parameters import FAR, RULES

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["number_or_column"]


def number_or_column(value: Any, customers: pd.DataFrame, name: str) -> Floats:
    """Return one number for all or a column's numbers, shape (n,), within the limits of `name`."""
    if not isinstance(value, str):
        return np.full(len(customers), check_number(value, name), dtype=np.float64)
    require_columns(customers.columns, [value], "customers")
    problems, rule = Problems("customers"), RULES[name]
    values = number_array(customers[value], problems, value, low=rule.low)
    if rule.high < FAR:
        problems.rows(
            values > rule.high,
            f"column {value!r} must be at most {rule.high:g} but is not",
            do="Give chances, not percentages or amounts.",
            values=values.tolist(),
        )
    problems.raise_if_any()
    return values
