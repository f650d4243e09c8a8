"""Rules put to use: what a tree or a table of bins says of customers it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers, sorted_codes, to_pandas, with_account
from crmkit.errors import InputError
from crmkit.response._table.rules import read_rules

__all__ = ["rule_scores"]

# What a row of rules says, and the column of scores that it becomes.
_SAYS = {"rate": "p_response", "uplift": "uplift", "woe": "woe"}


def rule_scores(customers: Any, rules: Any) -> pd.DataFrame:
    """Score customers by the rules of a tree, or by the bins of variables.

    The scores go wherever a model's go: to :func:`gains_table` to be judged on new customers, to
    :func:`select_targets` to choose whom to contact. Nothing in a rule is run, so that rules may
    come from a file.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id`` and the columns that the rules name.
    rules : DataFrame
        What :func:`response_tree`, :func:`uplift_tree` or :func:`woe_table` gave, or a part of it:
        ``rule`` and what it says of who fits, ``rate``, ``uplift`` or ``woe``, with ``customers``,
        the number that was measured on.

    Returns
    -------
    pandas.DataFrame
        One row per customer in the order given, for bins one per customer and variable:

        * ``customer_id`` - as given.
        * ``variable`` (str) - the column; only for bins.
        * ``segment`` (Int64) - the tree's group, only for trees; missing for whom no rule fits, as
          with a value that was never missing before.
        * ``bin`` (str) - the variable's bin likewise; only for bins.
        * ``p_response`` (float) - the rate of these customers then, of all where no rule fits; only
          where rules have rates.
        * ``uplift`` (float) - the effect likewise; only for the rules of an uplift tree.
        * ``woe`` (float) - the weight of evidence, 0 where no rule fits; only for bins.

        ``attrs["account"]`` counts the rows that no rule fits (``without_rule``).

    Raises
    ------
    MissingColumnsError
        If `customers` lacks a column that a rule names.
    InputError
        If a rule cannot be read, or two rules fit one customer.

    Notes
    -----
    Groups and bins were chosen for their rates: of the customers they were found on the scores
    tell too much, and those of a few customers are too far from the rate of all. The rules of an
    honest uplift tree were measured on others.

    Examples
    --------
    >>> from crmkit import datasets, response
    >>> past, coming = (datasets.make_campaign(3000, random_state=seed) for seed in (0, 1))
    >>> tree = response.response_tree(past, outcome="responded", columns=["recency_days", "age"])
    >>> scores = response.rule_scores(coming, tree)
    >>> gains = response.gains_table(coming, scores, outcome="responded", n_bins=2)
    >>> bool(gains["rate"].iloc[0] > gains["rate"].iloc[1])
    True
    """
    people = read_customers(customers)
    table = _read_table(rules)
    by_variable = "variable" in table.columns
    variable, names = (
        sorted_codes(table["variable"]) if by_variable else (np.zeros(len(table), np.int64), [""])
    )
    first = np.unique(variable, return_index=True)[1]
    order = np.argsort(first)  # as the table has them
    place = np.argsort(order)[variable]
    fitting = np.full((len(people), order.size), -1)
    twice = np.zeros(len(people), dtype=bool)
    for at, fits in enumerate(read_rules(table["rule"], people)):
        twice |= fits & (fitting[:, place[at]] >= 0)
        fitting[fits, place[at]] = at
    problems = Problems("customers")
    problems.rows(
        twice, "two rules fit", do="Give the rules of one tree, or the bins of one table.",
        values=people["customer_id"],
    )  # fmt: skip
    problems.raise_if_any()
    row = fitting.ravel()
    ids = people["customer_id"].repeat(order.size).reset_index(drop=True)
    found: dict[str, Any] = {"customer_id": ids}
    if by_variable:
        found["variable"] = np.tile(np.asarray(names, dtype=object)[order], len(people))
    for name in ("segment", "bin"):
        if name in table.columns:
            found[name] = table[name].astype("Int64" if name == "segment" else object)
            found[name] = found[name].reindex(np.where(row < 0, len(table), row)).array
    weight = table["customers"].to_numpy()
    for name, called in _SAYS.items():
        if name in table.columns:
            said = table[name].to_numpy()
            count = np.bincount(place, weights=weight)
            usual = np.bincount(place, weights=weight * said) / count
            else_ = np.tile(usual if name != "woe" else np.zeros(order.size), len(people))
            found[called] = np.where(row < 0, else_, said[row])
    return with_account(pd.DataFrame(found), {"without_rule": int((row < 0).sum())})


def _read_table(rules: Any) -> pd.DataFrame:
    """Return the rules with what they say as numbers."""
    table = to_pandas(rules, "rules", needs=["rule", "customers"]).reset_index(drop=True)
    says = [name for name in _SAYS if name in table.columns]
    if not len(table) or not set(says) - {"woe"}:
        raise InputError(
            "`rules` needs rows, and a column 'rate' or 'uplift': give what response_tree, "
            "uplift_tree or woe_table made."
        )
    problems = Problems("rules")
    for name in ("customers", *says):
        table[name] = number_array(table[name], problems, name)
    problems.raise_if_any()
    return table
