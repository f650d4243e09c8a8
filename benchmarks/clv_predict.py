"""Predictions for a million customers, beside lifetimes 0.11.3.

P(alive), expected purchases over a year and the value of twelve months, for histories of whole
days drawn from a BG/NBD model. Both sides use the same parameters: lifetimes'
fitters are made from crmkit's models, so that nothing but predicting is timed.

lifetimes' value sums twelve months of 30 days, each discounted from its end; crmkit's discounts
every purchase from its moment over 360 days. The two are not equal and need not be; the difference
is printed. P(alive) and expected purchases must agree wherever lifetimes gives a number.

``predict`` gives P(alive) and purchases in one call; for P(alive) alone it is given no days.

Needs the extra ``lifetimes``. Usage: clv_predict.py [customers]

Last taken November 2026 on two shared, busy cores (Python 3.11, numpy 2.4.6, pandas 3.1.1). A
million customers with 446,924 distinct histories, CPU seconds crmkit / lifetimes, medians of five:
BG/NBD P(alive) 0.087 / 0.08, purchases 0.061 / 0.50, both 0.075 / 0.71, value 0.53 / 10.6;
Pareto/NBD P(alive) 0.30 / 4.6, purchases (with P(alive)) 0.27 / 4.6, lifetimes gave no number for
14 customers; value 0.43 / 116 (one run). Peaks of memory: 91 MB at most.

Taken anew on 30 November 2026 on a quiet machine, of the same two cores: BG/NBD P(alive) 0.069 /
0.07, purchases 0.050 / 0.47, both 0.058 / 0.59, value 0.37 / 9.2; Pareto/NBD P(alive) 0.21 / 4.4,
purchases 0.21 / 4.5, both 0.24 / 9.3 (lifetimes gave no number for 14 customers).
"""

import sys

import numpy as np
import pandas as pd
from _measure import timed

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


def compare(label, ours, theirs, *, repeats=5):
    """Time both in turn; print medians, the median ratio, peaks of memory and the largest gap."""
    runs = [(timed(ours), timed(theirs)) for _ in range(repeats)]
    own, peer = (float(np.median([run[side][0] for run in runs])) for side in (0, 1))
    ratio = float(np.median([theirs[0] / ours[0] for ours, theirs in runs]))
    own_mb, peer_mb = (max(run[side][1] for run in runs) for side in (0, 1))
    mine, other = (np.asarray(run[2]) for run in runs[0])
    given = np.isfinite(other)
    gap = np.abs(mine[given] - other[given]).max() if given.any() else np.nan
    print(
        f"{label:36s} crmkit {own:6.3f} s (+{own_mb:4.0f} MB)   lifetimes {peer:6.2f} s "
        f"(+{peer_mb:4.0f} MB)   ratio {ratio:5.1f}   largest gap {gap:.2g}   "
        f"lifetimes NaN {int((~given).sum()):,}",
        flush=True,
    )


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    import_lifetimes()
    customers = histories(n)
    sample = customers.head(50_000)
    spend = clv.GammaGamma(first_purchase=False).fit(sample)
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
            f"{name} P(alive) and purchases",
            lambda m=model: m.predict(customers, horizon_days=365).iloc[:, 1:],
            lambda f=fitter: np.column_stack(
                [f.conditional_probability_alive(x, t_x, T), f.predict(365, x, t_x, T)]
            ),
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
            repeats=1,
        )  # fmt: skip
        seconds, megabytes, _ = timed(lambda kind=kind: kind().fit(customers))
        print(f"{name + ' fit':36s} crmkit {seconds:6.3f} s (+{megabytes:4.0f} MB)", flush=True)


if __name__ == "__main__":
    main()
