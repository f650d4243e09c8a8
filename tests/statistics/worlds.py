"""Worlds whose truth is known, and how answers about them are judged."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2024-01-01")


def covered(low, high, truth):
    """Whether an interval holds the truth; missing where there is no interval."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    inside = (low <= truth) & (truth <= high)
    return np.where(np.isnan(low) | np.isnan(high), np.nan, inside)


def rejected(p_values, level=0.05):
    """Whether a p-value is below the level; missing where there is none."""
    p_values = np.asarray(p_values, dtype=float)
    return np.where(np.isnan(p_values), np.nan, p_values < level)


def tenures(rng, mean, seen=400.0):
    """Exponential lifetimes of given means, seen for a time that has nothing to do with them."""
    life, limit = rng.exponential(mean), rng.exponential(seen, len(mean))
    return {"tenure_days": np.minimum(life, limit), "churned": life <= limit}


def around_their_mean(value, low, high):
    """Whether intervals of replications, shape (n,), hold what these show on average.

    Their mean stands for the truth; each is moved away from it by as much as its own part in
    the mean draws it near.
    """
    value, low, high = (np.asarray(one, dtype=float) for one in (value, low, high))
    away = (value - value.mean()) * np.sqrt(len(value) / (len(value) - 1))
    return covered(low - value + away, high - value + away, 0.0)


def once(flag):
    """One replication with one flag."""
    return np.array([float(flag)])


def rows(flags):
    """One replication whose rows may hang together."""
    return np.asarray(flags, dtype=float).reshape(1, -1)


def grouped(n_groups, size, **columns):
    """A table of customers in groups of the same size, each of which stands for a replication."""
    ids = np.arange(n_groups * size)
    return pd.DataFrame({"customer_id": ids, "group": ids // size, **columns})


def log_of(bought, **columns):
    """The log of purchases, one row for each true cell of (customers, days)."""
    customer, day = np.nonzero(bought)
    date = START + pd.to_timedelta(day, unit="D")
    return pd.DataFrame({"customer_id": customer, "date": date, **columns})


def money(rng, size, sigma):
    """Lognormal amounts of mean 1: the larger `sigma`, the heavier the tail."""
    return rng.lognormal(-(sigma**2) / 2, sigma, size)


# Five customers by the one number that is known of them.
GRID = pd.DataFrame({"customer_id": range(5), "number": [-0.8, -0.4, 0.0, 0.4, 0.8]})


def effects(rng, model, *, bent, n=1500):
    """Coverage of what an offer to a random half adds, on average and by the estimate.

    The effect rises in a straight line; or, bent, it doubles small chances and adds little to
    large ones. What an interval has to hold is the mean effect of customers with its estimate.
    """

    def logistic(x):
        return 1 / (1 + np.exp(-x))

    def base(x):
        return logistic(-1 + 2.5 * x) if bent else 0.3

    def effect(x):
        return logistic(2.5 * x) - base(x) if bent else 0.15 + 0.15 * x

    table = pd.DataFrame({"customer_id": range(n), "number": rng.uniform(-1, 1, n)})
    table["offered"] = rng.integers(0, 2, n)
    chance = base(table["number"]) + effect(table["number"]) * table["offered"]
    table["returned"] = (rng.random(n) < chance).astype(int)
    model.fit(table, outcome="returned", treated="offered", columns=["number"])
    everybody = pd.DataFrame({"customer_id": range(2001), "number": np.linspace(-1, 1, 2001)})
    grid, scores, average = model.predict(GRID), model.scores_, model.effects_
    estimates = model.predict(everybody)["uplift"].to_numpy()
    alike = np.argsort(estimates, kind="stable")
    estimates = estimates[alike]
    true = effect(everybody["number"].to_numpy())[alike]

    def of_alike(found):
        """The mean effect of customers with each estimate, at least two in a hundred of all."""
        first, last = (
            np.searchsorted(estimates, found["uplift"], side) for side in ("left", "right")
        )
        middle = np.clip((first + last) // 2, 20, len(true) - 21)
        first, last = np.minimum(first, middle - 20), np.maximum(last, middle + 21)
        sums = np.r_[0.0, np.cumsum(true)]
        return (sums[last] - sums[first]) / (last - first)

    return {
        "average": covered(average["conf_low"], average["conf_high"], true.mean()),
        "grid": rows(covered(grid["conf_low"], grid["conf_high"], of_alike(grid))),
        "scores": rows(covered(scores["conf_low"], scores["conf_high"], of_alike(scores))),
    }


def reasons(rng, model, *, n, base, effect):
    """Tests of five numbers, the first of which the effect of an offer rises with, or none."""
    table = pd.DataFrame(rng.uniform(-1, 1, (n, 5))).add_prefix("number")
    table = table.assign(customer_id=range(n), offered=rng.integers(0, 2, n))
    chance = base + effect * (1 + table["number0"]) / 2 * table["offered"]
    table["returned"] = (rng.random(n) < chance).astype(int)
    model.fit(table, outcome="returned", treated="offered")
    found = model.drivers_.set_index("variable")["p_value"]
    return {"first": rejected(found[["number0"]]), "all": rows(rejected(found))}
