"""Chapter on products: what goes together, and what belongs apart."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from crmkit import basket
from crmkit._frames.engines import as_given
from crmkit._report.charts import Bar, bars
from crmkit._report.pieces import Picture, Section, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from crmkit._report.log import PageLog
    from crmkit._report.story import Story

__all__ = ["products_section"]

_SHOWN = ["item_a", "item_b", "count", "support", "confidence_ab", "confidence_ba",
          "lift_given_sizes"]  # fmt: skip
_APART = ["item_a", "item_b", "count", "expected_given_sizes"]
_CLEAR = 0.05  # adjusted p-value from which on a pair may be chance
_DRAWN = 8


def products_section(story: Story) -> Section:
    """Tell which products meet in an order more often, or less often, than chance explains."""
    say = story.words.say
    question = say("products.question")
    if not story.has("product"):
        return Section("products", question, left_out=say("products.none"))
    log, level = _items(story)
    least = max(10, round(story.found["orders"] * 0.001))
    pairs = log.ask(basket.item_pairs, min_support=least)
    if pairs.empty:
        left_out = say(f"products.few_{level}", least=least)
        return Section("products", question, left_out=left_out)
    clear = pairs["p_adjusted_given_sizes"] < _CLEAR
    strong = pairs[clear & (pairs["lift_given_sizes"] > 1)].sort_values(
        ["p_adjusted_given_sizes", "lift_given_sizes", "count"],
        ascending=[True, False, False],
        ignore_index=True,
    )
    key = "some" if len(strong) else "no"
    answer = [say(f"products.{key}_{level}", pairs=len(pairs), least=least, n=len(strong))]
    answer += [
        say("products.clearest", a=row.item_a, b=row.item_b, n=row.count, lift=row.lift_given_sizes)
        for row in _records(strong.head(1))
    ]
    pictures = (_drawn(story, strong),) if len(strong) else ()
    sheets = [Sheet("pairs", strong[_SHOWN], say("products.table"))]
    apart = log.ask(basket.item_pairs, apart=True, min_support=least)
    apart = apart[apart["p_adjusted_apart"] < _CLEAR].reset_index(drop=True)
    if apart.empty:
        answer.append(say("products.none_apart"))
    else:
        answer.append(say("products.apart", n=len(apart), a=apart["item_a"].iloc[0],
                          b=apart["item_b"].iloc[0]))  # fmt: skip
        sheets.append(Sheet("pairs_apart", apart[_APART], say("products.table_apart"), 6))
    return Section("products", question, tuple(answer), pictures, tuple(sheets))


def _drawn(story: Story, strong: pd.DataFrame) -> Picture:
    """Draw how many times as often as by chance the clearest pairs meet."""
    words = story.words
    first = strong.head(_DRAWN)
    most = float(first["lift_given_sizes"].max())
    rows = [
        Bar(
            f"{row.item_a} + {row.item_b}",
            (words.say("products.times", lift=row.lift_given_sizes),),
            (row.lift_given_sizes / most,),
        )
        for row in _records(first)
    ]
    return Picture(bars(rows, words.say("products.seen")), words.say("products.picture"))


def _records(table: pd.DataFrame) -> Iterator[Any]:
    """Return the rows, each a value per column."""
    return table.itertuples(index=False)


def _items(story: Story) -> tuple[PageLog, str]:
    """Return the log with product types for products where a list of them is at hand."""
    log = story.log
    products = story.products
    kind = next(
        (c for c in ("product_type", "category") if products is not None and c in products.columns),
        None,
    )
    if products is None or kind is None:
        return log, "products"
    names = products.set_index("product")[kind]
    return log.changed(partial(_typed, names)), "kinds"


def _typed(names: pd.Series[Any], rows: Any) -> pd.DataFrame:
    """Return rows with kinds for products, those without a kind left out."""
    log = as_given(rows, "transactions")
    typed = log.assign(product=log["product"].map(names))
    return typed[typed["product"].notna()]
