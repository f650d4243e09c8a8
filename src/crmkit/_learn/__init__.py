"""What two rooms share about learning; arrays and frames in, arrays and frames out.

How a room puts the pieces together::

    customers, outcome, account = with_outcome(customers, "churned")   # (n,) of 0.0 and 1.0
    encoder = FeatureEncoder(exclude=["churned"]).fit(customers)
    matrix = encoder.transform(customers)                           # (n, p) float64
    oof = cross_fitted_scores(None, matrix, outcome, groups=codes)  # None: default_classifier
    calibrator = Calibrator("sigmoid").fit(oof, outcome)
    fitted = fit_classifier(None, matrix, outcome)
    p = calibrator.transform(positive_score(fitted, encoder.transform(later)))

``Scorer.fit`` does the last four steps; its ``predict(frame)`` or ``score(matrix)`` then gives
calibrated probabilities. A model keeps a Scorer as one attribute, which ``Model.save`` carries
through JSON; an estimator other than the default is refused in words.
``groups`` are codes in the order of the sorted ids, never row numbers, where a result must not
depend on the order of rows. ``gains_table``, ``calibration_table`` and their pictures judge
scores; churn and response hand them on under their own names. ``area_under_curve``,
``average_precision``, ``lift_at``, ``brier_score`` and ``calibration_error`` are single figures,
exact under ties; ``figures`` is all of them.

What a treatment changes is learned in ``effects``, with chances of treatment from ``propensity``,
checked by ``balance`` and scaled by ``effect_line``; rooms import these modules by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._lazy import attach

if TYPE_CHECKING:
    from crmkit._kinds import column_kind
    from crmkit._learn.calibration import Calibrator
    from crmkit._learn.classifier import (
        classifier_from_state,
        classifier_state,
        cross_fitted_scores,
        customer_folds,
        default_classifier,
        fit_classifier,
        positive_score,
    )
    from crmkit._learn.encoder import FeatureEncoder
    from crmkit._learn.gains import calibration_table, gains_table
    from crmkit._learn.judging import (
        area_under_curve,
        average_precision,
        brier_score,
        calibration_error,
        figures,
        lift_at,
    )
    from crmkit._learn.outcomes import read_outcome, with_outcome
    from crmkit._learn.pictures import plot_calibration, plot_gains
    from crmkit._learn.scorer import Scorer, row_fingerprints

__all__ = [
    "Calibrator",
    "FeatureEncoder",
    "Scorer",
    "area_under_curve",
    "average_precision",
    "brier_score",
    "calibration_error",
    "calibration_table",
    "classifier_from_state",
    "classifier_state",
    "column_kind",
    "cross_fitted_scores",
    "customer_folds",
    "default_classifier",
    "figures",
    "fit_classifier",
    "gains_table",
    "lift_at",
    "plot_calibration",
    "plot_gains",
    "positive_score",
    "read_outcome",
    "row_fingerprints",
    "with_outcome",
]

__getattr__, __dir__ = attach(__name__)
