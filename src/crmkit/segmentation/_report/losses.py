"""The customers below the line: why, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column
from crmkit._checks import Problems, listed, number_array, quoted
from crmkit._frames import column_kind, read_customers, sorted_codes
from crmkit.errors import InputError
from crmkit.segmentation._math import columns_within, explain_losses

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["loss_makers"]

REFUNDS, PRICE = "refunds", "price"


def loss_makers(profit: Any, *, acquisition_cost: str = "acquisition_cost") -> pd.DataFrame:
    """List the customers who lose money, why, and what would break even.

    Parameters
    ----------
    profit : DataFrame
        The table of :func:`customer_profit`: ``customer_id``, ``revenue``, ``direct_cost``,
        ``profit`` and a column ``<pool>_cost`` per pool; ``gross_revenue``, ``refunds``,
        ``goods_returned``, ``discount`` and ``orders`` tell more where they are there. A column
        ``<pool>_cost`` that is no part of ``profit`` is none of its causes.
    acquisition_cost : str, default "acquisition_cost"
        Column of the pool, if there is such a one in ``profit``, that was spent once to win the
        customer, and that orders are to repay.

    Returns
    -------
    pandas.DataFrame
        One row per customer with negative profit, the largest loss first, then by id; none if
        nobody loses money:

        * ``customer_id`` - as given.
        * ``revenue`` (float) - as given.
        * ``loss`` (float) - money lost, above 0.
        * ``cause`` (str) - what most exceeds what customers on average take per money of
          revenue before discounts and refunds: ``refunds`` (less goods returned), ``price``
          (direct cost of what was bought, and discounts), a pool, or ``too few orders`` to repay
          the cost of winning the customer.
        * ``cause_cost`` (float) - what that takes.
        * ``cause_excess`` (float) - how much of it exceeds that average.
        * ``lever`` (str) - what to change: ``refunds``, ``price``, a pool or ``orders``. That of
          the cause if it can break even alone, else of what exceeds the average next.
        * ``change`` (float) - by how much the lever must change to break even, as a share: -0.25
          is a quarter less, 0.4 is 40% more. All else stays as it is; more orders are as those so
          far. Missing where no lever breaks even alone.
        * ``price_increase`` (float) - rise of price, as a share, that breaks even at the same
          purchases and costs; missing without revenue, where no price does.
        * ``affordable_service`` (float) - share of the shared costs that the customer's revenue
          covers after direct cost: 0.6 says that serving it must become 40% cheaper. 0 where
          the goods alone lose money.

        ``attrs["cost_columns"]`` lists the columns that are part of ``profit``.

    Raises
    ------
    MissingColumnsError
        If `profit` lacks a column.
    InputError
        If a value is missing or infinite, or no set of the columns ``<pool>_cost`` explains
        ``profit``.

    Notes
    -----
    Excesses over the average add up to what the customer's profit lacks of the average profit at
    its revenue. Which columns are in ``profit`` follows from the sums, so other tables can be
    merged to it, and a CSV file rounded to cents will do.

    Examples
    --------
    >>> import pandas as pd
    >>> profit = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob"],
    ...         "revenue": [100.0, 30.0],
    ...         "direct_cost": [50.0, 15.0],
    ...         "calls_cost": [5.0, 20.0],
    ...         "profit": [45.0, -5.0],
    ...     }
    ... )
    >>> losses = loss_makers(profit)
    >>> losses[["customer_id", "loss", "cause", "lever", "change", "affordable_service"]]
      customer_id  loss  cause  lever  change  affordable_service
    0         bob   5.0  calls  calls   -0.25                0.75
    """
    won = check_column(acquisition_cost, "acquisition_cost")
    frame = read_customers(profit, needs=["revenue", "direct_cost", "profit"], name="profit")
    problems = Problems("profit")
    revenue, direct, earned = (
        number_array(frame[c], problems, c) for c in ("revenue", "direct_cost", "profit")
    )
    # A table without refunds shows them where they exceed what was bought.
    nothing = np.zeros(revenue.size)
    given = {"gross_revenue": np.maximum(revenue, 0.0), "goods_returned": nothing,
             "discount": nothing, "orders": (revenue > 0) * 1.0}  # fmt: skip
    for column in (*given, REFUNDS):
        if column in frame.columns:
            given[column] = number_array(frame[column], problems, column)
    problems.raise_if_any()
    gross, orders = given["gross_revenue"], given["orders"]
    refunds = given.get(REFUNDS, gross - revenue)
    named, pools = _pools(frame, revenue - direct - earned)
    if won not in named and won != "acquisition_cost":
        raise InputError(
            f"`acquisition_cost`: column {quoted(won)} is no part of 'profit', which holds "
            f"{listed(named)}. Give it to customer_profit as a pool."
        )
    names = [REFUNDS, PRICE, *(column.removesuffix("_cost") for column in named)]
    price = direct + given["goods_returned"] + given["discount"]
    effect = np.column_stack([refunds - given["goods_returned"], price, pools])
    base = gross + given["discount"]
    total = float(np.maximum(base, 0.0).sum())
    usual = effect.sum(axis=0) / total if total > 0 else np.zeros(len(names))
    # Largest loss first, equal losses by id.
    order = np.lexsort((sorted_codes(frame["customer_id"])[0], earned))
    losing = order[earned[order] < 0]
    place = names.index(won.removesuffix("_cost"), 2) if won in named else -1
    found = explain_losses(
        -earned[losing], effect[losing], base[losing], usual, orders[losing], revenue[losing],
        price=1, won=place,
    )  # fmt: skip
    words = np.array(names, dtype=object)
    levers = np.where(found.lever == place, "orders", words[found.lever])
    left, shared = np.maximum(revenue - direct, 0.0)[losing], pools[losing].sum(axis=1)
    loss, income = -earned[losing], revenue[losing]
    table = pd.DataFrame(
        {
            "customer_id": frame["customer_id"].iloc[losing].reset_index(drop=True),
            "revenue": income,
            "loss": loss,
            "cause": _text(np.where(found.unpaid, "too few orders", words[found.cause])),
            "cause_cost": found.cost,
            "cause_excess": found.excess,
            "lever": _text(levers),
            "change": found.change,
            "price_increase": _over(loss, income, np.nan),
            "affordable_service": _over(left, shared, 0.0),
        }
    )
    table.attrs["cost_columns"] = ["direct_cost", *named]
    return table


def _pools(frame: pd.DataFrame, shared: Floats) -> tuple[list[str], Floats]:
    """Return names and money, shape (n, pools), of the cost columns that add up to `shared`."""
    every = [str(c) for c in frame.columns if str(c).endswith("_cost") and c != "direct_cost"]
    problems = Problems("profit")
    numbers = [c for c in every if column_kind(frame[c]) in ("numbers", "flags")]
    read = {c: number_array(frame[c], problems, c, allow_missing=True) for c in numbers}
    # Who was merged from elsewhere may be missing, or infinite; a part of profit is neither.
    names = [name for name, values in read.items() if np.isfinite(values).all()]
    columns = np.column_stack([np.empty((len(frame), 0)), *(read[name] for name in names)])
    places = {str(column): place for place, column in enumerate(frame.columns)}
    between = [
        at
        for at, name in enumerate(names)
        if places["direct_cost"] < places[name] < places["profit"]
    ]
    kept = columns_within(shared, columns, [between])
    if kept is None:
        raise InputError(
            f"`profit`: column 'profit' is not revenue less direct_cost and a choice of the "
            f"columns {listed(every)}. Pass the table of customer_profit, whose cost columns are "
            "complete numbers."
        )
    return [names[at] for at in kept], columns[:, kept]


def _text(words: Any) -> pd.Series[Any]:
    """Return words as a column of text, even where there are none."""
    return pd.Series(words, dtype=object).astype(str)


def _over(part: Floats, whole: Floats, otherwise: float) -> Floats:
    """Return part / whole, shape (m,), where the whole is above 0."""
    return np.divide(part, whole, out=np.full(part.size, otherwise), where=whole > 0)
