"""Next best products per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_flag, check_number, check_optional
from crmkit._estimator import Model
from crmkit.basket._math import recommend
from crmkit.basket._math.mining import mine_itemsets
from crmkit.basket._model.evaluate import compare, refitted
from crmkit.basket._model.offers import make_offers
from crmkit.basket._model.strengths import ItemStrengths, check_strengths, pair_strengths
from crmkit.basket._table.baskets import minimum_count, read_baskets
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit.basket._table.baskets import Unit


class NextItem(Model):
    """Rank the items a customer is likely to buy next.

    An item scores by what the customer bought before: the mean, weighted by recency, of its
    strength to each of these items, plus its popularity. Strength is ``rules`` times the confidence
    of the rule between the two, if the rule is no product of chance (Fisher's exact test,
    Benjamini-Hochberg at 5 %), plus ``similarity`` times their cosine. Where owned items may be
    offered again, the share of the customer's shopping days with the item is added (unless
    popularity alone recommends).

    Parameters
    ----------
    rules : float, default 0.2
        Weight of the confidence of rules, which favours frequent items.
    similarity : float, default 1.0
        Weight of the cosine between items, which favours special ones.
    popularity : float, default 0.01
        Weight of the share of customers who bought an item, recent ones counting more. With the
        other two at 0 this alone recommends: the baseline of `evaluate`. A little of it serves
        customers of whom nothing else is known.
    half_life_days : float or None, default 180
        Age at which a purchase counts half; None for no decay.
    unit : {"customer", "order"}
        Whether two items belong together because customers buy both ever or in one order.
    min_support : float or int, default 5
        Smallest support of a pair: a number of customers (or orders) as an integer, or their share
        as a float up to 1.
    n_neighbours : int, default 100
        Strongest neighbours kept per item.

    Attributes
    ----------
    items_ : pandas.DataFrame
        ``item`` and ``popularity``.
    neighbours_ : pandas.DataFrame
        ``item``, ``neighbour`` and ``strength``, by item.

    References
    ----------
    .. [1] Sarwar, B., Karypis, G., Konstan, J. and Riedl, J. (2001). Item-based collaborative
       filtering recommendation algorithms. *WWW 10*, 285-295.
    .. [2] Deshpande, M. and Karypis, G. (2004). Item-based top-N recommendation algorithms. *ACM
       Transactions on Information Systems* 22(1), 143-177.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> model = basket.NextItem().fit(log)
    >>> offers = model.predict(log, n_items=3)
    >>> list(offers.columns)
    ['customer_id', 'item', 'score', 'rank']
    """

    items_: pd.DataFrame
    neighbours_: pd.DataFrame

    def __init__(
        self,
        *,
        rules: float = 0.2,
        similarity: float = 1.0,
        popularity: float = 0.01,
        half_life_days: float | None = 180,
        unit: Unit = "customer",
        min_support: float = 5,
        n_neighbours: int = 100,
    ) -> None:
        self.rules = rules
        self.similarity = similarity
        self.popularity = popularity
        self.half_life_days = half_life_days
        self.unit = unit
        self.min_support = min_support
        self.n_neighbours = n_neighbours

    def fit(self, transactions: Any, *, as_of: Any = None) -> Self:
        """Learn strengths between items and their popularity.

        Parameters
        ----------
        transactions : DataFrame
            The log with ``customer_id``, ``date``, ``product`` and, if there is one, ``order_id``.
            A refund is no purchase, and what it gives back is not owned by it.
        as_of : date-like, optional
            Last day observed, inclusive. The default is the last date in the log.

        Returns
        -------
        NextItem
            The fitted model.

        Raises
        ------
        MissingColumnsError
            If a column is absent.
        InputError
            If a parameter is out of range or no line has a product.
        """
        names = ("rules", "similarity", "popularity")
        weights = {name: check_number(getattr(self, name), name) for name in names}
        if not sum(weights.values()) > 0:
            raise InputError("One of `rules`, `similarity` and `popularity` must be above 0.")
        half_life = check_optional(self.half_life_days, "half_life_days")
        n_neighbours = check_number(self.n_neighbours, "n_neighbours")
        lines = read_baskets(transactions, unit=self.unit, as_of=as_of)
        n_items = len(lines.items)
        if not n_items:
            raise InputError("`transactions`: column 'product' is missing in every row.")
        log = lines.log
        _, item, day = recommend.last_days(
            log.customer[lines.line], lines.item, log.day[lines.line]
        )
        weight = recommend.decay(log.as_of - day, half_life)
        share = np.bincount(item, weights=weight, minlength=n_items) / log.n_customers
        self.items_ = pd.DataFrame({"item": lines.items, "popularity": share})
        found = mine_itemsets(
            lines.basket,
            lines.item,
            n_baskets=lines.n_baskets,
            n_items=n_items,
            min_count=minimum_count(self.min_support, lines.n_baskets),
            max_length=2,
        )
        first, second, strength = pair_strengths(
            found,
            n_items,
            rules=weights["rules"],
            similarity=weights["similarity"],
            n_neighbours=n_neighbours,
        )
        self.neighbours_ = pd.DataFrame(
            {
                "item": lines.items[first],
                "neighbour": lines.items[second],
                "strength": strength,
            }
        )
        return self

    def _check_learned(self) -> None:
        """Raise ValueError unless items and their neighbours go together."""
        check_strengths(self.items_, self.neighbours_)

    def predict(
        self,
        transactions: Any,
        *,
        n_items: int = 10,
        exclude_owned: bool = True,
        exclude: Iterable[Any] | None = None,
        stock: Iterable[Any] | None = None,
        unwanted: Any = None,
        as_of: Any = None,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Rank the next best items of every customer in a log.

        Parameters
        ----------
        transactions : DataFrame
            The histories: a log with ``customer_id``, ``date`` and ``product``, the one the model
            was fitted on or another. Items that the model does not know are passed over.
        n_items : int, default 10
            Items per customer, at most.
        exclude_owned : bool, default True
            Leave out what the customer has bought before. Set it to False for goods that are
            bought again and again.
        exclude : list of items, optional
            Never offered to anyone.
        stock : list of items, optional
            Only these can be offered.
        unwanted : DataFrame, optional
            Columns ``customer_id`` and ``item``: what a customer does not want to be offered.
        as_of : date-like, optional
            Last day observed, inclusive. The default is the last date in the log.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        pandas.DataFrame
            One row per customer and offered item, customers in the order in which they first
            appear in `transactions`:

            * ``customer_id`` - as given.
            * ``item`` - the offered item.
            * ``score`` (float) - as described in the class, above 0; comparable between customers.
            * ``rank`` (int) - 1 for the best. Equal scores are ranked by popularity, then by item.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        MissingColumnsError
            If a column is absent.
        InputError
            If an option is out of range.
        """
        self._check_fitted()
        strengths = ItemStrengths(
            items=self.items_,
            neighbours=self.neighbours_,
            half_life_days=check_optional(self.half_life_days, "half_life_days"),
            popularity=check_number(self.popularity, "popularity"),
            by_history=self.rules + self.similarity > 0,
        )
        return make_offers(
            strengths,
            transactions,
            n_items=check_number(n_items, "n_items"),
            exclude_owned=exclude_owned,
            exclude=exclude,
            stock=stock,
            unwanted=unwanted,
            as_of=as_of,
            progress=progress,
        )

    def evaluate(
        self,
        transactions: Any,
        *,
        horizon_days: int,
        as_of: Any = None,
        n_items: int = 10,
        exclude_owned: bool = True,
        confidence_level: float = 0.95,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Judge offers on what customers bought later, beside offering what is popular.

        A copy of this model is fitted on the log up to `as_of`; its offers are compared with the
        items bought in the `horizon_days` after it. Only customers who then bought an item that
        could be a hit (with `exclude_owned`, one new to them) count.

        Parameters
        ----------
        transactions : DataFrame
            The log with ``customer_id``, ``date``, ``product`` and, if there is one, ``order_id``.
        horizon_days : int
            Days after `as_of` in which purchases count.
        as_of : date-like, optional
            Last day observed, inclusive: the last that the model sees. The default is
            `horizon_days` before the last date in the log.
        n_items : int, default 10
            Items offered per customer.
        exclude_owned : bool, default True
            Offer, and count, only items new to the customer.
        confidence_level : float, default 0.95
            Level of the intervals.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        pandas.DataFrame
            One row per recommender (``"model"``, ``"popularity"`` and their ``"difference"``, by
            customer) and measure:

            * ``recommender`` - which one.
            * ``measure`` - ``"hit_rate"``, the share of customers who bought an offered item;
              ``"recall"``, the mean share of a customer's later items that were offered; ``"mrr"``,
              the mean of 1 / rank of the first hit, 0 without one; ``"coverage"``, the share of
              known items offered to anyone.
            * ``customers`` (int) - customers judged.
            * ``estimate`` (float) - the measure.
            * ``std_error`` (float) - over customers; missing for coverage.
            * ``conf_low`` (float) - lower limit (Student's t); missing for coverage.
            * ``conf_high`` (float) - upper limit; missing for coverage.

        Raises
        ------
        MissingColumnsError
            If a column is absent.
        InputError
            If the log ends before the horizon, or nobody bought a countable item in it.
        """
        alone: dict[str, float] = {"rules": 0, "similarity": 0, "popularity": 1}
        options: dict[str, Any] = {
            "n_items": check_number(n_items, "n_items"),
            "exclude_owned": check_flag(exclude_owned, "exclude_owned"),
            "progress": check_flag(progress, "progress"),
        }
        return compare(
            {
                "model": refitted(self, transactions, **options),
                "popularity": refitted(self, transactions, alone, **options),
            },
            transactions,
            horizon_days=horizon_days,
            as_of=as_of,
            exclude_owned=exclude_owned,
            confidence_level=confidence_level,
        )
