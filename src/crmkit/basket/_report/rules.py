"""Association rules: if this is in the basket, so is that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import Adjustment, adjust_p_values
from crmkit._checks import check_choice, check_flag, check_number, check_optional
from crmkit.basket._math.measures import directed_measures, symmetric_measures
from crmkit.basket._math.rules import split_itemsets
from crmkit.basket._report.read import ItemsetTable, read_itemsets, whole_table
from crmkit.basket._table.baskets import find_items

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Bools


def association_rules(
    itemsets: Any,
    *,
    min_confidence: float = 0.1,
    max_antecedent: int | None = None,
    max_consequent: int | None = 1,
    antecedent: Iterable[Any] | None = None,
    consequent: Iterable[Any] | None = None,
    adjust: Adjustment = "bh",
    keep_redundant: bool = True,
) -> pd.DataFrame:
    """Turn frequent itemsets into rules, each with every measure and an honest p-value.

    Parameters
    ----------
    itemsets : pandas.DataFrame
        The whole table of `frequent_itemsets` with ``family="all"``: columns ``itemset``, ``count``
        and ``support``. A rule needs the counts of all its parts.
    min_confidence : float, default 0.1
        Smallest share of the antecedent's orders that hold the consequent.
    max_antecedent : int, optional
        Largest number of items in an antecedent; unlimited by default.
    max_consequent : int or None, default 1
        Largest number of items in a consequent; None for unlimited.
    antecedent, consequent : list of items, optional
        Only rules whose antecedent, or consequent, holds nothing but these items: with
        ``consequent=["butter"]`` what leads to butter, with ``antecedent=["butter"]`` what goes
        with it.
    adjust : {"bh", "by", "holm", "bonferroni"}
        How p-values are adjusted for the number of rules tested: Benjamini-Hochberg,
        Benjamini-Yekutieli, Holm or Bonferroni. Tested are all rules that the limits allow, also
        those left out for their confidence, since choosing the best of many is what an
        adjustment has to pay for.
    keep_redundant : bool, default True
        Whether rules stay that a more general one makes redundant.

    Returns
    -------
    pandas.DataFrame
        One row per rule, by falling lift, then count, then items:

        * ``antecedent`` (tuple) - the items of the if-side, sorted.
        * ``consequent`` (tuple) - the items of the then-side, sorted.
        * ``count`` (int) - orders with both sides.
        * ``customers`` (int) - customers with such an order; only if `itemsets` tells them.
        * ``count_antecedent`` (int) - orders with the antecedent.
        * ``count_consequent`` (int) - orders with the consequent.
        * ``support`` (float) - share of orders with both sides.
        * ``confidence`` (float) - share of the antecedent's orders that hold the consequent.
        * ``lift`` (float) - confidence over the consequent's support; 1 is chance.
        * ``leverage`` (float) - support minus what independence would give.
        * ``conviction`` (float) - orders with the antecedent alone by chance, over those seen;
          infinite where none is seen.
        * ``zhang`` (float) - Zhang's measure from -1 (never together) to 1.
        * ``certainty`` (float) - certainty factor from -1 to 1.
        * ``cosine`` (float) - support over the geometric mean of the sides' supports.
        * ``jaccard`` (float) - orders with both sides over orders with either.
        * ``kulczynski`` (float) - mean of the confidences in both directions.
        * ``imbalance_ratio`` (float) - difference of the sides' counts over orders with either.
        * ``odds_ratio`` (float) - odds of the consequent with and without the antecedent; may be
          infinite.
        * ``phi`` (float) - correlation of the two sides.
        * ``chi_squared`` (float) - Pearson's statistic of independence, one degree of freedom.
        * ``hyper_lift`` (float) - count over the 99 % quantile of the count by chance; infinite
          where that quantile is 0.
        * ``hyper_confidence`` (float) - chance that independence gives fewer orders with both.
        * ``p_value`` (float) - Fisher's exact test, one-sided: as many together by chance.
        * ``p_adjusted`` (float) - the same, adjusted for the number of rules tested.
        * ``improvement`` (float) - confidence minus the best confidence of all more general rules
          with this consequent, the one without any condition included.
        * ``redundant`` (bool) - whether `improvement` is not above 0.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range, a listed item is in no itemset, or parts of itemsets are
        missing.

    See Also
    --------
    item_pairs : Pairs, also with lift and p-values given the sizes of orders.
    productive_rules : The few that say more than chance given sizes and simpler rules.
    rule_windows : Whether a rule lasts.
    rule_value : What it is worth.
    NextItem : Recommendations judged on later orders.

    Notes
    -----
    Lift and p-values compare with items that are independent across orders, as if all orders were
    alike. A large order holds a bit of everything. Where orders differ much in size, items that
    have nothing to do with each other have a lift above 1 and tiny p-values: with the items of the
    Complete Journey shuffled over its lines, the median lift of pairs is 2.5.

    `improvement` compares with simpler rules and `rule_windows` a rule with itself at other times.
    Neither takes out the effect of size: a longer antecedent picks larger orders, too, and the
    effect is there in every window. `item_pairs`, `productive_rules` and `rule_value` do, by what
    they call expected given sizes. Whether rules help to recommend is judged on later orders, by
    the hold-out of `NextItem`.

    Orders of one customer are taken as independent. Where 40 customers buy again and again what
    they like, by chance, 22 % of rules that mean nothing have a p-value below 5 %.

    References
    ----------
    .. [1] Agrawal, R. and Srikant, R. (1994). Fast algorithms for mining association rules.
       *VLDB 1994*, 487-499.
    .. [2] Bayardo, R. J., Agrawal, R. and Gunopulos, D. (2000). Constraint-based rule mining in
       large, dense databases. *Data Mining and Knowledge Discovery* 4, 217-240. Improvement.
    .. [3] Hahsler, M. and Hornik, K. (2007). New probabilistic interest measures for association
       rules. *Intelligent Data Analysis* 11(5), 437-455. Hyper-lift and hyper-confidence.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import basket
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 2, 3, 3, 4],
    ...         "date": pd.Timestamp("2025-06-30"),
    ...         "product": ["bread", "butter", "bread", "butter", "bread", "milk", "milk"],
    ...     }
    ... )
    >>> itemsets = basket.frequent_itemsets(transactions, min_support=0.5)
    >>> rules = basket.association_rules(itemsets)
    >>> rules[["antecedent", "consequent", "count", "confidence", "lift"]].round(3)
      antecedent consequent  count  confidence   lift
    0   (bread,)  (butter,)      2       0.667  1.333
    1  (butter,)   (bread,)      2       1.000  1.333
    """
    min_confidence = check_number(min_confidence, "min_confidence")
    check_choice(adjust, "adjust", Adjustment)
    max_antecedent = check_optional(max_antecedent, "max_antecedent")
    max_consequent = check_optional(max_consequent, "max_consequent")
    table = read_itemsets(itemsets)
    with whole_table(table):
        rules = split_itemsets(
            table.levels,
            table.counts,
            table.index,
            table.n_baskets,
            min_confidence=min_confidence,
            max_antecedent=max_antecedent,
            max_consequent=max_consequent,
            in_antecedent=_side(table, antecedent, "antecedent"),
            in_consequent=_side(table, consequent, "consequent"),
        )
    count, a, c = (table.counts[part] for part in (rules.union, rules.antecedent, rules.consequent))
    n = np.full(len(count), table.n_baskets)
    measures = directed_measures(n, a, c, count) | symmetric_measures(n, a, c, count)
    # rules tested but not confident enough count as wholly unconvincing ones
    n_untested = rules.n_tested - len(count)
    adjusted = adjust_p_values(measures["p_value"], adjust, n_more=n_untested)
    improvement = measures["confidence"] - rules.general
    # numbers follow length and items, so that ties are broken by content
    order = np.lexsort((rules.consequent, rules.antecedent, -count, -measures["lift"]))
    if not check_flag(keep_redundant, "keep_redundant"):
        order = order[improvement[order] > 0]
    customers = {}
    if table.customers is not None:
        customers = {"customers": table.customers[rules.union[order]]}
    return pd.DataFrame(
        {
            "antecedent": table.names[rules.antecedent[order]],
            "consequent": table.names[rules.consequent[order]],
            "count": count[order],
            **customers,
            "count_antecedent": a[order],
            "count_consequent": c[order],
            "support": count[order] / table.n_baskets,
            **{name: measures[name][order] for name in MEASURES},
            "p_adjusted": adjusted[order],
            "improvement": improvement[order],
            "redundant": improvement[order] <= 0,
        }
    )


MEASURES = (
    "confidence",
    "lift",
    "leverage",
    "conviction",
    "zhang",
    "certainty",
    "cosine",
    "jaccard",
    "kulczynski",
    "imbalance_ratio",
    "odds_ratio",
    "phi",
    "chi_squared",
    "hyper_lift",
    "hyper_confidence",
    "p_value",
)


def _side(table: ItemsetTable, values: Iterable[Any] | None, name: str) -> Bools:
    """Return which items a side may hold."""
    if values is None:
        return np.ones(len(table.items), dtype=bool)
    allowed = np.zeros(len(table.items), dtype=bool)
    allowed[find_items(table.items, values, name, "itemsets")] = True
    return allowed
