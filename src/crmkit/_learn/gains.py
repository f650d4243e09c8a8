"""How well scores rank customers, and how true they are as probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import rank_bins, wilson_interval
from crmkit._checks import Problems, check_number
from crmkit._frames import with_account
from crmkit._learn.clusters import Clusters
from crmkit._learn.judged import judged_scores
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["calibration_table", "gains_frame", "gains_table"]

_PROBABILITIES = ("p_churn", "p_response")


def gains_table(
    customers: Any,
    scores: Any,
    *,
    outcome: str | None = None,
    score: str | None = None,
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Say how many of those with the outcome each tenth of the score holds, best scores first.

    Customers of equal score stay together, so the result never depends on the order of rows; a
    tenth that nobody falls in is left out, and a constant score gives one row of lift 1.

    Parameters
    ----------
    customers : DataFrame
        ``customer_id``, ``as_of`` where there are several snapshots, and the outcome. Rows whose
        outcome is missing are left out and counted in ``attrs["account"]``.
    scores : DataFrame
        ``customer_id``, ``as_of`` likewise, and the score, for at least these customers; from any
        source. For the table a model was fitted on take the model's ``scores_``, which are out of
        fold.
    outcome : str, optional
        Column with the outcome: 1 for those who left or responded, 0 for the others. The
        default is the one named ``churned`` or ``responded``.
    score : str, optional
        Column of `scores`; the higher, the likelier. The default is the one named ``uplift``,
        ``p_response``, ``p_churn`` or ``score``.
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
        * ``positives`` (int) - those of them with the outcome.
        * ``rate`` (float) - their share.
        * ``conf_low`` (float) - lower limit of the rate (Wilson).
        * ``conf_high`` (float) - upper limit.
        * ``lift`` (float) - rate over the rate of all.
        * ``score_low`` (float) - lowest score of the part.
        * ``score_high`` (float) - highest score of the part.
        * ``cumulative_share_customers`` (float) - share of all rows down to here.
        * ``cumulative_share_positives`` (float) - share of all positives down to here: the gain.
        * ``cumulative_lift`` (float) - the second over the first.
        * ``ks`` (float) - share of positives minus share of others down to here; its maximum is
          the Kolmogorov-Smirnov distance.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a customer has no score or two, nobody has the outcome, or the scores come from a model
        that learned from these very rows.

    Notes
    -----
    Several snapshots of one customer count as what they are worth: the intervals are Wilson's for
    as many independent rows (Korn and Graubard 1998), which with one row each changes nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "churned": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3, 4], "p_churn": [0.9, 0.2, 0.6, 0.1]})
    >>> gains = churn.gains_table(customers, scores, n_bins=2)
    >>> gains[["decile", "customers", "positives", "lift", "ks"]]
       decile  customers  positives  lift   ks
    0       1          2          2   2.0  1.0
    1       2          2          0   0.0  0.0
    """
    n_bins = check_number(n_bins, "n_bins")
    confidence_level = check_number(confidence_level, "confidence_level")
    judged = judged_scores(customers, scores, outcome, score)
    table = gains_frame(
        judged.score,
        judged.outcome,
        judged.customer,
        n_bins=n_bins,
        confidence_level=confidence_level,
    )
    return with_account(table, judged.account)


def calibration_table(
    customers: Any,
    scores: Any,
    *,
    outcome: str | None = None,
    score: str | None = None,
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare predicted probabilities with the share of customers who had the outcome.

    Parameters
    ----------
    customers : DataFrame
        ``customer_id``, ``as_of`` where there are several snapshots, and the outcome. Rows whose
        outcome is missing are left out and counted in ``attrs["account"]``.
    scores : DataFrame
        ``customer_id``, ``as_of`` likewise, and the probability, for at least these customers.
    outcome : str, optional
        Column with the outcome: 1 for those who left or responded, 0 for the others. The
        default is the one named ``churned`` or ``responded``.
    score : str, optional
        Column of `scores` with the probability. The default is the one named ``p_churn`` or
        ``p_response``.
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
        * ``p_predicted`` (float) - mean predicted probability.
        * ``rate`` (float) - share that had the outcome.
        * ``conf_low`` (float) - lower limit of the share (Wilson).
        * ``conf_high`` (float) - upper limit.
        * ``difference`` (float) - share minus prediction.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a customer has no score or two, a score is no probability, or the scores come from a
        model that learned from these very rows.

    Notes
    -----
    Several snapshots of one customer count as what they are worth: the intervals are Wilson's for
    as many independent rows (Korn and Graubard 1998), which with one row each changes nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> customers = pd.DataFrame({"customer_id": [1, 2, 3, 4], "churned": [1, 0, 1, 0]})
    >>> scores = pd.DataFrame({"customer_id": [1, 2, 3, 4], "p_churn": [0.75, 0.25, 0.75, 0.25]})
    >>> table = churn.calibration_table(customers, scores, n_bins=2)
    >>> table[["bin", "p_predicted", "rate", "difference"]]
       bin  p_predicted  rate  difference
    0    1         0.25   0.0       -0.25
    1    2         0.75   1.0        0.25
    """
    n_bins = check_number(n_bins, "n_bins")
    confidence_level = check_number(confidence_level, "confidence_level")
    judged = judged_scores(customers, scores, outcome, score, known=_PROBABILITIES)
    problems = Problems("scores")
    problems.rows(
        (judged.score < 0) | (judged.score > 1),
        f"column {judged.name!r} is no probability from 0 to 1",
        do="Give probabilities; of any other score gains_table tells how well it ranks.",
        values=judged.score.tolist(),
    )
    problems.raise_if_any()
    table = _calibration_frame(
        judged.score,
        judged.outcome,
        judged.customer,
        n_bins=n_bins,
        confidence_level=confidence_level,
    )
    return with_account(table, judged.account)


def gains_frame(
    score: Floats,
    outcome: Floats,
    customer: Ints | None = None,
    *,
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Table outcomes, (n,) of 0.0 and 1.0, by bins of the score (n,), best first.

    `customer` (n,) are codes from 0 of whose rows they are; by default each is another's.

    A bin is 1 + floor(n_bins x share of customers scored strictly higher), so equal scores stay
    together and a bin that nobody falls in is left out.
    """
    if not score.size or outcome.sum() == 0:
        raise InputError("Gains need at least one customer with the outcome; there is none.")
    present, codes = np.unique(rank_bins(-score, n_bins), return_inverse=True)
    customers = np.bincount(codes).astype(np.int64)
    positives = np.bincount(codes, weights=outcome)
    low, high = _limits(codes, outcome, customer, confidence_level)
    order = np.lexsort((score, codes))
    last = np.cumsum(customers) - 1
    share_customers = np.cumsum(customers) / score.size
    share_positives = np.cumsum(positives) / outcome.sum()
    share_others = np.cumsum(customers - positives) / max(score.size - outcome.sum(), 1.0)
    return pd.DataFrame(
        {
            "decile": present + 1,
            "customers": customers,
            "positives": positives.astype(np.int64),
            "rate": positives / customers,
            "conf_low": low,
            "conf_high": high,
            "lift": positives / customers / outcome.mean(),
            "score_low": score[order[last - customers + 1]],
            "score_high": score[order[last]],
            "cumulative_share_customers": share_customers,
            "cumulative_share_positives": share_positives,
            "cumulative_lift": share_positives / share_customers,
            "ks": share_positives - share_others,
        }
    )


def _calibration_frame(
    predicted: Floats, outcome: Floats, customer: Ints, *, n_bins: int, confidence_level: float
) -> pd.DataFrame:
    """Compare probabilities (n,) with outcomes (n,) of 0.0 and 1.0 in bins of equal numbers."""
    present, codes = np.unique(rank_bins(predicted, n_bins), return_inverse=True)
    customers = np.bincount(codes)
    positives = np.bincount(codes, weights=outcome)
    expected = np.bincount(codes, weights=predicted) / customers
    low, high = _limits(codes, outcome, customer, confidence_level)
    return pd.DataFrame(
        {
            "bin": present + 1,
            "customers": customers,
            "p_predicted": expected,
            "rate": positives / customers,
            "conf_low": low,
            "conf_high": high,
            "difference": positives / customers - expected,
        }
    )


def _limits(
    codes: Ints, outcome: Floats, customer: Ints | None, confidence_level: float
) -> tuple[Floats, Floats]:
    """Return Wilson's limits of the rate of each bin, shapes (m,), for rows of customers."""
    if customer is not None:
        return Clusters.of(customer, codes).rate_limits(outcome, confidence_level)
    return wilson_interval(
        np.bincount(codes, weights=outcome), np.bincount(codes), confidence_level
    )
