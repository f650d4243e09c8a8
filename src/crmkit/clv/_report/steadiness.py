"""Words of warning about a base whose purchases no model of new customers can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import quoted
from crmkit.clv._math.steadiness import Base, drift, season

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Bools, Floats, Ints

__all__ = ["shared_id", "unsteady"]

# More than this share of all rows under one id, of so many customers or more, is no customer.
_MOSTLY, _CUSTOMERS = 0.5, 20
# What chance alone reaches once in a thousand bases; and a smaller effect does no harm.
_RARE, _SMALL = 0.001, 0.1
# A season is what comes again: two years of it, in periods short enough to see two waves a year.
_TWICE, _SHORT = 730.0, 62.0
_FEW = 50  # purchases


def shared_id(ids: pd.Index[Any], rows: Ints) -> dict[str, Any]:
    """Return the share of the rows of the largest customer, and what it means if it is large."""
    largest = int(rows.argmax())
    share = float(rows[largest] / rows.sum())
    told: dict[str, Any] = {"largest_share_of_rows": share, "warnings": {}}
    if share > _MOSTLY and rows.size >= _CUSTOMERS:
        told["warnings"]["shared_id"] = (
            f"{share:.0%} of the rows are of one of {rows.size:,} customers, "
            f"{quoted(ids[largest])}: probably an id that many share, such as that of "
            "a till. Leave it out."
        )
    return told


def unsteady(base: Base, last_day: Floats, holdout: Bools) -> dict[str, Any]:
    """Return drift and season as shares, as far as they can be told, and what they mean if large.

    `last_day` (k,) is that of each period.
    """
    told: dict[str, Any] = {"drift": float("nan"), "season": float("nan"), "warnings": {}}
    length = np.diff(last_day, prepend=2 * last_day[0] - last_day[1]) if holdout.size > 1 else None
    if length is None or base.period.size < _FEW:
        return told
    if holdout.any() and not holdout.all():
        told["drift"], chance = drift(base, holdout)
        if chance < _RARE and abs(told["drift"]) >= _SMALL:
            more = "more" if told["drift"] > 0 else "fewer"
            told["warnings"]["drift"] = (
                f"Drift: {abs(told['drift']):.0%} {more} repeat purchases came after `as_of` than "
                "the model expects, which chance does not explain: behaviour has changed, or the "
                "model has a wrong idea of how customers leave."
            )
    if last_day[-1] - last_day[0] + length[0] >= _TWICE and np.median(length) <= _SHORT:
        told["season"], chance = season(base, last_day - (length - 1.0) / 2.0, holdout)
        if chance < _RARE and told["season"] >= _SMALL:
            told["warnings"]["season"] = (
                f"Season: repeat purchases go {told['season']:.0%} above and below their mean "
                "every year, which the model does not know. Look ahead by whole years, or take "
                "TimeVaryingParetoNBD with the season as a covariate."
            )
    return told
