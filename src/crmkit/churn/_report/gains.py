"""How well scores rank customers, and how true they are as probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit._checks import check_number
from crmkit._frames import read_customers
from crmkit._learn import binary_outcome, calibration_frame, gains_frame, matched_scores

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats


__all__ = ["calibration_table", "gains_table"]


def gains_table(
    customers: Any,
    scores: Any,
    *,
    outcome: str = "churned",
    score: str = "p_churn",
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Say how many of those who left each tenth of the score holds, from the highest down.

    Customers of equal score stay together, so the result never depends on the order of rows; a
    tenth that nobody falls in is left out, and a constant score gives one row of lift 1.

    Parameters
    ----------
    customers : DataFrame
        ``customer_id``, ``as_of`` where there are several snapshots, and the outcome.
    scores : DataFrame
        ``customer_id``, ``as_of`` likewise, and the score, for at least these customers. For the
        table a model was fitted on take the model's ``scores_``, which are out of fold.
    outcome : str, default "churned"
        Column of `customers` with 1 for those who left, 0 for those who stayed.
    score : str, default "p_churn"
        Column of `scores`; the higher, the likelier to leave.
    n_bins : int, default 10
        Number of parts of equal size; 10 makes deciles.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per part of the score, best first:

        * ``decile`` (int) - 1 for the highest scores.
        * ``customers`` (int) - number of rows.
        * ``churners`` (int) - those of them who left.
        * ``churn_rate`` (float) - their share.
        * ``conf_low`` (float) - lower limit of the rate (Wilson).
        * ``conf_high`` (float) - upper limit.
        * ``lift`` (float) - rate over the rate of all.
        * ``score_low`` (float) - lowest score of the part.
        * ``score_high`` (float) - highest score of the part.
        * ``cumulative_share_customers`` (float) - share of all rows down to here.
        * ``cumulative_share_churners`` (float) - share of all churners down to here.
        * ``cumulative_lift`` (float) - the second over the first.
        * ``ks`` (float) - share of churners minus share of others down to here; its maximum is
          the Kolmogorov-Smirnov distance.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a customer has no score or two, or nobody left.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "churned": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3, 4], "p_churn": [0.9, 0.2, 0.6, 0.1]})
    >>> gains = gains_table(customers, scores, n_bins=2)
    >>> gains[["decile", "customers", "churners", "lift", "ks"]]
       decile  customers  churners  lift   ks
    0       1          2         2   2.0  1.0
    1       2          2         0   0.0  0.0
    """
    n_bins = check_number(n_bins, "n_bins", low=1, integer=True)
    check_number(confidence_level, "confidence_level")
    values, result = _judged(customers, scores, outcome, score)
    return gains_frame(
        values,
        result,
        n_bins=n_bins,
        confidence_level=confidence_level,
        labels=("decile", "churners", "churn_rate"),
    )


def calibration_table(
    customers: Any,
    scores: Any,
    *,
    outcome: str = "churned",
    score: str = "p_churn",
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare predicted probabilities with the share of customers who left.

    Parameters
    ----------
    customers : DataFrame
        ``customer_id``, ``as_of`` where there are several snapshots, and the outcome.
    scores : DataFrame
        ``customer_id``, ``as_of`` likewise, and the probability, for at least these customers.
    outcome : str, default "churned"
        Column of `customers` with 1 for those who left, 0 for those who stayed.
    score : str, default "p_churn"
        Column of `scores` with the probability.
    n_bins : int, default 10
        Number of parts of equal size.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per part of the prediction, lowest first:

        * ``bin`` (int) - 1 for the lowest probabilities.
        * ``customers`` (int) - number of rows.
        * ``p_churn`` (float) - mean predicted probability.
        * ``churn_rate`` (float) - share that left.
        * ``conf_low`` (float) - lower limit of the share (Wilson).
        * ``conf_high`` (float) - upper limit.
        * ``difference`` (float) - share minus prediction.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a customer has no score or two.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "churned": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3, 4], "p_churn": [0.75, 0.25, 0.75, 0.25]})
    >>> table = calibration_table(customers, scores, n_bins=2)
    >>> table[["bin", "p_churn", "churn_rate", "difference"]]
       bin  p_churn  churn_rate  difference
    0    1     0.25         0.0       -0.25
    1    2     0.75         1.0        0.25
    """
    n_bins = check_number(n_bins, "n_bins", low=1, integer=True)
    check_number(confidence_level, "confidence_level")
    values, result = _judged(customers, scores, outcome, score)
    return calibration_frame(
        values,
        result,
        n_bins=n_bins,
        confidence_level=confidence_level,
        labels=("p_churn", "churn_rate"),
    )


def _judged(customers: Any, scores: Any, outcome: str, score: str) -> tuple[Floats, Floats]:
    """Return score and outcome of each row of `customers`."""
    frame = read_customers(customers, needs=[outcome], unique=False)
    scored = read_customers(scores, needs=[score], name="scores", unique=False)
    both = "as_of" in frame.columns and "as_of" in scored.columns
    keys = ("customer_id", "as_of") if both else ("customer_id",)
    return matched_scores(frame, scored, score, keys=keys), binary_outcome(frame, outcome)
