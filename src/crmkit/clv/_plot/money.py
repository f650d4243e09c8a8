"""Pictures of value: factors, segments, cohorts and payback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._frames import split_by
from crmkit._plotting import COLORS, money, new_axes, plain, table_to_draw, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "plot_cohort_value",
    "plot_customer_equity",
    "plot_payback",
]


def plot_customer_equity(equity: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the value of each segment with the interval of its total.

    Parameters
    ----------
    equity : DataFrame
        A :func:`customer_equity`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> equity = pd.DataFrame({
    ...     "segment": ["gold", "rest"],
    ...     "customers": [10, 90],
    ...     "lifetime_value": [500.0, 400.0],
    ...     "conf_low": [450.0, 380.0],
    ...     "conf_high": [560.0, 425.0],
    ... })
    >>> clv.plot_customer_equity(equity).get_ylabel()
    'Lifetime value'
    """
    needs = ("customers", "lifetime_value", "conf_low", "conf_high")
    table = table_to_draw(equity, "equity", needs)
    labels = _labels(table, split_by(equity, "customers"))
    value = table["lifetime_value"].to_numpy(float)
    reach = np.vstack([value - table["conf_low"], table["conf_high"] - value])
    ax = new_axes(ax)
    ax.bar(labels, value, color=COLORS[0], width=0.7)
    ax.errorbar(labels, value, yerr=reach, fmt="none", ecolor="#404040", capsize=3, linewidth=1)
    ax.yaxis.set_major_formatter(money())
    ax.set_ylabel("Lifetime value")
    _turn_long(ax, labels)
    return tidy(ax)


def plot_cohort_value(cohorts: Any, *, ax: Axes | None = None) -> Axes:
    """Draw what a customer of each cohort has earned by age, the oldest cohort darkest.

    Periods that had not ended are left out.

    Parameters
    ----------
    cohorts : DataFrame
        A :func:`cohort_value` without `by`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(200, random_state=0)["transactions"]
    >>> ax = clv.plot_cohort_value(clv.cohort_value(log, period="quarter", margin=0.3))
    >>> ax.get_ylabel()
    'Value per customer so far'
    """
    from matplotlib.ticker import MaxNLocator

    needs = ("cohort", "age", "complete", "cumulative_value_per_customer")
    table = table_to_draw(cohorts, "cohorts", needs)
    table = table[table["complete"].astype(bool)]
    groups = list(table.groupby("cohort", sort=True))
    ax = new_axes(ax)
    shades = _shades(len(groups))
    for shade, (_, rows) in zip(shades, groups, strict=True):
        ax.plot(
            rows["age"],
            rows["cumulative_value_per_customer"],
            marker="o",
            markersize=3,
            color=shade,
            label=_labels(rows.head(1), ["cohort"])[0],
        )
    ax.set_xlabel("Periods since the first purchase")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylabel("Value per customer so far")
    ax.yaxis.set_major_formatter(money())
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    if 1 < len(groups) <= 12:
        ax.legend(title="First purchase from", frameon=False, fontsize="small")
    return tidy(ax)


def plot_payback(payback: Any, *, ax: Axes | None = None) -> Axes:
    """Draw after how many days each group has earned its acquisition cost back.

    A hollow bar shows how long a group has been observed without having earned it back.

    Parameters
    ----------
    payback : DataFrame
        A :func:`payback_table`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. The default is a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(200, random_state=0)["transactions"]
    >>> table = clv.payback_table(log, acquisition_cost=30.0, margin=0.3, period="quarter")
    >>> clv.plot_payback(table).get_ylabel()
    'Days'
    """
    needs = ("customers", "observed_days", "paid_back", "payback_days")
    table = table_to_draw(payback, "payback", needs)
    names = split_by(payback, "customers")
    labels = _labels(table, names)
    paid = table["paid_back"].to_numpy(bool)
    ax = new_axes(ax)
    position = np.arange(len(table))
    if paid.any():
        days = table.loc[paid, "payback_days"]
        ax.bar(position[paid], days, color=COLORS[2], label="Paid back")
    if not paid.all():
        days = table.loc[~paid, "observed_days"]
        hollow: dict[str, Any] = {"facecolor": "none", "edgecolor": COLORS[3], "hatch": "//"}
        ax.bar(position[~paid], days, label="Not yet: days observed", **hollow)
    ax.set_xticks(position, labels)
    ax.set_ylabel("Days")
    _turn_long(ax, labels)
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return tidy(ax)


def _labels(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Write what each row is about; a table without groups has one row, of all customers."""
    if not names:
        return ["All"] * len(table)
    columns = [
        table[name].dt.strftime("%Y-%m-%d") if name == "cohort" else table[name].map(plain)
        for name in names
    ]
    return [", ".join(parts) for parts in zip(*columns, strict=True)]


def _turn_long(ax: Axes, labels: Sequence[str]) -> None:
    """Turn the tick labels where they would run into each other."""
    if sum(len(label) for label in labels) > 50:
        ax.tick_params(axis="x", rotation=60)


def _shades(n: int) -> list[Any]:
    """Return n colours from dark to light of one map that all can read."""
    import matplotlib as mpl

    from crmkit._plotting import SEQUENTIAL

    return list(mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.9, max(n, 1))))[:n]
