"""How well scores find responders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit._checks import check_number
from crmkit._learn import gains_frame
from crmkit.response._table import judged_scores

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["gains_table"]


def gains_table(
    customers: Any,
    scores: Any,
    *,
    outcome: str = "responded",
    score: str | None = None,
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Table response by tenths of the customers, best scores first.

    Customers with equal scores always share a row, so a score that tells little makes fewer and
    larger rows instead of an order by chance; a constant score makes one row with lift 1.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id`` and the outcome. Customers whose outcome is
        missing were not contacted and are left out.
    scores : DataFrame
        ``customer_id`` and a score, from any source; higher means likelier to respond.
    outcome : str, default "responded"
        Column of `customers` with 1 for a response and 0 for none.
    score : str, optional
        Column of `scores`. The default is the one named ``p_response``, ``uplift``, ``p_churn``
        or ``score``.
    n_bins : int, default 10
        Number of rows aimed at: 10 for deciles, 20 or 100 for finer.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per part, best first:

        * ``decile`` (int) - 1 for the best part.
        * ``customers`` (int) - contacted customers in the part.
        * ``responders`` (int) - those who responded.
        * ``rate`` (float) - responders / customers.
        * ``conf_low``, ``conf_high`` (float) - Wilson's interval of the rate.
        * ``lift`` (float) - rate / rate of all.
        * ``score_low``, ``score_high`` (float) - range of the scores in the part.
        * ``cumulative_share_customers`` (float) - share of customers down to here.
        * ``cumulative_share_responders`` (float) - share of responders found: the gain.
        * ``cumulative_lift`` (float) - gain / share of customers.
        * ``ks`` (float) - share of responders less share of others found; its maximum is the
          Kolmogorov-Smirnov distance.

    Raises
    ------
    InputError
        If nobody responded, a score is missing, or the scores come from a model that learned
        from these very rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame({"customer_id": range(8), "responded": [1, 1, 0, 1, 0, 0, 0, 0]})
    >>> scores = pd.DataFrame(
    ...     {"customer_id": range(8), "p_response": [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1]}
    ... )
    >>> gains = response.gains_table(customers, scores, n_bins=4)
    >>> gains[["decile", "customers", "responders", "rate", "cumulative_share_responders"]].round(3)
       decile  customers  responders  rate  cumulative_share_responders
    0       1          2           2   1.0                        0.667
    1       2          2           1   0.5                        1.000
    2       3          2           0   0.0                        1.000
    3       4          2           0   0.0                        1.000
    """
    n_bins = check_number(n_bins, "n_bins", low=2, integer=True)
    check_number(confidence_level, "confidence_level")
    _, marks, result = judged_scores(customers, scores, outcome, score)
    return gains_frame(
        marks,
        result,
        n_bins=n_bins,
        confidence_level=confidence_level,
        labels=("decile", "responders", "rate"),
    )
