"""Section on products: what is bought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import basket
from crmkit._report.pieces import Picture, Section, Sheet

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.story import Story

__all__ = ["products_section"]

_QUESTION = "What is bought together?"
_SHOWN = [
    "item_a",
    "item_b",
    "count",
    "support",
    "confidence_ab",
    "confidence_ba",
    "lift_given_sizes",
]
_CLEAR = 0.05  # adjusted p-value from which on a pair may be chance


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
    clear = pairs["p_adjusted_given_sizes"] < _CLEAR
    strong = pairs[clear & (pairs["lift_given_sizes"] > 1)].sort_values(
        ["p_adjusted_given_sizes", "lift_given_sizes", "count"],
        ascending=[True, False, False],
        ignore_index=True,
    )
    n_strong = f"{len(strong):,}" if len(strong) else "none"
    answer = [
        f"{len(pairs):,} pairs of {level} meet in at least {least:,} orders; {n_strong} of "
        "them clearly more often than by chance, even allowing for large orders holding a bit of "
        "everything."
    ]
    answer += [
        f"The clearest is {row.item_a} with {row.item_b}: in {row.count:,} orders, "
        f"{row.lift_given_sizes:.1f} times as often as by chance."
        for row in strong.head(1).itertuples()
    ]
    return Section(
        "products",
        _QUESTION,
        tuple(answer),
        (
            Picture(
                basket.plot_pairs(pairs, measure="lift_given_sizes"),
                f"How many times more often than by chance two {level} meet in an order.",
            ),
        ),
        (
            Sheet(
                "pairs",
                strong[_SHOWN],
                "Pairs that meet more often than by chance, the clearest first. Lift is how many "
                "times more often, given how large the orders are; confidence the share of orders "
                "with the one that have the other.",
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
