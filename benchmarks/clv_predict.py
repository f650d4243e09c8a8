"""Predictions for a million customers, beside lifetimes 0.11.3.

P(alive), expected purchases over a year and the value of twelve months, for histories of whole
days drawn from a BG/NBD model. Both sides use the same parameters: lifetimes'
fitters are made from crmkit's models, so that nothing but predicting is timed.

lifetimes' value sums twelve months of 30 days, each discounted from its end; crmkit's discounts
every purchase from its moment over 360 days. The two are not equal and need not be; the difference
is printed. P(alive) and expected purchases must agree wherever lifetimes gives a number.

``predict`` gives P(alive) and purchases in one call; for P(alive) alone it is given no days.

Needs the extra ``lifetimes``. Usage: clv_predict.py [customers]

Last taken November 2026 on two shared, busy cores (Python 3.11, numpy 2.4, pandas 3.1).
A million customers with 446,924 distinct histories, CPU seconds, crmkit against lifetimes:
BG/NBD P(alive) 0.28 and 0.07, purchases 0.24 and 0.41, value 1.1 and 8.7; Pareto/NBD P(alive)
0.99 and 4.3, purchases 0.98 and 4.4 (lifetimes gave no number for 14 customers). 200,000
customers: Pareto/NBD value 0.6 and 8.3, BG/NBD value 1.0 and 1.7.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

from crmkit import clv
from crmkit.clv._lifetimes import import_lifetimes

RATE = 0.10


def histories(n, seed=0):
    """Draw histories in whole days from a BG/NBD model of a simulated shop."""
    rng = np.random.default_rng(seed)
    start = pd.DataFrame(
        {"customer_id": np.arange(n), "T": rng.integers(180, 540, n).astype(float)}
    )
    small = clv.purchase_table(seedlog(rng))
    model = clv.BGNBD().fit(small)
    drawn = model.simulate(start, random_state=seed)
    drawn["recency"] = np.minimum(np.ceil(drawn["recency"]), drawn["T"])
    drawn["frequency"] = np.minimum(drawn["frequency"], drawn["recency"].astype(int))
    drawn["recency"] = drawn["recency"].where(drawn["frequency"] > 0, 0.0)
    spend = rng.gamma(3.0, 12.0, n).round(2)
    drawn["monetary_value"] = np.where(drawn["frequency"] > 0, spend, 0.0)
    return drawn


def seedlog(rng):
    """Make a small log from which the parameters of the simulation come."""
    from crmkit import datasets

    return datasets.make_transactions(3000, random_state=int(rng.integers(1 << 30)))["transactions"]


def timed(function):
    """Return CPU seconds, growth of the peak resident size in MB, and the result."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    result = function()
    seconds = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return seconds, grown / 1024, result


def compare(label, ours, theirs):
    """Time both, crmkit first because the peak of memory never falls again."""
    own, own_mb, mine = timed(ours)
    peer, peer_mb, other = timed(theirs)
    mine, other = np.asarray(mine), np.asarray(other)
    given = np.isfinite(other)
    gap = np.abs(mine[given] - other[given]).max() if given.any() else np.nan
    print(
        f"{label:34s} crmkit {own:7.2f} s (+{own_mb:4.0f} MB)   lifetimes {peer:7.2f} s "
        f"(+{peer_mb:4.0f} MB)   ratio {peer / own:6.1f}   largest gap {gap:.2g}   "
        f"lifetimes NaN {int((~given).sum()):,}"
    )


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    import_lifetimes()
    customers = histories(n)
    sample = customers.head(50_000)
    spend = clv.GammaGamma().fit(sample)
    their_spend = spend.to_lifetimes()
    kinds = len(customers[["frequency", "recency", "T"]].drop_duplicates())
    print(f"{n:,} customers, {kinds:,} distinct histories\n")
    x, t_x, T = (customers[name] for name in ("frequency", "recency", "T"))
    for kind in (clv.BGNBD, clv.ParetoNBD):
        model = kind().fit(sample)
        fitter = model.to_lifetimes()
        name = kind.__name__
        compare(
            f"{name} P(alive)",
            lambda m=model: m.predict(customers, horizon_days=0)["p_alive"],
            lambda f=fitter: f.conditional_probability_alive(x, t_x, T),
        )
        compare(
            f"{name} purchases in 365 days",
            lambda m=model: m.predict(customers, horizon_days=365)["expected_purchases"],
            lambda f=fitter: f.predict(365, x, t_x, T),
        )
        compare(
            f"{name} value of 12 x 30 days",
            lambda m=model: clv.lifetime_value(
                customers, purchases=m, spend=spend, horizon_days=360, annual_discount_rate=RATE
            )["lifetime_value"],
            lambda f=fitter: their_spend.customer_lifetime_value(
                f, x, t_x, T, customers["monetary_value"], time=12, freq="D",
                discount_rate=(1 + RATE) ** (30 / 365) - 1,
            ),
        )  # fmt: skip


if __name__ == "__main__":
    main()
