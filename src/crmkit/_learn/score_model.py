"""One base for models that give every customer a calibrated probability of a yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from crmkit._arguments import columns_named
from crmkit._checks import check_choice, check_flag, check_number, random_generator
from crmkit._estimator import Model
from crmkit._frames import sorted_codes
from crmkit._learn.columns import best_alone, judged_columns
from crmkit._learn.encoder import FeatureEncoder
from crmkit._learn.judging import figures
from crmkit._learn.outcomes import read_snapshots, with_outcome
from crmkit._learn.reasons import linear_shares, reasons_frame, sampled_shares
from crmkit._learn.scorer import Scorer
from crmkit._learn.seen import SeenRows, in_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats


__all__ = ["LearnedScore", "ScoreModel"]

_BACKGROUND = 200

Calibration = Literal["sigmoid", "isotonic", "none"]


@dataclass(frozen=True, slots=True)
class LearnedScore:
    """What one fit gives.

    ``scores`` (n,) are out of fold, ``seen`` are the rows learned from, ``background`` some of them
    as the encoder wrote them.
    """

    scorer: Scorer
    scores: Floats
    seen: SeenRows
    background: Floats


class ScoreModel(Model):
    """Base of models that learn a yes or no per customer.

    A subclass names the probability and the share of yes in ``performance_``, and says whether
    its tables may hold several snapshots of a customer.
    """

    _not_saved: ClassVar[tuple[str, ...]] = ("scores_", "_seen_", "_background_")
    _score: ClassVar[str]
    _rate: ClassVar[str] = "rate"
    # Whether a trait that makes the rarer outcome certain is too good to be true.
    _certain_is_suspect: ClassVar[bool] = True

    columns_: pd.DataFrame
    scorer_: Scorer
    performance_: pd.DataFrame
    account_: dict[str, int]
    _background_: Floats

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
            _, _, scores = alone._cross_fit(given, result, FeatureEncoder(columns=[best]))
            rows.append({"model": best, **figures(scores, result, rate=self._rate)})
        self.performance_ = pd.DataFrame(rows)
        self.scorer_ = learned.scorer
        self.outcome_ = outcome
        self.scores_ = _keys(given).assign(**{self._score: learned.scores})
        self._seen_ = learned.seen
        self._background_ = learned.background
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
        """Fit one score on outcomes (n,) of 0.0 and 1.0, and remember whom it learned from."""
        scorer, matrix, scores = self._cross_fit(
            frame, result, encoder, name=name, progress=progress
        )
        # Rows in the order of the ids, so that chance falls the same way however they are sorted.
        keys = [frame[name] for name in ("as_of", "customer_id") if name in frame.columns]
        by_id = np.lexsort([sorted_codes(key)[0] for key in keys])
        some = random_generator(self.random_state, fixed=0).permutation(len(frame))[:_BACKGROUND]
        return LearnedScore(scorer, scores, SeenRows.of(frame, matrix), matrix[by_id[some]])

    def _cross_fit(
        self,
        frame: pd.DataFrame,
        result: Floats,
        encoder: FeatureEncoder,
        *,
        name: str = "customers",
        progress: bool = False,
    ) -> tuple[Scorer, Floats, Floats]:
        """Return a fitted score, what it was fitted to, and its scores out of fold."""
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
        return scorer, matrix, scores

    def _predict(self, customers: Any) -> pd.DataFrame:
        """Score customers, and mark those whose very rows were learned from."""
        self._check_fitted()
        frame = read_snapshots(customers, self.scorer_.encoder.used_columns)
        matrix = self.scorer_.encoder.transform(frame)
        seen = in_sample(vars(self).get("_seen_"), frame, matrix)
        return _keys(frame).assign(**{self._score: self.scorer_.score(matrix)}, in_sample=seen)

    def reasons(
        self, customers: Any, *, n_reasons: int = 3, n_repeats: int = 10, progress: bool = False
    ) -> pd.DataFrame:
        """List of each customer the columns that raise the chance most, for whoever talks to them.

        What a column adds is told against the customers learned from: by Shapley's values of the
        log odds, which add up to the difference between this customer and those. They are exact
        for the default estimator, and drawn for others. A reason is what the model goes by, no
        cause: changing it need not change the customer.

        Parameters
        ----------
        customers : DataFrame
            What ``predict`` takes.
        n_reasons : int, default 3
            Most columns per customer; columns that lower the chance are none.
        n_repeats : int, default 10
            Orders of the columns drawn for an estimator that is not linear, each followed by its
            reverse.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        pandas.DataFrame
            One row per customer and reason, customers in the order given, the largest reason first:

            * ``customer_id`` - as given.
            * ``as_of`` (datetime) - as given, only where the table has it.
            * ``rank`` (int) - 1 for the column that adds most.
            * ``variable`` (str) - the column.
            * ``level`` (str) - the customer's value of it.
            * ``contribution`` (float) - log odds added, after a sigmoid calibration.
            * ``chance_added`` (float) - chance less what it is without this contribution.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        MissingColumnsError
            If a column the model learned from is absent.

        References
        ----------
        Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions.
        *Advances in Neural Information Processing Systems* 30.

        Castro, J., Gomez, D. and Tejada, J. (2009). Polynomial calculation of the Shapley value
        based on sampling. *Computers & Operations Research* 36(5), 1726-1730.

        Examples
        --------
        >>> from crmkit import churn, datasets
        >>> log = datasets.make_transactions(1000, random_state=0)["transactions"]
        >>> table = churn.churn_table(log, as_of="2025-06-30", horizon_days=90)
        >>> model = churn.ChurnModel(random_state=0).fit(table)
        >>> model.reasons(table.head(3), n_reasons=1)[["customer_id", "rank", "variable"]]
           customer_id  rank      variable
        0            1     1        orders
        1            2     1     gap_ratio
        2            3     1  recency_days
        """
        self._check_fitted()
        n_reasons = check_number(n_reasons, "n_reasons")
        n_repeats = check_number(n_repeats, "n_repeats")
        check_flag(progress, "progress")
        encoder = self.scorer_.encoder
        frame = read_snapshots(customers, encoder.used_columns)
        matrix = encoder.transform(frame)
        shares = linear_shares(self.scorer_, matrix)
        if shares is None:
            owner = np.asarray(encoder.feature_columns)
            shares = sampled_shares(
                self._log_odds,
                matrix,
                self._background_,
                [np.flatnonzero(owner == name) for name in encoder.used_columns],
                rng=random_generator(self.random_state, fixed=0),
                n_orders=n_repeats,
                progress=progress,
            )
        chance = self.scorer_.score(matrix)
        return reasons_frame(_keys(frame), frame, encoder.used_columns, shares, chance, n_reasons)

    def _log_odds(self, matrix: Floats) -> Floats:
        """Return the log odds of encoded rows, (n,)."""
        chance = np.clip(self.scorer_.score(matrix), 1e-12, 1 - 1e-12)
        return np.log(chance / (1 - chance))


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what identifies the rows."""
    return frame[[name for name in ("customer_id", "as_of") if name in frame.columns]]
