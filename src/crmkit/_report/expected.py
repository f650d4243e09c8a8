"""How far what today's customers will bring may lie from what is expected of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from crmkit import clv
from crmkit.errors import ConvergenceError

if TYPE_CHECKING:
    from crmkit._report.pieces import Standing

__all__ = ["reach"]

# Customers whose histories are continued, and under how many draws from the posterior. Of more
# customers the sum lies closer by the root of their number: what is not known of the parameters
# and what chance does to each customer both shrink so.
_SAMPLE, _DRAWS = 4_000, 400


def reach(standing: Standing, total: float, horizon_days: int) -> tuple[float, float] | None:
    """Return the limits between which 95 % of what comes in lies; None where none can be found.

    Histories are continued under the same models with weak priors. The limits are widened by what
    the forecast of the days that were held out missed, which no model knows of itself.
    """
    some = standing.table.sample(min(len(standing.table), _SAMPLE), random_state=0)
    options: dict[str, Any] = {"prior": "weak", "n_draws": _DRAWS, "random_state": 0}
    try:
        base = clv.customer_equity(
            some,
            purchases=type(standing.purchases)(**options).fit(some),
            # Without amounts a purchase counts for one.
            spend=1.0 if standing.spend is None else type(standing.spend)(**options).fit(some),
            horizon_days=horizon_days,
            annual_discount_rate=0.0,
            interval="predictive",
        ).iloc[0]
    except ConvergenceError:
        return None
    middle = float(base["lifetime_value"])
    if not (
        middle > 0.0 and total > 0.0 and base["conf_low"] > 0.0 and math.isfinite(standing.bias)
    ):
        return None
    shrink = math.sqrt(len(some) / len(standing.table))
    missed = abs(math.log1p(max(standing.bias, -0.99)))
    low, high = (
        shrink * math.log(float(base[name]) / middle) for name in ("conf_low", "conf_high")
    )
    return total * math.exp(low - missed), total * math.exp(high + missed)
