"""One kind of event, compared day by day, and the rows that tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit.churn._math.moments import Comparison, cells_of, choose_placebos, recency_class

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats
    from crmkit.churn._math.moments import Effect
    from crmkit.churn._table.panel import Panel

__all__ = ["NEVER", "Study"]

_PER = 30.0
NEVER = 10**9


class Study:
    """One kind of event: its comparisons, measure by measure."""

    def __init__(
        self,
        panel: Panel,
        before: int,
        after: int,
        washout: int | None,
        n_placebos: int,
        first: pd.DataFrame,
    ) -> None:
        self.panel, self.before, self.after = panel, before, after
        self.washout = washout
        self.last = np.full(panel.n_customers, -NEVER, dtype=np.int64)
        self.next = np.full(panel.n_customers, NEVER, dtype=np.int64)
        self.next[first["customer"]] = first["day"]
        self.n_placebos = n_placebos
        measures = sorted(panel.values)
        self.effects = {name: Comparison(panel.n_customers) for name in measures}
        self.trends = {name: Comparison(panel.n_customers) for name in measures}
        # Per measure and placebo: events, and summed gaps before and after.
        self.placebos = {name: np.zeros((n_placebos, 3)) for name in measures}
        self.total = self.all = 0

    def add(self, date: int, rows: pd.DataFrame, rng: np.random.Generator) -> None:
        """Add the customers whose event is on one date; dates come in order."""
        panel, before, after = self.panel, self.before, self.after
        at_risk = self.last == -NEVER
        if self.washout is not None:
            at_risk |= date - self.last > self.washout
        everybody = rows["customer"].to_numpy()
        people = everybody[at_risk[everybody]]
        self.all += people.size
        self.last[everybody] = date
        self.next[everybody] = rows["following"]
        if date - before < panel.first_day or date + after > panel.last_day:
            return
        at_risk &= panel.since <= date - before
        risk = np.flatnonzero(at_risk)
        treated = np.isin(risk, people)
        if not treated.any():
            return
        self.total += int(treated.sum())
        half = before // 2
        early = panel.totals(date - before, date - half - 1)
        late = panel.totals(date - half, date - 1)
        then = panel.totals(date + 1, date + after)
        recency = recency_class(panel.days_since_purchase(date - before, date)[risk])
        cell = cells_of(recency, (early["orders"] + late["orders"])[risk])
        early_cell = cells_of(recency, early["orders"][risk])
        dose = np.clip((date + after - self.next[risk]) / after, 0, 1)
        dose[treated] = 1.0
        drawn = choose_placebos(rng, recency, treated, self.n_placebos)
        for name, effect in self.effects.items():
            was = (early[name] + late[name])[risk] * (_PER / before)
            now = then[name][risk] * (_PER / after)
            found = effect.add(risk, cell, treated, was, now, dose)
            self.placebos[name] += [found.without(chosen) for chosen in drawn]
            if half:
                was = early[name][risk] * (_PER / (before - half))
                now = late[name][risk] * (_PER / half)
                self.trends[name].add(risk, early_cell, treated, was, now, treated.astype(float))

    def rows(self, level: float) -> list[dict[str, Any]]:
        """Return the rows of every measure: event, placebo and days before."""
        found = []
        for name, comparison in self.effects.items():
            effect, trend = comparison.effect(), self.trends[name].effect()
            lost = {"incomplete": self.all - self.total, "unmatched": self.total - effect.events}
            n, chance = _chance(self.placebos[name], comparison, level)
            customers = int(np.count_nonzero(comparison.times))
            for what, events, row in (
                ("event", effect.events, _tested(effect, customers, level)),
                ("placebo", n, chance),
                ("days before", trend.events, _tested(trend, customers, level)),
            ):
                head = {"measure": name, "comparison": what, "events": events}
                found.append({**head, **lost, **row})
        return found


def _tested(effect: Effect, customers: int, level: float) -> dict[str, Any]:
    """Return an effect with its interval and the p-value of none, by Student's t."""
    error, freedom = effect.std_error, max(customers - 1, 1)
    reach = special.stdtrit(freedom, (1 + level) / 2) * error
    p = 2 * special.stdtr(freedom, -abs(effect.effect) / error) if error > 0 else np.nan
    if error == 0:
        # No spread at all: an effect is then certain, and its absence too.
        p = float(effect.effect == 0)
    return {
        "before": effect.before,
        "after": effect.after,
        "control_change": effect.control_change,
        "effect": effect.effect,
        "std_error": error,
        "conf_low": effect.effect - reach,
        "conf_high": effect.effect + reach,
        "p_value": p,
        "p_adjusted": np.nan,
    }


def _chance(sums: Floats, comparison: Comparison, level: float) -> tuple[int, dict[str, Any]]:
    """Return mean number and mean effect of placebos, (n, 3), and the interval of one more."""
    drawn = sums[sums[:, 0] > 0]
    dose = comparison.total_dose / max(comparison.times.sum(), 1)
    effects = (drawn[:, 2] - comparison.slope * drawn[:, 1]) / (drawn[:, 0] * dose)
    n = effects.size
    mean = float(effects.mean()) if n else np.nan
    error = float(effects.std(ddof=1)) if n > 1 else np.nan
    reach = special.stdtrit(max(n - 1, 1), (1 + level) / 2) * error * np.sqrt(1 + 1 / max(n, 1))
    return round(drawn[:, 0].mean()) if n else 0, {
        **dict.fromkeys(["before", "after", "control_change"], np.nan),
        "effect": mean,
        "std_error": error,
        "conf_low": mean - reach,
        "conf_high": mean + reach,
        **dict.fromkeys(["p_value", "p_adjusted"], np.nan),
    }
