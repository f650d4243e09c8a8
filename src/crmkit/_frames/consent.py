"""How a column of consent is read: yes, no, or nothing known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import number_array
from crmkit._frames.codes import sorted_codes
from crmkit._kinds import column_kind

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._checks import Problems
    from crmkit._typing import Floats

__all__ = ["read_consent"]

_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0, "": np.nan}
_DO = "Write consent as True and False, 1 and 0 or yes and no, and leave unknown ones missing."


def read_consent(series: pd.Series[Any], problems: Problems, column: str) -> Floats:
    """Return a column of consent as 1, 0 and NaN where nobody knows, which is no consent."""
    if column_kind(series) == "levels":
        codes, words = sorted_codes(series)
        read = [_WORDS.get(str(word).strip().lower(), -1.0) for word in words]
        values = np.append(np.array(read, dtype=np.float64), np.nan)[codes]
    else:
        values = number_array(series, problems, column, allow_missing=True)
    problems.rows(
        np.isfinite(values) & (values != 0) & (values != 1),
        f"column {column!r} must be yes or no but is not",
        do=_DO,
        values=series,
    )
    return values
