"""Next best products per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd  # noqa: TC002 - annotations of what is learned are read when a model is loaded

from crmkit._checks import check_flag, check_number, check_optional
from crmkit._estimator import Model
from crmkit._log import read_log
from crmkit.basket._model.evaluate import judge_offers
from crmkit.basket._model.learning import as_tables, learn
from crmkit.basket._model.offers import offer_table, rank_offers
from crmkit.basket._model.strengths import check_items
from crmkit.basket._table.baskets import minimum_count
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


class NextItem(Model):
    """Rank the items a customer is likely to buy next.

    Two questions are kept apart. What comes *again* is told by how often and how lately the
    customer bought an item, relative to all its shopping days, and by the rhythm of the item
    over all customers [1]_ [2]_. What is *new* is told by links from the owned items, recent ones
    counting more, plus popularity: score_j = sum_i w_i strength_ij + weight popularity_j. Links
    are those of a linear model of all items at once (EASE [3]_), of which the strongest positive
    ones are kept; of more than 6,000 items, for which it would take too long, cosines in which each
    customer weighs one over its number of items.

    Both are turned into the chance to buy in the next `horizon_days`, so that owned and new items
    compete. How is learned inside `fit` from what was bought in the last `horizon_days`, by a
    model that sees only the days before (of at most 20,000 customers); then items and links are
    learned from the whole log. A log too short for that is balanced as groceries and gifts are.

    Memory does not grow with customers times items: a million scores are held at a time. The time
    of offers does: of 100,000 items name those that can be offered as `stock`.

    Parameters
    ----------
    horizon_days : int, default 30
        Days to look ahead. Popularity counts a purchase half at this age.
    half_life_days : float or None, default 180
        Age at which an owned item counts half in its links; None for no decay.
    min_support : float or int, default 5
        Smallest support of an item that is linked: the number of customers who own it as an
        integer, or their share as a float up to 1. Others are offered by popularity and habit.
    n_neighbours : int, default 100
        Strongest neighbours kept per item.

    Attributes
    ----------
    items_ : pandas.DataFrame
        ``item``, ``popularity`` (share of customers who bought it, recent ones counting more) and
        ``repeat_rate`` (share of purchases that the same customer repeats in `horizon_days`).
    neighbours_ : pandas.DataFrame
        ``item``, ``neighbour`` and ``strength``, by item.
    balance_ : pandas.DataFrame
        ``items`` (``"repeat"`` or ``"new"``), ``feature`` and ``weight`` in the log odds; counts,
        days and rates are logarithms there.
    popularity_weight_ : float
        Weight of popularity beside links.
    account_ : dict
        ``links``: ``"linear"`` or ``"cosine"``; ``balance_customers``: customers from whom the
        balance was learned, 0 where the log was too short.

    References
    ----------
    .. [1] Hu, H., He, X., Gao, J. and Zhang, Z.-L. (2020). Modeling personalized item frequency
       information for next-basket recommendation. *SIGIR 43*, 1071-1080.
    .. [2] Li, M., Jullien, S., Ariannezhad, M. and de Rijke, M. (2023). A next basket
       recommendation reality check. *ACM Transactions on Information Systems* 41(4), 116.
    .. [3] Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. *WWW 28*,
       3251-3257.

    Examples
    --------
    >>> from crmkit import basket, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> model = basket.NextItem().fit(log)
    >>> offers = model.predict(log, n_items=3)
    >>> list(offers.columns)
    ['customer_id', 'item', 'score', 'rank', 'owned']
    """

    items_: pd.DataFrame
    neighbours_: pd.DataFrame
    balance_: pd.DataFrame
    popularity_weight_: float
    account_: dict[str, Any]

    def __init__(
        self,
        *,
        horizon_days: int = 30,
        half_life_days: float | None = 180,
        min_support: float = 5,
        n_neighbours: int = 100,
    ) -> None:
        self.horizon_days = horizon_days
        self.half_life_days = half_life_days
        self.min_support = min_support
        self.n_neighbours = n_neighbours

    def fit(self, transactions: Any, *, as_of: Any = None) -> Self:
        """Learn habits, links between items, their popularity, and how these weigh.

        Parameters
        ----------
        transactions : DataFrame
            The log with ``customer_id``, ``date`` and ``product``. A refund is no purchase, and
            what it gives back is not owned by it.
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
        horizon = check_number(self.horizon_days, "horizon_days")
        half_life = check_optional(self.half_life_days, "half_life_days")
        n_neighbours = check_number(self.n_neighbours, "n_neighbours")
        log = read_log(transactions, needs=("product",), as_of=as_of).purchases
        support = self.min_support
        if support is None:  # a default elsewhere, but not here
            support = check_number(support, "min_support")
        least = minimum_count(support, log.n_customers)
        if not len(log.product_ids):
            raise InputError("`transactions`: column 'product' is missing in every row.")
        items, weights = learn(log, horizon, half_life, least, n_neighbours)
        self.items_, self.neighbours_, self.balance_ = as_tables(log.product_ids, items, weights)
        self.popularity_weight_ = weights.popularity
        self.account_ = {"links": items.links, "balance_customers": weights.customers}
        return self

    def _check_learned(self) -> None:
        """Raise ValueError unless items, their neighbours and the weights go together."""
        check_items(self.items_, self.neighbours_, self.balance_)
        if not 0 <= self.popularity_weight_ < np.inf:
            raise ValueError("its 'popularity_weight_' is below 0")

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
            bought again and again: owned and new items then compete by their chances.
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
            * ``score`` (float) - the chance that the customer buys it within `horizon_days`, as
              estimated from the days before; comparable between customers.
            * ``rank`` (int) - 1 for the best. Equal scores are ranked by popularity, then by item.
            * ``owned`` (bool) - whether the customer bought it before; such an item is in no row
              with `exclude_owned`.

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
        n_items = check_number(n_items, "n_items")
        offers = rank_offers(
            self,
            transactions,
            n_items=n_items,
            exclude_owned=exclude_owned,
            exclude=exclude,
            stock=stock,
            unwanted=unwanted,
            as_of=as_of,
            progress=progress,
        )
        return offer_table(offers, n_items)

    def evaluate(
        self,
        transactions: Any,
        *,
        horizon_days: int,
        as_of: Any = None,
        n_splits: int = 1,
        n_items: int = 10,
        exclude_owned: bool = True,
        confidence_level: float = 0.95,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Judge offers on what customers bought later, beside their habits and popularity.

        A copy of this model, of this horizon, is fitted on the log up to `as_of`; its offers are
        compared with the items bought in the `horizon_days` after it. The rivals are what anybody
        would offer without a model: a customer's own favourites (the items with most shopping
        days, then popular ones), and what is popular. Only customers who then bought an item that
        could be a hit count. With `n_splits` the same is done on as many earlier days, each
        `horizon_days` before the next, and a customer counts with its mean over them: its days
        are no independent witnesses. The intervals are about the fitted models: of what these show
        on other customers, those of 95 % held 92 to 96 in 100 in simulations; of what models
        fitted on other logs show on average, those of 95 % held about nine in ten, and those of
        differences from favourites eight in ten.

        Parameters
        ----------
        transactions : DataFrame
            The log with ``customer_id``, ``date`` and ``product``.
        horizon_days : int
            Days after `as_of` in which purchases count.
        as_of : date-like, optional
            Last day observed, inclusive: the last that the model sees. The default is
            `horizon_days` before the last date in the log.
        n_splits : int, default 1
            Days on which the offers are judged.
        n_items : int, default 10
            Items offered per customer.
        exclude_owned : bool, default True
            Offer, and count, only items new to the customer. Otherwise all items, and beside them
            owned ones and new ones alone, each with `n_items` offers of their own.
        confidence_level : float, default 0.95
            Level of the intervals.
        progress : bool, default False
            Show a progress bar.

        Returns
        -------
        pandas.DataFrame
            One row per kind of items, recommender and measure:

            * ``items`` - ``"all"``, ``"repeat"`` (owned) or ``"new"``.
            * ``recommender`` - ``"model"``, ``"favourites"`` (none among new items),
              ``"popularity"``, or a difference by customer: ``"model - favourites"``,
              ``"model - popularity"``.
            * ``measure`` - ``"hit_rate"``, the share of customers who bought an offered item;
              ``"recall"``, the mean share of a customer's later items that were offered; ``"mrr"``,
              the mean of 1 / rank of the first hit, 0 without one; ``"ndcg"``, the mean of
              discounted gains, 1 / log2(rank + 1) per hit, beside the best possible;
              ``"coverage"``, the share of known items offered to anyone, a mean over days.
            * ``customers`` (int) - customers judged.
            * ``estimate`` (float) - the measure.
            * ``std_error`` (float) - over customers; missing for coverage.
            * ``conf_low`` (float) - lower limit (Student's t); missing for coverage.
            * ``conf_high`` (float) - upper limit; missing for coverage.
            * ``verdict`` - of a difference with an interval: ``"better"``, ``"worse"`` or
              ``"no difference shown"``, as the interval lies above 0, below 0, or holds it;
              else ``"not tested"``.

        Raises
        ------
        MissingColumnsError
            If a column is absent.
        InputError
            If the log ends before the horizon or begins after a split, or nobody bought a
            countable item.
        """
        horizon_days = check_number(horizon_days, "horizon_days")
        n_items = check_number(n_items, "n_items")
        return judge_offers(
            self,
            transactions,
            horizon_days=horizon_days,
            as_of=as_of,
            n_splits=check_number(n_splits, "n_splits"),
            n_items=n_items,
            exclude_owned=check_flag(exclude_owned, "exclude_owned"),
            confidence_level=check_number(confidence_level, "confidence_level"),
            progress=check_flag(progress, "progress"),
        )
