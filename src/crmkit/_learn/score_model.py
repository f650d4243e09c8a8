"""One base for models that give every customer a calibrated probability of a yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import check_choice
from crmkit._estimator import Model
from crmkit._frames import sorted_codes
from crmkit._learn.columns import best_alone, judged_columns
from crmkit._learn.encoder import FeatureEncoder
from crmkit._learn.judging import figures
from crmkit._learn.outcomes import read_snapshots, with_outcome
from crmkit._learn.scorer import Scorer
from crmkit._learn.seen import SeenRows, in_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats


__all__ = ["LearnedScore", "ScoreModel"]

Calibration = Literal["sigmoid", "isotonic", "none"]


@dataclass(frozen=True, slots=True)
class LearnedScore:
    """What one fit gives.

    ``scores`` (n,) are out of fold, ``seen`` are the rows learned from.
    """

    scorer: Scorer
    scores: Floats
    seen: SeenRows


class ScoreModel(Model):
    """Base of models that learn a yes or no per customer.

    A subclass names the probability and the share of yes in ``performance_``, and says whether
    its tables may hold several snapshots of a customer.
    """

    _not_saved: ClassVar[tuple[str, ...]] = ("scores_", "_seen_")
    _score: ClassVar[str]
    _rate: ClassVar[str] = "rate"
    # Whether a trait that makes the rarer outcome certain is too good to be true.
    _certain_is_suspect: ClassVar[bool] = True

    columns_: pd.DataFrame
    scorer_: Scorer
    performance_: pd.DataFrame
    account_: dict[str, int]

    def __init__(
        self,
        *,
        estimator: Any = None,
        calibration: Calibration = "sigmoid",
        n_folds: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.calibration = calibration
        self.n_folds = n_folds
        self.random_state = random_state

    def _fit(
        self, customers: Any, outcome: str, columns: Sequence[str] | None, *, progress: bool
    ) -> Self:
        """Learn one score from customers whose outcome is known."""
        from sklearn.base import clone

        given = read_snapshots(customers, columns_named(outcome=outcome))
        given, result, self.account_ = with_outcome(given, outcome)
        encoder = FeatureEncoder(columns=columns, exclude=[outcome, "as_of"])
        learned = self._learn(given, result, encoder, progress=progress)
        self.columns_ = judged_columns(
            given,
            learned.scorer.encoder.looked_at(given),
            learned.scorer.encoder.terms,
            result,
            outcome,
            certain_is_suspect=self._certain_is_suspect,
            warn=columns is None,
        )
        rows = [{"model": "model", **figures(learned.scores, result, rate=self._rate)}]
        best = best_alone(self.columns_)
        if best is not None:
            alone = clone(self).set_params(estimator=None)
            scores = alone._learn(given, result, FeatureEncoder(columns=[best])).scores
            rows.append({"model": best, **figures(scores, result, rate=self._rate)})
        self.performance_ = pd.DataFrame(rows)
        self.scorer_ = learned.scorer
        self.outcome_ = outcome
        self.scores_ = _keys(given).assign(**{self._score: learned.scores})
        self._seen_ = learned.seen
        return self

    def _learn(
        self,
        frame: pd.DataFrame,
        result: Floats,
        encoder: FeatureEncoder,
        *,
        name: str = "customers",
        progress: bool = False,
    ) -> LearnedScore:
        """Fit one score on outcomes (n,) of 0.0 and 1.0."""
        check_choice(self.calibration, "calibration", Calibration)
        encoder = encoder.fit(frame, name=name)
        matrix = encoder.transform(frame, name=name)
        scorer, scores = Scorer.fit(
            encoder,
            matrix,
            result,
            groups=sorted_codes(frame["customer_id"])[0],
            times=sorted_codes(frame["as_of"])[0] if "as_of" in frame.columns else None,
            estimator=self.estimator,
            calibration=self.calibration,
            n_folds=self.n_folds,
            random_state=self.random_state,
            progress=progress,
        )
        return LearnedScore(scorer, scores, SeenRows.of(frame, matrix))

    def _predict(self, customers: Any) -> pd.DataFrame:
        """Score customers, and mark those whose very rows were learned from."""
        self._check_fitted()
        frame = read_snapshots(customers, self.scorer_.encoder.used_columns)
        matrix = self.scorer_.encoder.transform(frame)
        seen = in_sample(vars(self).get("_seen_"), frame, matrix)
        return _keys(frame).assign(**{self._score: self.scorer_.score(matrix)}, in_sample=seen)


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what identifies the rows."""
    return frame[[name for name in ("customer_id", "as_of") if name in frame.columns]]
