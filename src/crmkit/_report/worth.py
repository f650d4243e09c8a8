"""Section on worth: what customers will bring, and how well that can be foreseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit import clv
from crmkit._report.cells import day
from crmkit._report.page import Picture, Section, Sheet
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["worth_section"]

_QUESTION = "What are customers worth?"
# Fewer customers who came back say too little about how people differ.
_LEAST_REPEATERS = 50


def worth_section(story: Story) -> Section:
    """Judge a purchase model on held-out days, then value every customer with it."""
    settings = story.settings
    customers = clv.purchase_table(story.transactions, as_of=settings.as_of)
    repeaters = int((customers["frequency"] > 0).sum())
    if repeaters < _LEAST_REPEATERS:
        return Section(
            "worth",
            _QUESTION,
            left_out=f"Only {repeaters:,} customers bought on two or more days; with fewer than "
            f"{_LEAST_REPEATERS} a forecast would be guesswork, so this part was left out.",
        )
    judged = _judged(story)
    model = clv.BGNBD().fit(customers)
    answer = [*judged.answer]
    if not story.has("amount"):
        forecast = model.predict(customers, horizon_days=settings.horizon_days)
        answer.append(
            f"Today's customers are expected to buy {forecast['expected_purchases'].sum():,.0f} "
            f"times in the next {settings.horizon_days} days. The log holds no amounts, so what "
            "that is worth in money was left out."
        )
        sheet = Sheet("expected_purchases", _ranked(forecast, "expected_purchases"),
                      "The customers who are expected to buy most.", 10)  # fmt: skip
        return Section(
            "worth", _QUESTION, tuple(answer), judged.pictures, (*judged.sheets, sheet),
            results={"p_alive": forecast},
        )  # fmt: skip
    try:
        values, equity = _values(story, customers, model)
    except InputError as error:
        words = (*answer, f"Value in money was left out: {error}")
        return Section("worth", _QUESTION, words, judged.pictures, judged.sheets)
    answer += _told(story, values, equity)
    best = Sheet(
        "lifetime_value",
        _ranked(values, "lifetime_value"),
        "The customers worth most from now on, with the interval that the data leave for the "
        "expected value; what one customer really does varies far more.",
        shown=10,
        columns=(
            "customer_id",
            "p_alive",
            "expected_purchases",
            "expected_amount",
            "lifetime_value",
            "conf_low",
            "conf_high",
        ),
    )
    sheets = (best, Sheet("customer_equity", equity, "The base as a whole.", 0), *judged.sheets)
    return Section(
        "worth", _QUESTION, tuple(answer), judged.pictures, sheets, results={"values": values}
    )


def _judged(story: Story) -> Section:
    """Fit on the first part of the history and compare with what came after."""
    settings = story.settings
    split = settings.split
    table = clv.holdout_table(story.transactions, as_of=split, horizon_days=settings.holdout_days)
    if (table["frequency"] > 0).sum() < _LEAST_REPEATERS:
        words = "The history is too short to hold a part of it out, so the forecast is unjudged."
        return Section("judged", _QUESTION, (words,))
    model = clv.BGNBD().fit(table)
    forecast = model.predict(table, horizon_days=settings.holdout_days)
    calibration = clv.forecast_table(table, forecast)
    expected = forecast["expected_purchases"].sum()
    actual = table["holdout_frequency"].sum()
    words = (
        f"How good is the forecast? Fitted on purchases up to {day(split)} only, the model "
        f"expected {expected:,.0f} purchase days of {len(table):,} customers in the "
        f"{settings.holdout_days} days after it; there were {actual:,.0f} "
        f"({100 * (expected / max(actual, 1) - 1):+.0f}%)."
    )
    tracking = clv.tracking_table(
        story.transactions,
        purchases=model,
        as_of=split,
        period_days=max(7, settings.holdout_days // 26),
    )
    return Section(
        "judged",
        _QUESTION,
        (words,),
        (
            Picture(
                clv.plot_tracking(tracking),
                "Repeat purchases over time, before and after the day up to which the model "
                "learned: what happened, and what it expected of a base that came when ours did.",
            ),
            Picture(
                clv.plot_forecast(calibration),
                "Purchases in the held-out period by number of earlier purchases: what was "
                "expected against what happened, with the interval that chance leaves.",
            ),
        ),
        (
            Sheet(
                "holdout",
                calibration,
                "Expected and actual purchases per customer in the held-out period.",
                columns=(
                    "group",
                    "customers",
                    "expected_mean",
                    "actual_mean",
                    "conf_low",
                    "conf_high",
                ),
            ),
        ),
    )


def _values(
    story: Story, customers: pd.DataFrame, model: clv.BGNBD
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each customer's value over the horizon, and that of the base."""
    settings = story.settings
    options: dict[str, Any] = {
        "purchases": model,
        "spend": clv.GammaGamma().fit(customers),
        "horizon_days": settings.horizon_days,
        "annual_discount_rate": settings.annual_discount_rate,
        "margin": 1.0 if story.margin is None else story.margin,
    }
    values = clv.lifetime_value(customers, interval="delta", **options)
    return values, clv.customer_equity(customers, **options)


def _told(story: Story, values: pd.DataFrame, equity: pd.DataFrame) -> list[str]:
    """Say what the base is worth and how it is spread."""
    settings, base = story.settings, equity.iloc[0]
    total = base["lifetime_value"]
    best = values["lifetime_value"].nlargest(max(1, len(values) // 10)).sum()
    unit = "sales" if story.margin is None else "profit"
    return [
        f"Over the next {settings.horizon_days} days today's {len(values):,} customers are worth "
        f"{story.money(total)} in {unit} (95% interval {story.money(base['conf_low'])} to "
        f"{story.money(base['conf_high'])}), discounted at "
        f"{story.share(settings.annual_discount_rate)} a year: "
        f"{story.money(total / len(values))} each on average.",
        f"The tenth worth most holds {story.share(best / total if total else 0)} of it.",
    ]


def _ranked(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return customers by a column, highest first, ties by id."""
    return table.sort_values(
        [column, "customer_id"], ascending=[False, True], kind="stable", ignore_index=True
    )
