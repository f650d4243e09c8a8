"""Whether a number is that of one unit or of a line of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["unit_or_line"]

_CENT = 0.0051
# The share of rows that must say the same, and the fewest that say anything.
_MOST, _LEAST = 0.9, 3


def unit_or_line(
    values: Floats, quantity: Floats | None, product: Ints | None
) -> tuple[str, str] | None:
    """Tell by products whether a number is that of a unit or of a line, and an example."""
    if quantity is None:
        return None
    if product is None:
        return _by_prices(values, quantity)
    known = np.isfinite(values) & np.isfinite(quantity) & (product >= 0)
    one = known & (np.abs(quantity) == 1)
    several = known & (np.abs(quantity) >= 2)
    if np.count_nonzero(several) < _LEAST or not one.any():
        return None
    usual = pd.Series(np.abs(values[one])).groupby(product[one]).median()
    unit = usual.reindex(product[several]).to_numpy()
    worth, times = np.abs(values[several]), np.abs(quantity[several])
    fits = np.isfinite(unit) & (unit > 0)
    if np.count_nonzero(fits) < _LEAST:
        return None
    # Discounts and other prices of other days leave most rows near one of the two.
    near_unit = np.abs(worth - unit) <= 0.02 * unit + _CENT
    near_line = np.abs(worth - unit * times) <= 0.02 * unit * times + _CENT
    for word, near in (("unit", near_unit), ("line", near_line)):
        agree = np.count_nonzero(near & fits)
        if agree >= _MOST * np.count_nonzero(fits):
            place = int(np.flatnonzero(near & fits)[0])
            return word, (
                f"{times[place]:g} units for {worth[place]:,.2f} beside one for "
                f"{unit[place]:,.2f}; so in {agree:,} of {np.count_nonzero(fits):,} rows"
            )
    return None


def _by_prices(values: Floats, quantity: Floats) -> tuple[str, str] | None:
    """Tell the same without products: by amounts of several units that are prices of one."""
    known = np.isfinite(values) & (np.abs(quantity) > 0)
    one, several = known & (np.abs(quantity) == 1), known & (np.abs(quantity) >= 2)
    prices = np.unique(np.round(np.abs(values[one]), 2))
    worth, times = np.abs(values[several]), np.abs(quantity[several])
    if len(worth) < _LEAST or 2 * len(prices) > np.count_nonzero(one):
        return None
    alike = {"unit": np.isin(np.round(worth, 2), prices).mean()}
    alike["line"] = np.isin(np.round(worth / times, 2), prices).mean()
    for word, other in (("unit", "line"), ("line", "unit")):
        if alike[word] >= _MOST and alike[other] < 0.5:
            what = "the amount" if word == "unit" else "the amount of one unit"
            return (
                word,
                f"in {alike[word]:.0%} of the rows of several units {what} is a price of one",
            )
    return None
