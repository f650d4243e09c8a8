"""Events after which customers behave differently."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import adjust_p_values, starts
from crmkit._checks import check_number, random_generator
from crmkit._progress import steps
from crmkit.churn._report.moment_study import NEVER, Study
from crmkit.churn._table.events import read_events
from crmkit.churn._table.panel import Panel
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Bools

__all__ = ["key_moments"]


def key_moments(
    transactions: Any,
    events: Any,
    *,
    as_of: Any = None,
    before_days: int = 90,
    after_days: int = 90,
    washout_days: int | None = None,
    n_placebos: int = 20,
    confidence_level: float = 0.95,
    random_state: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Measure how behaviour changes after an event, beside what chance and the days before show.

    Orders and spend in the days after an event are compared with those of customers at risk of it
    on that day: without such an event so far, as long since their last purchase, that day's
    included, and with as many orders in the days before. An event that happens at a purchase is so
    compared with other purchases of the same day. The day itself counts on neither side.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; with ``amount`` and ``order_id`` where there are
        such columns. Refunds count as money but not as an order.
    events : DataFrame, mapping or str
        A table of ``customer_id`` and ``date`` of each event, with ``event``, its kind, where
        there are several; or groups of products by name, whose first purchase is the event, for
        example ``{"first baby product": ["nappies", "baby food"]}``; or ``"first refund"``.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    before_days, after_days : int, default 90
        Days compared on either side.
    washout_days : int, optional
        Days without such an event that put a customer at risk again, so that several events of
        one customer count. By default only the first does.
    n_placebos : int, default 20
        Times that as many customers, as recent in their purchases, are drawn in place of those
        with the event, to see what an event that means nothing shows.
    confidence_level : float, default 0.95
        Level of the intervals and of the verdict.
    random_state : int, optional
        Seed of the placebos. Without one they are drawn anew.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        Three rows per kind of event and measure, sorted by both:

        * ``event`` - kind of event.
        * ``measure`` (str) - ``orders``, and ``amount`` where the log has it, per 30 days.
        * ``comparison`` (str) - ``event``; ``placebo``, the drawn customers: their mean effect,
          and the interval in which one draw lies; ``days before``, the second half of the days
          before against the first: what moved already.
        * ``events`` (int) - events compared; of a placebo the mean number.
        * ``incomplete`` (int) - events left out because their customers were none yet when the
          days before began, or because the log does not cover the days after.
        * ``unmatched`` (int) - events left out for want of two comparable customers.
        * ``before`` (float) - mean before; missing if nothing was compared, and of placebos.
        * ``after`` (float) - mean after; missing likewise.
        * ``control_change`` (float) - mean change of comparable customers; missing likewise.
        * ``effect`` (float) - after - before - control_change; missing if nothing was compared.
        * ``std_error`` (float) - its standard error, of a placebo that of one draw; missing with
          fewer than two customers.
        * ``conf_low`` (float) - lower limit; missing likewise.
        * ``conf_high`` (float) - upper limit; missing likewise.
        * ``p_value`` (float) - of no effect; missing likewise, and of placebos.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg over the rows of one comparison;
          missing likewise.
        * ``verdict`` (str) - of the event, in each of its rows: "moves behaviour" if its adjusted
          p-value is below 1 - `confidence_level` and its effect beyond the placebos' interval;
          "was moving before" if that is so but the days before moved the same way; "no more than
          chance" else; "too few to tell" without an error.

        ``attrs["account"]`` counts customers of one table that the other lacks.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If no event has complete days on both sides, or the log has none of the events.

    Notes
    -----
    The comparison removes what all such customers do at that time of the year, and the chance of
    an event that rises with purchases. It does not remove what else leads to the event: who moves
    house may have been about to change anyway. Customers compared may have the event later, as
    that could not be known on the day; leaving them out then would leave out those who buy much.
    What their days after it take off the difference is put back as if the effect were alike on
    all days after (the event of the day as an instrument). The error adds up what each customer
    gave as treated and as control before it squares (cluster-robust).

    References
    ----------
    Li, Y. P., Propert, K. J. and Rosenbaum, P. R. (2001). Balanced risk set matching. *Journal of
    the American Statistical Association* 96(455), 870-882, for controls at risk on the day.

    Daw, J. R. and Hatfield, L. A. (2018). Matching and regression to the mean in
    difference-in-differences analysis. *Health Services Research* 53(6), 4138-4156, for why no
    difference is taken of what was matched.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> log = datasets.make_transactions(1000, random_state=0, refund_share=0.05)["transactions"]
    >>> moments = churn.key_moments(
    ...     log, "first refund", before_days=60, after_days=60, random_state=0
    ... )
    >>> moments.loc[moments["comparison"] == "event", ["event", "measure", "verdict"]]
              event measure               verdict
    0  first refund  amount  no more than chance
    3  first refund  orders  no more than chance
    """
    before = check_number(before_days, "before_days")
    after = check_number(after_days, "after_days")
    washout = None if washout_days is None else check_number(washout_days, "washout_days")
    n_placebos = check_number(n_placebos, "n_placebos")
    level = check_number(confidence_level, "confidence_level")
    rng = random_generator(random_state)
    purchases, names, kind, customer, day = read_events(transactions, events, as_of)
    panel = Panel(purchases)
    known = customer >= 0
    happened = pd.DataFrame({"kind": kind[known], "customer": customer[known], "day": day[known]})
    happened = happened.drop_duplicates().sort_values(["kind", "customer", "day"])
    following = happened.groupby(["kind", "customer"])["day"].shift(-1, fill_value=NEVER)
    happened = happened.assign(following=following)
    studies = []
    for number in range(len(names)):
        first = happened[happened["kind"] == number].drop_duplicates("customer")
        studies.append(Study(panel, before, after, washout, n_placebos, first))
    happened = happened.sort_values(["kind", "day"], kind="stable")
    kinds, days = happened["kind"].to_numpy(), happened["day"].to_numpy()
    cuts = [*np.flatnonzero(starts(kinds, days)).tolist(), len(happened)]
    for low, high in steps(list(itertools.pairwise(cuts)), "key moments", progress):
        studies[kinds[low]].add(int(days[low]), happened.iloc[low:high], rng)
    if not any(study.total for study in studies):
        raise InputError(
            f"`events` has no event with {before} days before and {after} days after it in "
            "`transactions`. Choose shorter windows."
        )
    found = [
        {"event": name, **row}
        for name, study in zip(names, studies, strict=True)
        for row in study.rows(level)
    ]
    report = pd.DataFrame(found)
    for comparison in ("event", "days before"):
        mine = (report["comparison"] == comparison).to_numpy()
        report.loc[mine, "p_adjusted"] = adjust_p_values(report.loc[mine, "p_value"].to_numpy())
    report["verdict"] = np.repeat(_verdicts(report, 1 - level), 3)
    return purchases.noted(report)


def _verdicts(report: pd.DataFrame, alpha: float) -> Any:
    """Return one verdict per event and measure, from its three rows."""
    event, placebo, trend = (report.iloc[start::3].reset_index(drop=True) for start in range(3))
    effect = event["effect"]
    inside: Bools = effect.between(placebo["conf_low"], placebo["conf_high"]).to_numpy()
    found = (event["p_adjusted"] < alpha).to_numpy() & ~inside
    same_way = np.sign(trend["effect"]) == np.sign(effect)
    moving = found & (trend["p_value"] < alpha).to_numpy() & same_way.to_numpy()
    return np.select(
        [event["std_error"].isna().to_numpy(), moving, found],
        ["too few to tell", "was moving before", "moves behaviour"],
        default="no more than chance",
    )
