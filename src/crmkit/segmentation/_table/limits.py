"""Limits between scores that were given: a kept table of cut points, or one's own for some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._arguments import check_mapping, check_numbers
from crmkit._checks import Problems, check_choice, number_array
from crmkit._frames import to_pandas
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["FALLING", "MONEY", "Money", "own_limits", "read_cut_points", "scale_of"]

Money = Literal["mean", "total"]

MONEY: dict[Money, str] = {"mean": "monetary", "total": "total_amount"}
# A customer who bought long ago scores low: the only value whose score falls as it rises.
FALLING = "recency_days"


def scale_of(variable: str, n_bins: int) -> Ints:
    """Return the score of each bin, lowest values first."""
    scale = np.arange(1, n_bins + 1)
    return scale[::-1] if variable == FALLING else scale


def own_limits(cut_points: Any, money: str) -> dict[str, tuple[Floats, Ints]]:
    """Return cuts and scores of the variables for which a mapping gives limits."""
    limits = {}
    for variable, given in check_mapping(
        {} if cut_points is None else cut_points, "cut_points", "variables to limits"
    ).items():
        check_choice(variable, "cut_points", [FALLING, "frequency", money])
        cuts = np.array(check_numbers(given, "limits"), dtype=np.float64)
        if cuts.size > 8 or np.any(cuts[1:] <= cuts[:-1]):
            raise InputError(
                f"`cut_points` of {variable!r} must be one to eight rising limits; got "
                f"{cuts.tolist()}."
            )
        limits[variable] = (cuts, scale_of(variable, cuts.size + 1))
    return limits


def read_cut_points(table: Any) -> dict[str, tuple[Floats, Ints]]:
    """Return cuts and scale per variable from a cut-point table, whatever its row order."""
    frame = to_pandas(table, "cut_points", needs=["variable", "score", "lower"], optional=())
    problems = Problems("cut_points")
    wanted = {FALLING, "frequency"}
    found = set(frame["variable"])
    money = found & set(MONEY.values())
    if not wanted <= found or len(money) != 1 or found - wanted - money:
        problems.add(
            f"column 'variable' must name {FALLING!r}, 'frequency' and one of "
            f"{list(MONEY.values())}; it names {sorted(map(str, found))}."
        )
    score = number_array(frame["score"], problems, "score", low=1)
    # The outermost limits are infinite by right.
    number_array(frame["lower"].replace([-np.inf, np.inf], 0.0), problems, "lower")
    problems.raise_if_any()
    lower = frame["lower"].to_numpy(dtype=np.float64)
    limits = {}
    for variable in (FALLING, "frequency", *money):
        rows = (frame["variable"] == variable).to_numpy(dtype=bool)
        direction = -1 if variable == FALLING else 1
        order = np.argsort(direction * score[rows], kind="stable")
        scale, low = score[rows][order], lower[rows][order]
        n_bins = scale.size
        if n_bins > 9 or not np.array_equal(np.sort(scale), np.arange(1, n_bins + 1)):
            problems.add(f"the scores of {variable!r} must be 1, 2, ... to at most 9, each once.")
        elif np.any(low[1:] < low[:-1]):
            side = "rise as scores fall" if direction < 0 else "rise with the scores"
            problems.add(f"the limits of {variable!r} must {side}.")
        limits[variable] = (low[1:], scale.astype(np.int64))
    problems.raise_if_any()
    return limits
