"""Section on products: what is bought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import basket
from crmkit._report.page import Picture, Section, Sheet

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["products_section"]

_QUESTION = "What is bought together?"
_COLUMNS = ["item_a", "item_b", "count", "support", "confidence_ab", "confidence_ba", "lift"]


def products_section(story: Story) -> Section:
    """Tell which products meet in an order more often than chance explains."""
    if not story.has("product"):
        return Section(
            "products",
            _QUESTION,
            left_out="The log names no products, so this part was left out. Name the column that "
            "holds them (--product).",
        )
    log, level = _items(story)
    orders = story.found["orders"]
    least = max(10, round(orders * 0.001))
    pairs = basket.item_pairs(log, min_support=least)
    if pairs.empty:
        return Section(
            "products",
            _QUESTION,
            left_out=f"No two {level} were bought together in {least} or more orders, too few to "
            "tell from chance.",
        )
    strong = pairs[pairs["lift"] > 1].sort_values(
        ["p_adjusted", "lift", "count"], ascending=[True, False, False], ignore_index=True
    )
    best = strong.head(1)
    answer = [
        f"{len(pairs):,} pairs of {level} meet in at least {least:,} orders; {len(strong):,} of "
        "them more often than if customers chose each independently."
    ]
    answer += [
        f"The clearest is {row.item_a} with {row.item_b}: in {row.count:,} orders, "
        f"{row.lift:.1f} times as often as by chance."
        for row in best.itertuples()
    ]
    columns = [column for column in _COLUMNS if column in strong.columns]
    return Section(
        "products",
        _QUESTION,
        tuple(answer),
        (
            Picture(
                basket.plot_pairs(pairs),
                f"How many times more often than by chance two {level} meet in an order.",
            ),
        ),
        (
            Sheet(
                "pairs",
                strong[columns],
                "Pairs that meet more often than by chance, the clearest first. Lift is how many "
                "times more often; confidence the share of orders with the one that have the "
                "other.",
            ),
        ),
        results={"pairs": strong},
    )


def _items(story: Story) -> tuple[pd.DataFrame, str]:
    """Return the log with product types for products where a list of them is at hand."""
    log = story.transactions
    products = story.products
    kind = next(
        (c for c in ("product_type", "category") if products is not None and c in products.columns),
        None,
    )
    if products is None or kind is None:
        return log, "products"
    names = products.set_index("product")[kind]
    typed = log.assign(product=log["product"].map(names))
    return typed[typed["product"].notna()], "kinds of product"
