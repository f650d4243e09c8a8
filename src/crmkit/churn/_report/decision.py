"""Whom to contact so that keeping customers earns more than it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import read_customers
from crmkit._learn import read_outcome
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats


__all__ = ["contact_decision", "contact_profit"]


def contact_decision(
    customers: Any,
    *,
    save_rate: float | str,
    contact_cost: float | str,
    value: str = "value",
    p: str = "p_churn",
) -> pd.DataFrame:
    """Contact a customer where the loss expected to be averted exceeds the cost of the contact.

    Parameters
    ----------
    customers : DataFrame
        One row per ``customer_id`` with the probability to churn and the value that is lost with
        the customer.
    save_rate : float or str
        Chance that a contact keeps a customer who would leave, or the column that holds it.
        Measure it with a hold-out (``WinBackModel``, or ``campaign_result`` of the response
        room); a guess here decides everything.
    contact_cost : float or str
        Cost of contacting one customer, offer included, or the column that holds it.
    value : str, default "value"
        Column with the value at stake: what the customer will still be worth if kept, not what
        was spent so far. Customers of negative value are never worth keeping.
    p : str, default "p_churn"
        Column with the probability to churn.

    Returns
    -------
    pandas.DataFrame
        One row per row of `customers`, in their order:

        * ``customer_id`` - as given.
        * ``p_churn`` (float) - probability to churn.
        * ``value`` (float) - value at stake.
        * ``save_rate`` (float) - chance that a contact keeps one who would leave.
        * ``contact_cost`` (float) - cost of the contact.
        * ``expected_gain`` (float) - p_churn x save_rate x value - contact_cost.
        * ``contact`` (bool) - whether the expected gain is above 0.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a probability or rate lies outside 0 and 1, or a cost is below 0.

    See Also
    --------
    contact_profit : What this rule earns beside simpler ones.

    References
    ----------
    Neslin, S. A., Gupta, S., Kamakura, W., Lu, J. and Mason, C. H. (2006). Defection detection.
    *Journal of Marketing Research* 43(2), 204-211, for the profit of a campaign.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {"customer_id": ["ann", "bob"], "p_churn": [0.5, 0.1], "value": [400.0, 400.0]}
    ... )
    >>> decision = contact_decision(customers, save_rate=0.3, contact_cost=20)
    >>> decision[["customer_id", "expected_gain", "contact"]]
      customer_id  expected_gain  contact
    0         ann           40.0     True
    1         bob           -8.0    False
    """
    named = [name for name in (save_rate, contact_cost) if isinstance(name, str)]
    frame = read_customers(customers, needs=[p, value, *named])
    problems = Problems("customers")
    chance = _probability(frame, p, problems)
    worth = number_array(frame[value], problems, value)
    if isinstance(save_rate, str):
        saved = _probability(frame, save_rate, problems)
    else:
        saved = np.full(len(frame), check_number(save_rate, "save_rate") + 0.0)
    if isinstance(contact_cost, str):
        cost = number_array(frame[contact_cost], problems, contact_cost, low=0)
    else:
        cost = np.full(len(frame), check_number(contact_cost, "contact_cost") + 0.0)
    problems.raise_if_any()
    gain = chance * saved * worth - cost
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "p_churn": chance,
            "value": worth,
            "save_rate": saved,
            "contact_cost": cost,
            "expected_gain": gain,
            "contact": gain > 0,
        }
    )


def contact_profit(
    decisions: Any, *, thresholds: tuple[float, ...] = (0.5,), outcome: str | None = None
) -> pd.DataFrame:
    """Compare the profit of contacting customer by customer with simpler rules.

    Parameters
    ----------
    decisions : DataFrame
        What ``contact_decision`` made, with an outcome column joined to it if there is one.
    thresholds : tuple of float, default (0.5,)
        Rules that contact everyone whose probability is at least this high.
    outcome : str, optional
        Column with 1 for customers who left without being contacted, 0 for those who stayed.
        With it the table also says what each rule would have earned.

    Returns
    -------
    pandas.DataFrame
        One row per rule:

        * ``rule`` (str) - ``per customer`` (the decision), ``best threshold`` (the one
          probability with the highest expected profit), ``p >= ...`` for each of `thresholds`,
          ``everyone``, ``nobody``, and, with `outcome`, ``hindsight`` (contact exactly those
          where it pays).
        * ``threshold`` (float) - the probability from which the rule contacts; missing where it
          is not one.
        * ``contacted`` (int) - customers contacted.
        * ``cost`` (float) - cost of contacting them.
        * ``expected_profit`` (float) - expected gain, cost deducted.
        * ``realised_profit`` (float) - the same with the outcome in the place of the
          probability; only with `outcome`.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If a probability lies outside 0 and 1, or the outcome is not 0 or 1.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {"customer_id": ["ann", "bob"], "p_churn": [0.5, 0.1], "value": [400.0, 400.0]}
    ... )
    >>> decisions = contact_decision(customers, save_rate=0.3, contact_cost=20)
    >>> contact_profit(decisions)[["rule", "contacted", "expected_profit"]]
                 rule  contacted  expected_profit
    0    per customer          1             40.0
    1  best threshold          1             40.0
    2        p >= 0.5          1             40.0
    3        everyone          2             32.0
    4          nobody          0              0.0
    """
    limits = [check_number(limit, "thresholds") for limit in thresholds]
    needs = ["p_churn", "value", "save_rate", "contact_cost"]
    needs = needs if outcome is None else [*needs, outcome]
    frame = read_customers(decisions, needs=needs, name="decisions")
    problems = Problems("decisions")
    chance = _probability(frame, "p_churn", problems)
    saved = _probability(frame, "save_rate", problems)
    worth = number_array(frame["value"], problems, "value")
    cost = number_array(frame["contact_cost"], problems, "contact_cost", low=0)
    problems.raise_if_any()
    expected = chance * saved * worth - cost
    rules: list[tuple[str, float, Bools]] = [("per customer", np.nan, expected > 0)]
    best = _best_threshold(chance, expected)
    rules.append(("best threshold", best, chance >= best))
    rules += [(f"p >= {limit:g}", limit, chance >= limit) for limit in limits]
    rules.append(("everyone", 0.0, np.ones(len(frame), dtype=bool)))
    rules.append(("nobody", np.nan, np.zeros(len(frame), dtype=bool)))
    realised = None
    if outcome is not None:
        left = read_outcome(frame, outcome, name="decisions")
        if np.isnan(left).any():
            raise InputError(f"`decisions`: column {outcome!r} is missing in some rows.")
        realised = left * saved * worth - cost
        rules.append(("hindsight", np.nan, realised > 0))
    rows = []
    for rule, threshold, chosen in rules:
        row: dict[str, Any] = {
            "rule": rule,
            "threshold": threshold,
            "contacted": int(chosen.sum()),
            "cost": float(cost[chosen].sum()),
            "expected_profit": float(expected[chosen].sum()),
        }
        if realised is not None:
            row["realised_profit"] = float(realised[chosen].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def _probability(frame: pd.DataFrame, column: str, problems: Problems) -> Floats:
    """Return a column of probabilities and note those outside 0 and 1."""
    values = number_array(frame[column], problems, column, low=0)
    problems.rows(
        values > 1,
        f"column {column!r} is above 1",
        do="Give probabilities, not percentages.",
        values=values.tolist(),
    )
    return values


def _best_threshold(chance: Floats, expected: Floats) -> float:
    """Return the probability from which on contacting everyone earns most; inf for nobody."""
    limits, codes = np.unique(-chance, return_inverse=True)
    profit = np.cumsum(np.bincount(codes, weights=expected, minlength=limits.size))
    at = int(np.argmax(profit))
    return float(-limits[at]) if profit[at] > 0 else float("inf")
