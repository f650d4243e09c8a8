"""What marks each segment: levels against the base, with effect size and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_columns
from crmkit._arrays import mean_interval, wilson_interval
from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit._frames import read_customers, rows_of, sorted_codes, with_account
from crmkit._learn import column_kind
from crmkit._learn.levels import MISSING, level_text
from crmkit.errors import InputError
from crmkit.segmentation._math import cohens_h

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["read_segments", "segment_profile"]

MEAN = "mean"


def segment_profile(
    customers: Any,
    segments: Any,
    *,
    columns: Sequence[str] | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare each segment with all customers, variable by variable.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with any profile columns: numbers, texts, categories, yes and no.
    segments : DataFrame
        ``customer_id`` and ``segment``, from any function that gives segments. Customers
        without a segment are left out.
    columns : list of str, optional
        The variables. The default is all columns but the id, ``segment`` and dates.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per segment and number, and per segment and level of a text:

        * ``segment`` (str) - name of the segment.
        * ``variable`` (str) - name of the column.
        * ``level`` (str) - ``mean`` for a number; for a text the value, ``(missing)`` included.
        * ``customers`` (int) - customers of the segment with a known number, or with this level.
        * ``estimate`` (float) - mean, or share with this level, within the segment.
        * ``base`` (float) - the same over all customers with a segment.
        * ``index`` (float) - 100 x value / base; missing where the base is not above 0.
        * ``effect_size`` (float) - segment against the rest: difference of means in standard
          deviations (Cohen's d), or of shares on the arcsine scale (Cohen's h). About 0.2 is
          small, 0.5 medium, 0.8 large [1]_. Missing where there is no rest or nothing varies.
        * ``std_error`` (float) - of ``estimate``.
        * ``conf_low`` (float) - lower limit of ``estimate``: Student for means, Wilson for shares.
        * ``conf_high`` (float) - upper limit; missing for the mean of fewer than two customers.

        ``attrs["account"]`` counts ``customers_without_segments``.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a segment is missing or a number is infinite.

    Notes
    -----
    Limits of a mean need many customers where a few have most: of 15 per segment, a tenth of whom
    have half, intervals of 95 % hold 74 %.

    References
    ----------
    .. [1] Cohen, J. (1988). *Statistical Power Analysis for the Behavioral Sciences*, 2nd ed.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 3, 4],
    ...         "age": [30.0, 34.0, 60.0, 64.0],
    ...         "channel": ["web", "web", "web", "shop"],
    ...     }
    ... )
    >>> segments = pd.DataFrame({"customer_id": [1, 2, 3, 4], "segment": ["a", "a", "b", "b"]})
    >>> profile = segment_profile(customers, segments)
    >>> profile[["segment", "variable", "level", "estimate", "base", "index"]].round(1)
      segment variable level  estimate  base  index
    0       a      age  mean   32.0  47.0   68.1
    1       a  channel  shop    0.0   0.2    0.0
    2       a  channel   web    1.0   0.8  133.3
    3       b      age  mean   62.0  47.0  131.9
    4       b  channel  shop    0.5   0.2  200.0
    5       b  channel   web    0.5   0.8   66.7
    """
    confidence_level = check_number(confidence_level, "confidence_level")
    frame, names, codes, account = read_segments(customers, segments)
    problems = Problems("customers")
    parts: list[pd.DataFrame] = []
    for column in _variables(frame, columns):
        kind = column_kind(frame[column])
        if kind in ("numbers", "flags"):
            values = number_array(frame[column], problems, column, allow_missing=True)
            part = _numbers(values, codes, len(names), confidence_level)
        elif kind == "levels":
            part = _levels(frame[column], codes, len(names), confidence_level)
        else:
            if columns is not None:
                problems.add(f"column {column!r} holds dates or nothing. Leave it out.")
            continue
        parts.append(part.assign(variable=column, order=len(parts)))
    problems.raise_if_any()
    if not parts:
        raise InputError("`customers` has no column to profile: only ids, dates or empty columns.")
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["code", "order"], kind="stable", ignore_index=True)
    table.insert(0, "segment", pd.Series(names)[table["code"]].to_numpy())
    table.insert(1, "variable", table.pop("variable"))
    table["index"] = np.where(
        table["base"] > 0, 100 * table["estimate"] / table["base"].where(table["base"] > 0), np.nan
    )
    order = ["customers", "estimate", "base", "index", "effect_size"]
    table = table[["segment", "variable", "level", *order, "std_error", "conf_low", "conf_high"]]
    return with_account(table, account)


def read_segments(
    customers: Any, segments: Any
) -> tuple[pd.DataFrame, list[str], Ints, dict[str, int]]:
    """Return the customers who have a segment, segments' names, a code per row and the account."""
    frame = read_customers(customers)
    table = read_customers(segments, needs=["segment"], optional=(), name="segments")
    problems = Problems("segments")
    problems.rows(
        table["segment"].isna().to_numpy(),
        "column 'segment' is missing",
        do="Drop these rows or give them a segment.",
    )
    problems.raise_if_any()
    row = rows_of(table["customer_id"], frame["customer_id"], name="segments", other="customers")
    codes, distinct = sorted_codes(table["segment"])
    names = [str(name) for name in distinct]
    account = {"customers_without_segments": len(frame) - len(table)}
    order = np.argsort(row)
    return frame.iloc[row[order]].reset_index(drop=True), names, codes[order], account


def _variables(frame: pd.DataFrame, columns: Sequence[str] | None) -> list[str]:
    """Return the columns to profile."""
    if columns is None:
        return [column for column in frame.columns if column not in ("customer_id", "segment")]
    columns = check_columns(columns, "columns")
    require_columns(frame.columns, columns, "customers")
    return columns


def _numbers(values: Floats, codes: Ints, k: int, confidence_level: float) -> pd.DataFrame:
    """Return the rows of one number, one per segment."""
    known = ~np.isnan(values)
    values, codes = values[known], codes[known]
    base = float(values.mean()) if values.size else np.nan
    centred = values - base
    n = np.bincount(codes, minlength=k).astype(np.float64)
    total = np.bincount(codes, weights=centred, minlength=k)
    square = np.bincount(codes, weights=centred**2, minlength=k)
    mean, error, low, high = mean_interval(total, square, n, confidence_level)
    rest, rest_total, rest_square = n.sum() - n, total.sum() - total, square.sum() - square
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = square - total**2 / n + rest_square - rest_total**2 / rest
        deviation = np.sqrt(np.maximum(spread, 0) / (n + rest - 2))
        effect = (mean - rest_total / rest) / deviation
    return pd.DataFrame(
        {
            "code": np.arange(k),
            "level": MEAN,
            "customers": n.astype(np.int64),
            "estimate": base + mean,
            "base": base,
            "effect_size": np.where(np.isfinite(effect), effect, np.nan),
            "std_error": error,
            "conf_low": base + low,
            "conf_high": base + high,
        }
    )


def _levels(column: pd.Series[Any], codes: Ints, k: int, confidence_level: float) -> pd.DataFrame:
    """Return the rows of one text, one per segment and level."""
    level, distinct = sorted_codes(column)
    labels = [level_text(name) for name in distinct]
    if (level < 0).any():
        level = np.where(level < 0, len(labels), level)
        labels.append(MISSING)
    count = np.bincount(codes * len(labels) + level, minlength=k * len(labels))
    count = count.reshape(k, len(labels)).astype(np.float64)
    n = np.broadcast_to(count.sum(axis=1, keepdims=True), count.shape)
    every, everyone = count.sum(axis=0), count.sum()
    share = count / np.maximum(n, 1)
    rest = np.divide(
        every - count, everyone - n, out=np.full(count.shape, np.nan), where=everyone > n
    )
    low, high = wilson_interval(count.ravel(), n.ravel(), confidence_level)
    return pd.DataFrame(
        {
            "code": np.repeat(np.arange(k), len(labels)),
            "level": labels * k,
            "customers": count.ravel().astype(np.int64),
            "estimate": share.ravel(),
            "base": np.tile(every / everyone, k),
            "effect_size": cohens_h(share, rest).ravel(),
            "std_error": np.sqrt(share * (1 - share) / np.maximum(n, 1)).ravel(),
            "conf_low": low,
            "conf_high": high,
        }
    )
