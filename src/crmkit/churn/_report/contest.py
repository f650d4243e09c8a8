"""Scores of one day beside each other, and what they gain on the simplest of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit._learn import figures
from crmkit._learn.judging import area_influence, area_under_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints

__all__ = ["BASE_RATE", "Contest", "contest_rows"]

BASE_RATE = "base rate"
_FIGURES = ("calibration_gap", "auc_gain", "brier_gain")


@dataclass(frozen=True, slots=True)
class _Part:
    """A figure of one day with what each of its customers, (n,), adds to its error."""

    value: float
    influence: Floats


@dataclass(slots=True)
class Contest:
    """Who left on one day, (n,) of 0.0 and 1.0, their ``customer`` codes, and scores of them.

    ``promise`` is how well each score ranked customers before the day.
    """

    day: int
    outcome: Floats
    customer: Ints
    base_rate: float
    scores: dict[str, Floats] = field(default_factory=dict)
    promise: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, scores: Floats, promise: float) -> None:
        """Enter a score; the first is the model's."""
        self.scores[name], self.promise[name] = scores, promise

    @property
    def everybody(self) -> dict[str, Floats]:
        """Return all scores, the base rate's last."""
        return {**self.scores, BASE_RATE: np.full(self.outcome.size, self.base_rate)}

    @property
    def rival(self) -> str:
        """Name the heuristic that promised to rank best; without any the base rate."""
        heuristics = list(self.promise)[1:]
        return max(heuristics, key=self.promise.__getitem__) if heuristics else BASE_RATE

    def parts(self, name: str) -> dict[str, _Part]:
        """Return the figures of a score that have an interval."""
        own, other, outcome = self.everybody[name], self.everybody[self.rival], self.outcome
        loss = (other - outcome) ** 2 - (own - outcome) ** 2
        area = area_under_curve(own, outcome) - area_under_curve(other, outcome)
        return {
            "calibration_gap": _mean(own - outcome),
            "auc_gain": _Part(area, area_influence(own, outcome) - area_influence(other, outcome)),
            "brier_gain": _mean(loss),
        }


def contest_rows(contests: Sequence[Contest], level: float) -> list[dict[str, Any]]:
    """Return the rows of each day, and of several days those of all of them."""
    rows = [row for contest in contests for row in _rows([contest], level)]
    return rows + (_rows(contests, level) if len(contests) > 1 else [])


def _rows(contests: Sequence[Contest], level: float) -> list[dict[str, Any]]:
    """Return a row per score: the model, heuristics from the best, the base rate."""
    customer = np.concatenate([contest.customer for contest in contests])
    named = {contest.rival for contest in contests}
    rival = named.pop() if len(named) == 1 else "best of each day"
    rows = []
    for name in contests[0].everybody:
        days = [figures(c.everybody[name], c.outcome, rate="churn_rate") for c in contests]
        row: dict[str, Any] = {
            "as_of": contests[0].day if len(contests) == 1 else None,
            "model": name,
            **{key: float(np.mean([day[key] for day in days])) for key in days[0]},
            "customers": sum(day["customers"] for day in days),
        }
        parts = [contest.parts(name) for contest in contests]
        for key in _FIGURES:
            value, low, high = _interval([part[key] for part in parts], customer, level)
            row.update({key: value, f"{key}_low": low, f"{key}_high": high})
            if key == "calibration_gap":
                row["rival"] = rival
        row["verdict"] = _verdict(row)
        if name == rival:
            gains = [column for column in row if column.startswith(("auc_gain", "brier_gain"))]
            row.update(dict.fromkeys(gains, float("nan")), verdict="is the rival")
        rows.append(row)
    model, *heuristics, base = rows
    heuristics.sort(key=lambda row: (-np.nan_to_num(row["auc"]), row["model"]))
    return [model, *heuristics, base]


def _mean(values: Floats) -> _Part:
    """Return a mean as a part."""
    mean = float(values.mean())
    return _Part(mean, (values - mean) / values.size)


def _interval(parts: Sequence[_Part], customer: Ints, level: float) -> tuple[float, float, float]:
    """Return the mean of some days' figures and Student's interval, clustered by customer."""
    value = float(np.mean([part.value for part in parts]))
    influence = np.concatenate([part.influence for part in parts]) / len(parts)
    _, code = np.unique(customer, return_inverse=True)
    total = np.bincount(code, weights=influence)
    n = total.size
    error = np.sqrt(np.sum(total**2) * n / max(n - 1, 1))
    reach = float(special.stdtrit(max(n - 1, 1), (1 + level) / 2) * error)
    return value, value - reach, value + reach


def _verdict(row: dict[str, Any]) -> str:
    """Say in words what the intervals of the gains tell."""
    if np.isnan(row["auc_gain_low"]):
        return "too few to tell"
    words = []
    for key, what in (("auc_gain", "ranking"), ("brier_gain", "probability")):
        better, worse = row[f"{key}_low"] > 0, row[f"{key}_high"] < 0
        word = "better" if better else "worse" if worse else "no better"
        words.append(f"{word} as a {what}")
    return ", ".join(words)
