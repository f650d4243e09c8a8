"""What a contact is expected to earn by keeping a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit._frames import number_or_column
from crmkit._learn.outcomes import read_snapshots
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["save_gain"]

_EITHER = (
    "Give either `uplift`, what a contact adds to the chance to stay, or `save_rate`, the chance "
    "that it keeps one who would leave, with `p_churn`"
)


def save_gain(
    customers: Any,
    *,
    uplift: float | str | None = None,
    p_churn: float | str | None = None,
    save_rate: float | str | None = None,
    value: float | str = "value",
    contact_cost: float | str = 0.0,
) -> pd.DataFrame:
    """Say what contacting each customer is expected to earn by keeping them.

    A contact that reaches somebody who would have stayed keeps nobody. What counts is what it adds
    to the chance to stay: the uplift. A campaign with a control group shows it, customer by
    customer (``WinBackModel``, or ``UpliftModel`` of the response room). Without such a model it
    is the chance to leave times the chance that a contact keeps one who would leave. Never both:
    an uplift contains the chance to leave already.

    Nobody is contacted here. ``select_targets`` of the response room takes the result as its
    scores and decides, with consent, within a budget, and with a hold-out.

    Parameters
    ----------
    customers : DataFrame
        One row per ``customer_id``, or per ``customer_id`` and ``treatment`` as a model of several
        offers gives them.
    uplift : float or str, optional
        What a contact adds to the chance to stay, for all or as a column.
    p_churn : float or str, optional
        Probability to leave if not contacted, for all or as a column. The default, with a
        `save_rate`, is the column ``p_churn``.
    save_rate : float or str, optional
        Chance that a contact keeps one who would leave, for all or as a column. Measure it against
        a control group: 1 - churn rate of those contacted / churn rate of the control group.
    value : float or str, default "value"
        Value that is lost with the customer: what the customer will still be worth if kept, not
        what was spent so far. Clip it at 0: nobody is worth keeping at a loss.
    contact_cost : float or str, default 0
        Cost of contacting one customer, offer included, for all or as a column.

    Returns
    -------
    pandas.DataFrame
        One row per row of `customers`, in their order:

        * ``customer_id`` - as given.
        * ``treatment`` - as given, only where `customers` has it.
        * ``uplift`` (float) - what a contact adds to the chance to stay.
        * ``value`` (float) - value at stake.
        * ``contact_cost`` (float) - cost of the contact.
        * ``expected_gain`` (float) - uplift x value - contact cost.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If uplift and save rate are both given or neither, a chance lies outside its range, or a
        value or cost is below 0.

    References
    ----------
    Neslin, S. A., Gupta, S., Kamakura, W., Lu, J. and Mason, C. H. (2006). Defection detection.
    *Journal of Marketing Research* 43(2), 204-211, for the profit of a campaign.

    Ascarza, E. (2018). Retention futility: targeting high-risk customers might be ineffective.
    *Journal of Marketing Research* 55(1), 80-98, for the uplift in place of the risk.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import response
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob", "cas"],
    ...         "p_churn": [0.5, 0.1, 0.9],
    ...         "value": [400.0, 400.0, 100.0],
    ...         "email_consent": [True, True, False],
    ...     }
    ... )
    >>> gain = save_gain(customers, save_rate=0.3, contact_cost=20)
    >>> gain[["customer_id", "uplift", "expected_gain"]].round(2)
      customer_id  uplift  expected_gain
    0         ann    0.15           40.0
    1         bob    0.03           -8.0
    2         cas    0.27            7.0
    >>> response.select_targets(
    ...     customers, gain, consent="email_consent", value="value", contact_cost=20,
    ...     holdout_share=0,
    ... )[["customer_id", "decision", "reason"]]
      customer_id    decision                 reason
    0         ann     contact               selected
    1         bob  no contact  not worth the contact
    2         cas  no contact              opted out
    """
    if uplift is None and save_rate is None:
        raise InputError(f"{_EITHER}: neither is given.")
    if uplift is not None and (save_rate is not None or p_churn is not None):
        raise InputError(
            f"{_EITHER}, never both: an uplift contains the chance to leave already, and would be "
            "multiplied with it once more."
        )
    if isinstance(save_rate, str) and "uplift" in save_rate:
        raise InputError(
            f"`save_rate` names the column {save_rate!r}. An uplift contains the chance to leave "
            f"already, a save rate does not: give it as uplift={save_rate!r}, without `p_churn`."
        )
    people = read_snapshots(customers, second="treatment")
    if uplift is not None:
        added = number_or_column(uplift, people, "uplift")
    else:
        leaving = "p_churn" if p_churn is None else p_churn
        added = number_or_column(leaving, people, "p_churn")
        added = added * number_or_column(save_rate, people, "save_rate")
    worth = number_or_column(value, people, "value")
    cost = number_or_column(contact_cost, people, "contact_cost")
    keys = [name for name in ("customer_id", "treatment") if name in people.columns]
    return people[keys].assign(
        uplift=added, value=worth, contact_cost=cost, expected_gain=added * worth - cost
    )
