"""Few rules that say something: more than every simpler rule, once each, by the money in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_column
from crmkit._arrays import Adjustment, adjust_p_values, starts
from crmkit._checks import check_choice, check_number, check_optional
from crmkit._frames import rows_of, with_account
from crmkit.basket._math.productive import (
    best_simpler,
    chance_beside,
    concentration,
    expected_by_chance,
)
from crmkit.basket._math.rules import without_one
from crmkit.basket._math.sizes import chance_of_as_many
from crmkit.basket._report.count import by_size, cover_lines, size_model_of
from crmkit.basket._report.read import read_itemsets, whole_table
from crmkit.basket._report.value import net_totals
from crmkit.basket._table.baskets import NAMELESS, object_column, read_baskets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crmkit._typing import Ints
    from crmkit.basket._report.read import ItemsetTable
    from crmkit.basket._table.baskets import BasketLog

TOLD = 0.5  # share of a rule's money in lines that rules above count, from which on it is told


def productive_rules(
    itemsets: Any,
    transactions: Any,
    *,
    line: str | None = None,
    n_best: int | None = 50,
    adjust: Adjustment = "bh",
    confidence_level: float = 0.95,
    as_of: Any = None,
) -> pd.DataFrame:
    """Pick the few rules that say something, each once, by the money that chance does not explain.

    A rule stays if orders with its antecedent hold its consequent more often than chance and every
    simpler rule let expect, given the sizes of orders. Of rules that say the same the one with the
    most money stays: of the same items in another order, of variants of one product line, and of
    orders that rules above have counted.

    Parameters
    ----------
    itemsets : pandas.DataFrame
        The whole table of `frequent_itemsets` with ``family="all"``. All rules with one item as
        their consequent are looked at.
    transactions : DataFrame
        The log that the table was made from, if possible with ``amount``.
    line : str, optional
        Column of `transactions` with the product line of each product. Rules between the same
        lines are one then. The default goes by names: rules whose items all share two words, or
        half of the words of each, are of one line.
    n_best : int, default 50
        How many rules at most; None for all.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for the number of rules looked at.
    confidence_level : float, default 0.95
        Level of the test: rules stay whose adjusted p-value is at most 1 minus this.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per rule, by falling ``extra_amount`` (in a log without amounts by orders beyond
        chance). ``attrs["account"]`` counts the rules looked at, those that say more than simpler
        ones, and what became of these:

        * ``antecedent`` (tuple) - the items of the if-side, sorted.
        * ``consequent`` (tuple) - the item of the then-side.
        * ``count`` (int) - orders with both sides.
        * ``customers`` (int) - customers with such an order.
        * ``confidence`` (float) - share of the antecedent's orders that hold the consequent.
        * ``expected_given_sizes`` (float) - orders with both sides by chance, from the sizes of the
          orders that hold the antecedent.
        * ``lift_given_sizes`` (float) - ``count`` over that; 1 is chance.
        * ``lift_simpler`` (float) - the highest such lift of all simpler rules with this
          consequent, the one without a condition, 1, included.
        * ``p_value`` (float) - chance of as many together if the rule said no more than the best
          simpler one, with customers as independent and not their orders; on the safe side.
        * ``p_adjusted`` (float) - the same, adjusted for the number of rules looked at.
        * ``product_line`` - what the items share, if they are of one product line.
        * ``variants`` (int) - rules of the same items or lines that this one stands for, itself
          included.
        * ``consequent_amount`` (float) - what the consequent brought in orders with both sides;
          only if the log has amounts.
        * ``extra_amount`` (float) - the part of it beyond the expected count; only then.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range, an itemset names an item that is not in the log, or parts of
        itemsets are missing.

    See Also
    --------
    association_rules : Every rule with every measure.
    rule_value : What any rules are worth.

    Notes
    -----
    Chance given sizes is that of `item_pairs`, but from the orders that hold the antecedent: a
    longer antecedent picks larger orders. The p-value is a tail of Poisson's distribution, with
    both numbers divided by how many times as variable as independent orders those of the rule's
    customers are [2]_. It errs on the safe side.

    References
    ----------
    .. [1] Webb, G. I. (2007). Discovering significant patterns. *Machine Learning* 68(1), 1-33.
    .. [2] Rao, J. N. K. and Scott, A. J. (1992). A simple method for the analysis of clustered
       binary data. *Biometrics* 48(2), 577-585.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(500, random_state=0)["transactions"]
    >>> itemsets = basket.frequent_itemsets(log, min_support=10)
    >>> rules = basket.productive_rules(itemsets, log)
    >>> bool((rules["lift_given_sizes"] > rules["lift_simpler"]).all())
    True
    """
    check_choice(adjust, "adjust", Adjustment)
    level = check_number(confidence_level, "confidence_level")
    n_best = check_optional(n_best, "n_best")
    needs = () if line is None else (check_column(line, "line"),)
    table = read_itemsets(itemsets)
    lines = read_baskets(
        transactions, needs=needs, optional=("amount",), may_lack=NAMELESS, as_of=as_of
    )
    rules = _Rules(table, lines)
    rules.keep_significant(adjust, 1 - level)
    return _told_once(rules, line, n_best)


class _Rules:
    """All rules of itemsets with one item as consequent, and those found to say something."""

    def __init__(self, table: ItemsetTable, lines: BasketLog) -> None:
        self.lines = lines
        self.cover = cover_lines(lines)
        self.model = size_model_of(lines)
        self.customer = lines.customer_of_basket()
        do = "Pass the log that the table was made from."
        code = rows_of(
            table.items.tolist(),
            lines.items,
            name="itemsets",
            other="transactions",
            what="item",
            do=do,
        )
        with whole_table(table):
            parts = without_one(table.levels, table.index)
        levels = [code[rows] for rows in table.levels]
        counted = [by_size(self.cover, self.model, rows) for rows in levels]
        expected = expected_by_chance(self.model, levels, parts, counted)
        counts = [sizes.sum(axis=1)[:, None] for sizes in counted]
        lifts = [count / e for count, e in zip(counts, expected, strict=True)]
        simpler = best_simpler(lifts, parts)
        # one row per rule: the consequent first, then the antecedent
        self.items: list[Ints] = []
        for rows in levels[1:]:
            turned = [np.roll(rows, -column, axis=1) for column in range(rows.shape[1])]
            self.items += [row for some in zip(*turned, strict=True) for row in some]
        self.count = _flat(
            [np.broadcast_to(c, e.shape) for c, e in zip(counts, expected, strict=True)]
        )
        self.expected, self.simpler = _flat(expected), _flat(simpler)
        self.n_left = _flat([counts[k - 1][parts[k], 0] for k in range(1, len(levels))], skip=0)
        self.p = chance_of_as_many(self.count, self.simpler * self.expected)
        self.adjusted = np.ones(len(self.p))
        self.kept = np.zeros(0, dtype=np.int64)

    def by_length(self, rules: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Yield the places of rules of each length, and their items as rows."""
        length = np.array([len(self.items[rule]) for rule in rules], dtype=np.int64)
        for k in np.unique(length):
            place = np.flatnonzero(length == k)
            yield place, np.stack([self.items[rule] for rule in rules[place]])

    def keep_significant(self, adjust: Adjustment, alpha: float) -> None:
        """Keep the rules that customers vouch for; that can only raise a p-value."""
        some = np.flatnonzero(adjust_p_values(self.p, adjust) <= alpha)
        spread = np.empty(len(some))
        for place, rows in self.by_length(some):
            for number, basket in self.cover.baskets(rows[:, 1:]):
                first, last = int(number[0]), int(number[-1]) + 1
                few, number = rows[first:last], number - first  # noqa: PLW2901
                chance = chance_beside(self.model, few[:, 1:], few[:, :1])
                chance = chance[number, self.model.column[basket]]
                both = self.cover.holds(few[number, 0], basket)
                spread[place[first:last]] = concentration(
                    number, self.customer[basket], chance, both, len(few)
                )
        self.p[some] = chance_of_as_many(
            self.count[some], (self.simpler * self.expected)[some], spread
        )
        self.adjusted[some] = adjust_p_values(self.p[some], adjust, n_more=len(self.p) - len(some))
        self.kept = some[self.adjusted[some] <= alpha]


def _flat(levels: list[Any], skip: int = 1) -> Any:
    """Put what is known per itemset and column, of two items or more, into one row per rule."""
    return np.concatenate([np.zeros(0), *(level.ravel() for level in levels[skip:])])


def _told_once(rules: _Rules, line: str | None, n_best: int | None) -> pd.DataFrame:
    """Write the kept rules by falling money, each that is not told by one above."""
    lines, cover = rules.lines, rules.cover
    priced = lines.log.has("amount")
    paid = net_totals(cover, lines, "amount", "order")[0] if priced else np.ones(len(cover.key))
    beyond = 1 - rules.expected / np.maximum(rules.count, 1)
    amount = np.zeros(len(rules.count))
    for place, rows in rules.by_length(rules.kept):
        for number, _, entry in cover.find(rows):
            amount += np.bincount(
                rules.kept[place[number]], paid[entry[:, 0]], minlength=len(amount)
            )
    # ties go to the shorter rule: rules come by length and items
    order = rules.kept[np.argsort(-(amount * beyond)[rules.kept], kind="stable")].tolist()
    same = _families(lines, line)
    counted = np.zeros(len(cover.key), dtype=bool)
    chosen: list[int] = []
    first: dict[Any, int] = {}
    variants: dict[int, int] = {}
    told, customers = {}, {}
    n_told = 0
    for rule in order:
        names = [lines.items[code] for code in rules.items[rule]]
        family, shared = same(rules.items[rule], names)
        if family in first:
            variants[first[family]] += 1
            continue
        ((_, basket, entry),) = cover.find(rules.items[rule][None])
        new = ~counted[entry[:, 0]]
        if paid[entry[new, 0]].sum() < TOLD * amount[rule]:
            n_told += 1
            continue
        counted[entry[new]] = True
        first[family] = rule
        variants[rule], told[rule] = 1, shared
        customers[rule] = np.count_nonzero(starts(rules.customer[basket]))
        chosen.append(rule)
    shown = np.array(chosen[:n_best], dtype=np.int64)
    text = lines.items.to_numpy(dtype=object)
    result: dict[str, Any] = {
        "antecedent": object_column(
            [tuple(text[np.sort(rules.items[rule][1:])]) for rule in shown]
        ),
        "consequent": object_column([tuple(text[rules.items[rule][:1]]) for rule in shown]),
        "count": rules.count[shown].astype(np.int64),
        "customers": np.array([customers[rule] for rule in shown.tolist()], dtype=np.int64),
        "confidence": (rules.count / rules.n_left)[shown],
        "expected_given_sizes": rules.expected[shown],
        "lift_given_sizes": (rules.count / rules.expected)[shown],
        "lift_simpler": rules.simpler[shown],
        "p_value": rules.p[shown],
        "p_adjusted": rules.adjusted[shown],
        "product_line": pd.Series([told[rule] for rule in shown.tolist()], dtype=object),
        "variants": np.array([variants[rule] for rule in shown.tolist()], dtype=np.int64),
    }
    if priced:
        result["consequent_amount"] = amount[shown]
        result["extra_amount"] = (amount * beyond)[shown]
    account = {
        "rules_looked_at": len(rules.p),
        "rules_productive": len(rules.kept),
        "rules_of_a_variant": sum(variants.values()) - len(chosen),
        "rules_told_by_others": n_told,
        "rules_beyond_n_best": len(chosen) - len(shown),
    }
    return lines.history.noted(with_account(pd.DataFrame(result), account))


def _families(lines: BasketLog, line: str | None) -> Callable[[Ints, list[Any]], tuple[Any, Any]]:
    """Return what tells, of a rule's items, what it is a variant of, and the line they share."""
    if line is None:
        return lambda codes, names: _by_words(frozenset(codes.tolist()), names)
    known = lines.log.product >= 0
    column = lines.log.column(line)[known]
    of_item = pd.Series(column.to_numpy(), dtype=object).groupby(lines.log.product[known]).first()
    value = of_item.reindex(range(len(lines.items)))

    def by_column(codes: Ints, names: list[Any]) -> tuple[Any, Any]:
        found = [
            value[code] if not pd.isna(value[code]) else name
            for code, name in zip(codes.tolist(), names, strict=True)
        ]
        family = frozenset(found)
        return family, found[0] if len(family) == 1 else None

    return by_column


def _by_words(codes: frozenset[int], names: list[Any]) -> tuple[Any, Any]:
    """Tell the words that names share, if they are of one product line; else the items."""
    words = [re.findall(r"[^\W\d_]{2,}", str(name).upper()) for name in names]
    shared = set.intersection(*map(set, words))
    if len(shared) >= 2 or (shared and 2 * len(shared) >= max(len(set(some)) for some in words)):
        text = " ".join(word for word in dict.fromkeys(words[0]) if word in shared)
        return text, text
    return codes, None
