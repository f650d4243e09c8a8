"""Events after which customers behave differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arrays import adjust_p_values, normal_quantile, order_by, starts
from crmkit._checks import Problems, check_number
from crmkit._frames import day_numbers, read_customers, rows_of, sorted_codes, without
from crmkit._log import first_and_last, order_days, read_log
from crmkit._progress import steps
from crmkit.churn._math.moments import count_bins, pooled_effect, stratified_differences
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints


__all__ = ["key_moments"]

_PER = 30.0


def key_moments(
    transactions: Any,
    events: Any,
    *,
    as_of: Any = None,
    before_days: int = 90,
    after_days: int = 90,
    n_strata: int = 4,
    confidence_level: float = 0.95,
    progress: bool = False,
) -> pd.DataFrame:
    """Measure how behaviour changes after an event, against customers without it at that date.

    Each customer's orders and spend after the first event of a kind are compared with those
    before it, and this change with the change, over the same days, of customers who had no such
    event until those days were over but bought as much and as recently before (difference in
    differences within strata). The day of the event itself counts on neither side.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; with ``amount`` and ``order_id`` where there are
        such columns. Refunds count as money but not as an order.
    events : DataFrame
        ``customer_id`` and ``date`` of each event; with ``event``, its kind, where there are
        several. ``first_events`` finds some in the log itself.
    as_of : str or datetime-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    before_days, after_days : int, default 90
        Days compared on either side.
    n_strata : int, default 4
        Parts of equal size by orders before the date, and again by the last purchase before it;
        customers are compared within the same part of both.
    confidence_level : float, default 0.95
        Level of the intervals.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per kind of event and measure, sorted by both:

        * ``event`` - kind of event.
        * ``measure`` (str) - ``orders``, and ``amount`` where the log has it, per 30 days.
        * ``customers`` (int) - customers compared.
        * ``incomplete`` (int) - customers left out because they were no customers yet when the
          days before began, or because the log does not cover the days after.
        * ``unmatched`` (int) - customers left out for want of two comparable others.
        * ``before`` (float) - mean before the event; missing if nobody was compared.
        * ``after`` (float) - mean after it; missing if nobody was compared.
        * ``control_change`` (float) - mean change of comparable customers; missing likewise.
        * ``effect`` (float) - after - before - control_change; missing likewise.
        * ``std_error`` (float) - its standard error; missing with fewer than two customers.
        * ``conf_low`` (float) - lower limit; missing likewise.
        * ``conf_high`` (float) - upper limit; missing likewise.
        * ``p_value`` (float) - of no effect; missing likewise.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg over all rows; missing likewise.

        ``attrs["account"]`` counts customers of one table that the other lacks.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If no event has complete days on both sides.

    Notes
    -----
    The comparison removes what all such customers do at that time of the year. It does not
    remove what leads to the event: who moves house may have been about to change anyway. Nor
    does it hold for events that are purchases themselves, such as the first of a product: they
    pick customers who are buying, and an effect is found where there is none in nearly every
    log. The error takes customers as independent and their controls as known up to sampling.

    References
    ----------
    Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time
    periods. *Journal of Econometrics* 225(2), 200-230, for customers not yet treated as controls.

    Examples
    --------
    >>> from crmkit import churn, datasets
    >>> log = datasets.make_transactions(1000, random_state=0, refund_share=0.05)["transactions"]
    >>> events = churn.first_events(log)
    >>> moments = churn.key_moments(log, events, before_days=60, after_days=60)
    >>> moments[["event", "measure"]]
              event measure
    0  first refund  amount
    1  first refund  orders
    """
    before = check_number(before_days, "before_days")
    after = check_number(after_days, "after_days")
    n_strata = check_number(n_strata, "n_strata")
    level = check_number(confidence_level, "confidence_level")
    purchases = read_log(transactions, optional=("order_id",), as_of=as_of)
    log = purchases.rows
    windows = _Windows(purchases, before, after, n_strata)
    frame = read_customers(events, needs=["date"], optional=["event"], name="events", unique=False)
    problems = Problems("events")
    day = day_numbers(frame["date"], problems, "date")
    kinds, names = np.zeros(len(frame), dtype=np.int64), pd.Index(["event"])
    if "event" in frame.columns:
        kinds, names = sorted_codes(frame["event"])
    problems.rows(kinds < 0, "column 'event' is missing", do="Name or drop these events first.")
    problems.raise_if_any()
    ids, _ = sorted_codes(frame["customer_id"])
    code = rows_of(
        frame["customer_id"],
        log.customer_ids,
        name="events",
        other="transactions",
        account=purchases.account,
    )
    purchases.account["transactions_unmatched"] = without(code, log.n_customers)
    rows: list[dict[str, Any]] = []
    for kind, name in enumerate(steps(names, "key moments", progress)):
        mine = kinds == kind
        rows += _one_kind(windows, name, code[mine], day[mine], ids[mine])
    if not any(row["customers"] for row in rows):
        raise InputError(
            f"`events` has no event with {before} days before and {after} days after it in "
            "`transactions`. Choose shorter windows."
        )
    report = pd.DataFrame(rows).sort_values(["event", "measure"], kind="stable", ignore_index=True)
    error = report["std_error"].to_numpy()
    effect = report["effect"].to_numpy()
    z = normal_quantile(level)
    report["conf_low"], report["conf_high"] = effect - z * error, effect + z * error
    ratio = np.divide(np.abs(effect), error, out=np.full(len(effect), np.nan), where=error > 0)
    p = 2 * special.ndtr(-ratio)
    # No spread at all: an effect is then certain, and its absence too.
    report["p_value"] = np.where(error == 0, np.where(effect == 0, 1.0, 0.0), p)
    report["p_adjusted"] = adjust_p_values(report["p_value"].to_numpy())
    return purchases.noted(report)


class _Windows:
    """Totals per customer in the days before and after any date."""

    def __init__(self, purchases: PurchaseLog, before: int, after: int, n_strata: int) -> None:
        self.before, self.after, self.n_strata = before, after, n_strata
        log = purchases.rows
        amount = log.amount if log.has("amount") else None
        orders = order_days(log.customer, log.day, log.order, amount, purchases.bought)
        by_day = np.argsort(orders.day, kind="stable")
        self.day, self.customer = orders.day[by_day], orders.customer[by_day]
        self.purchase = orders.purchase[by_day]
        self.values = {"orders": orders.starts[by_day].astype(np.float64)}
        if orders.amount is not None:
            self.values["amount"] = orders.amount[by_day]
        self.n, self.last_day = log.n_customers, log.as_of
        self.since, _ = first_and_last(log, purchases.bought)
        self.first_day = int(self.since.min())

    def totals(self, first: int, last: int) -> dict[str, Floats]:
        """Return totals per customer and measure over the days from `first` to `last`."""
        low, high = np.searchsorted(self.day, [first, last + 1])
        who = self.customer[low:high]
        return {
            name: np.bincount(who, weights=values[low:high], minlength=self.n).astype(np.float64)
            for name, values in self.values.items()
        }

    def strata(self, date: int, orders: Floats, eligible: Ints) -> Ints:
        """Return a stratum per eligible customer: orders before the date, and the last of them."""
        low, high = np.searchsorted(self.day, [date - self.before, date])
        rows = low + np.flatnonzero(self.purchase[low:high])
        last = np.full(self.n, -1, dtype=np.int64)
        last[self.customer[rows]] = self.day[rows]
        by_orders = count_bins(orders[eligible].astype(np.int64), self.n_strata)
        since = np.maximum(last[eligible] - (date - self.before) + 1, 0)
        return by_orders * self.n_strata + count_bins(since, self.n_strata)


def _one_kind(
    windows: _Windows, name: Any, code: Ints, day: Ints, ids: Ints
) -> list[dict[str, Any]]:
    """Compare the customers of one kind of event, one row per measure."""
    order = order_by(ids, day)
    first = order[starts(ids[order])]
    whole = (day[first] - windows.before >= windows.first_day) & (
        day[first] + windows.after <= windows.last_day
    )
    whole &= code[first] >= 0
    whole[whole] = windows.since[code[first[whole]]] <= day[first[whole]] - windows.before
    used = first[whole]
    kept: dict[str, list[Floats]] = {measure: [] for measure in windows.values}
    noise = dict.fromkeys(windows.values, 0.0)
    for date in np.unique(day[used]):
        people = code[used[day[used] == date]]
        # Only those not yet touched are controls: old events may still be working.
        near = code[(day <= date + windows.after) & (code >= 0)]
        eligible = np.flatnonzero(windows.since <= date - windows.before)
        treated = np.isin(eligible, people)
        control = ~np.isin(eligible, near)
        old = windows.totals(date - windows.before, date - 1)
        new = windows.totals(date + 1, date + windows.after)
        stratum = windows.strata(date, old["orders"], eligible)
        for measure in windows.values:
            was = old[measure][eligible] * (_PER / windows.before)
            now = new[measure][eligible] * (_PER / windows.after)
            found = stratified_differences(now - was, stratum, treated, control)
            kept[measure].append(np.stack([was[found.row], now[found.row], found.control]))
            noise[measure] += found.noise
    rows = []
    for measure, parts in kept.items():
        was, now, same = np.concatenate([np.empty((3, 0)), *parts], axis=1)
        effect, error = pooled_effect(now - was - same, noise[measure])
        means = [float(part.mean()) if part.size else float("nan") for part in (was, now, same)]
        rows.append(
            {
                "event": name,
                "measure": measure,
                "customers": was.size,
                "incomplete": int(first.size - used.size),
                "unmatched": int(used.size - was.size),
                "before": means[0],
                "after": means[1],
                "control_change": means[2],
                "effect": effect,
                "std_error": error,
            }
        )
    return rows
