"""From moves of customers to the columns of a retention table: counts, money and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import wilson_interval
from crmkit.churn._math.rates import rescale, total

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints
    from crmkit.churn._math.rates import Moves
    from crmkit.churn._table.spells import Accounts


__all__ = ["customer_counts", "customer_rates", "revenue_rates", "revenue_units"]

Shape = tuple[int, int]


def customer_counts(accounts: Accounts, group: Ints, shape: Shape) -> dict[str, Ints]:
    """Return customers by heading, per group and period."""
    now, moves = accounts.now, accounts.moves
    levels = {"active": now.here}
    flows = _came(moves)
    if accounts.tried is not None:
        levels |= {"trials": now.trial, "paused": now.paused}
        flows["converted"] = flows["new"] & accounts.tried[moves.customer]
    flows |= {"lost": moves.there & ~moves.here, **_by_reason("lost", accounts)}
    found = {name: total(now, mask, group, shape).ravel() for name, mask in levels.items()}
    return found | {name: total(moves, mask, group, shape).ravel() for name, mask in flows.items()}


def customer_rates(
    counts: dict[str, Ints],
    shape: Shape,
    span: int,
    *,
    complete: Bools,
    factor: Floats | float,
    confidence_level: float,
) -> dict[str, Any]:
    """Return customers by heading and their retention and churn rates, per group and period."""
    opening = _before(counts["active"], shape, span)
    found = counts | {"retained": opening - counts["lost"]}
    order = ("active", "retained", "new", "reactivated", "lost", "trials", "converted", "paused")
    table: dict[str, Any] = {name: found.pop(name) for name in order if name in found}
    table |= _reasons_in_order(found)
    known = complete & (opening > 0)
    rate = np.divide(table["retained"], opening, out=np.full(opening.size, np.nan), where=known)
    low, high = wilson_interval(table["retained"], opening, confidence_level)
    rate = rescale(rate, factor)
    return table | {
        "retention_rate": rate,
        "conf_low": np.where(known, rescale(low, factor), np.nan),
        "conf_high": np.where(known, rescale(high, factor), np.nan),
        "churn_rate": 1 - rate,
    }


def revenue_units(accounts: Accounts, group: Ints, shape: Shape) -> dict[str, Ints]:
    """Return revenue by heading in whole units, per group and period."""
    now, moves = accounts.now, accounts.moves
    stayed = moves.here & moves.there
    stops = stayed & moves.paused & ~moves.was_paused
    resumes = stayed & ~moves.paused & moves.was_paused
    moved = stayed & ~stops & ~resumes
    came = _came(moves)
    up = {f"revenue_{name}": mask for name, mask in came.items()}
    up["revenue_expansion"] = moved & (moves.gain > 0)
    down = {
        "revenue_contraction": moved & (moves.gain < 0),
        "revenue_lost": moves.there & ~moves.here,
    }
    if accounts.tried is not None:
        up["revenue_converted"] = came["new"] & accounts.tried[moves.customer]
        up["revenue_resumed"] = resumes
        down["revenue_paused"] = stops
    down |= _by_reason("revenue_lost", accounts)
    units = {"revenue": total(now, now.here, group, shape, now.value)}
    units |= {name: total(moves, mask, group, shape, moves.gain) for name, mask in up.items()}
    units |= {name: total(moves, mask, group, shape, -moves.gain) for name, mask in down.items()}
    return {name: whole.ravel() for name, whole in units.items()}


def revenue_rates(
    units: dict[str, Ints],
    scale: float,
    shape: Shape,
    span: int,
    *,
    complete: Bools,
    factor: Floats | float,
) -> dict[str, Any]:
    """Return revenue by heading and its churn and retention rates, per group and period."""
    # Whole units: what is kept and what is gone add up to the opening balance exactly.
    opening = _before(units["revenue"], shape, span)
    known = complete & (opening > 0)
    nothing = np.zeros_like(opening)
    gone = sum(units.get(f"revenue_{name}", nothing) for name in ("contraction", "lost", "paused"))
    grown = units["revenue_expansion"] + units.get("revenue_resumed", nothing)
    kept, net = (
        rescale(np.divide(part, opening, out=np.full(opening.size, np.nan), where=known), factor)
        for part in (opening - gone, opening - gone + grown)
    )
    by_reason = {name: units[name] for name in units if name.startswith("revenue_lost_")}
    units = {name: units[name] for name in units if name not in by_reason}
    units |= _reasons_in_order(by_reason)
    return {name: whole / scale for name, whole in units.items()} | {
        "revenue_churn_rate": 1 - kept,
        "gross_revenue_retention": kept,
        "net_revenue_retention": net,
    }


def _reasons_in_order(found: dict[str, Ints]) -> dict[str, Ints]:
    """Return columns of reasons sorted, what is not known last."""
    return {name: found[name] for name in sorted(found, key=lambda n: (n.endswith("_unknown"), n))}


def _came(moves: Moves) -> dict[str, Bools]:
    """Part the customers who came by whether they had been here before."""
    return {"new": moves.new, "reactivated": moves.here & ~moves.there & ~moves.new}


def _by_reason(name: str, accounts: Accounts) -> dict[str, Bools]:
    """Part the customers lost by why their last contract ended."""
    moves, reasons = accounts.moves, accounts.reasons
    if not reasons:
        return {}
    lost = moves.there & ~moves.here
    reason = np.where(moves.reason < 0, len(reasons) - 1, moves.reason)
    return {f"{name}_{word}": lost & (reason == number) for number, word in enumerate(reasons)}


def _before(found: Ints, shape: Shape, span: int) -> Ints:
    """Return, per group and period, the total `span` periods before; 0 before the first."""
    before = np.zeros(shape, dtype=np.int64)
    before[:, span:] = found.reshape(shape)[:, : max(shape[1] - span, 0)]
    return before.ravel()
