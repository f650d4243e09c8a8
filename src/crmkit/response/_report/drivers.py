"""Which variables tell who responds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arguments import check_mapping
from crmkit._arrays import adjust_p_values
from crmkit._checks import quoted
from crmkit._frames import parse_day, with_account
from crmkit.errors import InputError
from crmkit.response._math.binning import information
from crmkit.response._table.bins import BinnedVariable, bin_customers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["response_drivers"]

# Above this a variable tells so much that it often became known only after the response
# (Siddiqi 2006, ch. 6).
_SUSPICIOUS = 0.5


def response_drivers(
    customers: Any,
    *,
    outcome: str,
    columns: Sequence[str] | None = None,
    max_bins: int = 10,
    min_bin_share: float = 0.01,
    monotone: bool = False,
    special_codes: Mapping[str, Iterable[Any]] | Iterable[Any] | None = None,
    known_at: Mapping[str, Any] | None = None,
    as_of: Any = None,
) -> pd.DataFrame:
    """Rank variables by how much they tell about the response.

    Every variable is cut into the bins that tell most: numbers at their quantiles, then merged
    by an exact search; levels as they are, rare ones pooled. Because bins are counted, a rate
    that falls and rises again is seen as well as a trend. Missing values are a bin of their own.
    The test is on the finer cells that were cut without a look at the response.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id``, the outcome and variables. Customers with a
        missing outcome were not contacted and are left out.
    outcome : str
        Column with the outcome: 1 (or True) for a response and 0 for none.
    columns : sequence of str, optional
        Variables to look at. The default is every column but the id, the outcome and dates.
    max_bins : int, default 10
        Most bins of a number.
    min_bin_share : float, default 0.01
        Least share of customers in a bin.
    monotone : bool, default False
        Whether the rate of a number's bins must rise, or fall, throughout.
    special_codes : list or mapping, optional
        Values that are codes and no amounts, such as -999 or "refused", each of which is a bin of
        its own: a list for all columns, or one per column. A column whose other values are all
        numbers is one of numbers.
    known_at : mapping of str to date, optional
        When each variable became known. One known after `as_of` cannot have been used to select.
    as_of : date-like, optional
        Day of the contact; needed with `known_at`.

    Returns
    -------
    pandas.DataFrame
        One row per variable, most telling first:

        * ``variable`` (str) - the column.
        * ``kind`` (str) - "number" or "level".
        * ``bins`` (int) - bins used, the missing one included.
        * ``missing_share`` (float) - share of customers without a value.
        * ``information_value`` (float) - sum over bins of (share of responders - share of
          others) x weight of evidence.
        * ``information_corrected`` (float) - the same over the finer cells that were cut without a
          look at the response, less what chance adds to it, at least 0; 0 tells nothing, 0.1
          something, 0.3 much.
        * ``cramers_v`` (float) - association with the response, 0 to 1.
        * ``auc`` (float) - chance that a responder is in a bin of higher rate than another
          customer, ties half; 0.5 tells nothing.
        * ``odds_ratio`` (float) - odds of response in the best bin / odds in the worst.
        * ``best_bin`` (str) - the bin with the highest response rate.
        * ``p_value`` (float) - chi-squared test of no association.
        * ``p_adjusted`` (float) - after Benjamini and Hochberg, over the variables.
        * ``flag`` (str) - "known too late" where `known_at` is after `as_of`; "suspiciously
          strong" where the corrected information value is above 0.5 and nothing says when the
          variable became known; else empty.

    Raises
    ------
    InputError
        If nobody or everybody responded, or there is no variable.

    Notes
    -----
    The information value grows with the number of bins and as responders get fewer, by about
    (bins - 1) x (1 / responders + 1 / others): with 60 responders of 3,000 customers a number that
    means nothing shows .2 on average. The corrected one has this taken off, and ranks; what is left
    of chance is small on average, but one in five of such numbers still reaches 0.1, and with 15
    responders one in fifty is flagged. The p-values hold, however few respond: read them first.

    References
    ----------
    Siddiqi, N. (2006). Credit Risk Scorecards. Wiley. Chapter 6.

    Kullback, S. (1959). Information Theory and Statistics. Wiley. Chapter 6.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> campaign = datasets.make_campaign(3000, random_state=0)
    >>> drivers = response.response_drivers(
    ...     campaign, outcome="responded", columns=["recency_days", "frequency", "age", "channel"]
    ... )
    >>> sorted(drivers["variable"].head(2))
    ['frequency', 'recency_days']
    """
    late = _known_too_late(known_at, as_of)
    account, outcomes, variables = bin_customers(
        customers,
        outcome,
        columns=columns,
        max_bins=max_bins,
        min_bin_share=min_bin_share,
        monotone=monotone,
        special_codes=special_codes,
    )
    rows = [_judged(variable, outcomes) for variable in variables]
    table = pd.DataFrame(rows)
    table["p_adjusted"] = adjust_p_values(table["p_value"].to_numpy(), "bh")
    strong = table["information_corrected"] > _SUSPICIOUS
    known = table["variable"].isin(list(late))
    is_late = table["variable"].map(late).eq(True)
    table["flag"] = np.select(
        [is_late, strong & ~known], ["known too late", "suspiciously strong"], default=""
    )
    order = np.lexsort((table["variable"].astype(str), -table["information_corrected"]))
    table = table.iloc[order].reset_index(drop=True)
    return with_account(table, account)


def _judged(variable: BinnedVariable, outcomes: tuple[float, float]) -> dict[str, Any]:
    """Return one row of the driver table."""
    total_events, total_others = outcomes
    n = total_events + total_others
    events, others = variable.events, variable.others
    woe, value = information(events, others)
    order = np.argsort(-events / (events + others), kind="stable")
    worse = total_others - np.cumsum(others[order])
    auc = np.sum(events[order] * (worse + others[order] / 2)) / (total_events * total_others)
    size = variable.cell_events + variable.cell_others
    expected = size * total_events / n
    chi2 = float(np.sum((variable.cell_events - expected) ** 2 / (expected * total_others / n)))
    freedom = size.size - 1
    return {
        "variable": variable.name,
        "kind": variable.kind,
        "bins": len(variable.labels),
        "missing_share": variable.missing / n,
        "information_value": float(value.sum()),
        "information_corrected": _corrected(variable, outcomes),
        "cramers_v": float(np.sqrt(chi2 / n)),
        "auc": float(auc),
        "odds_ratio": float(np.exp(woe.max() - woe.min())),
        "best_bin": variable.labels[int(order[0])],
        "p_value": float(special.chdtrc(freedom, chi2)) if freedom else 1.0,
    }


def _corrected(variable: BinnedVariable, outcomes: tuple[float, float]) -> float:
    """Return the information value of the cells, less what chance adds to it, at least 0.

    Of a variable that tells nothing it is chi-squared with cells - 1 degrees of freedom, times
    1 / events + 1 / others (Kullback 1959, ch. 6), so that more cells would seem to tell more.
    """
    total_events, total_others = outcomes
    _, value = information(variable.cell_events, variable.cell_others)
    chance = (variable.cell_events.size - 1) * (1 / total_events + 1 / total_others)
    return max(float(value.sum()) - chance, 0.0)


def _known_too_late(known_at: Mapping[str, Any] | None, as_of: Any) -> dict[str, bool]:
    """Return per variable whether it became known only after `as_of`."""
    today = None if as_of is None else parse_day(as_of, "as_of")
    if known_at is None:
        return {}
    if today is None:
        raise InputError("`known_at` needs `as_of`, the day of the contact.")
    days = check_mapping(known_at, "known_at", "columns to dates")
    return {name: parse_day(day, f"known_at[{quoted(name)}]") > today for name, day in days.items()}
