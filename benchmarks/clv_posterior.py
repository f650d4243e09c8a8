"""Posteriors of purchase models beside PyMC-Marketing's NUTS: the same priors, single thread.

Run with ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/clv_posterior.py``; needs
pymc-marketing. The data are CDNOW's sample of 2,357 customers, given as a file of ``Id, Date, CDs,
Price`` by ``--sample``, or the tenth of ``load_cdnow`` without it. PyMC-Marketing's own models take
priors of each parameter alone; here its likelihoods get crmkit's weak priors, which are of days,
chances and spreads, so that both sides draw from one posterior. Compiling is left out, tuning is
not: without it there are no draws. ``--quick`` leaves out Pareto/NBD, for which NUTS takes minutes.

Taken 2026-11-30 on two shared, very busy cores, Python 3.11, numpy 2.4.6, PyMC 5.28.5,
PyMC-Marketing 0.19.2, CPU seconds ours / theirs: BG/NBD 0.12 / 8.2.
"""

import argparse
import os
import time
import warnings

import numpy as np
import pandas as pd

from crmkit import clv

DRAWS = 1000  # kept on both sides: PyMC in two chains


def customers(path):
    """Return the table of the sample up to the end of September 1997."""
    if path:
        log = pd.read_csv(path)
        log = pd.DataFrame(
            {
                "customer_id": log["Id"],
                "date": pd.to_datetime(log["Date"].astype(str)),
                "amount": log["Price"],
            }
        )
    else:
        from crmkit.datasets import load_cdnow

        log = load_cdnow()
        log = log[log["customer_id"] % 10 == 0]
    return clv.purchase_table(log, as_of="1997-09-30")


def normals(model):
    """Return mean and deviation of crmkit's weak prior, each quantity on its scale."""
    from crmkit.clv._math.prior import to_scale

    scales = {q.name: q.scale for q in model._law.quantities}
    prior = model.prior_.set_index("term")[["low", "high"]]
    found = {}
    for name, row in prior.iterrows():
        low, high = (float(to_scale(np.float64(x), scales[name])) for x in row)
        found[name] = ((low + high) / 2, abs(high - low) / (2 * 1.959964))
    return found


def peer_bgnbd(table, prior):
    """Return PyMC's model with PyMC-Marketing's likelihood of BG/NBD."""
    import pymc as pm
    from pymc_marketing.clv.distributions import BetaGeoNBD

    with pm.Model() as model:
        gap, shape, odds, size = (pm.Normal(name, *prior[name]) for name in prior)
        r = pm.Deterministic("r", pm.math.exp(shape))
        alpha = pm.Deterministic("alpha", pm.math.exp(gap + shape))
        share, both = pm.math.sigmoid(odds), pm.math.exp(size)
        a = pm.Deterministic("a", share * both)
        b = pm.Deterministic("b", (1 - share) * both)
        seen = table[["recency", "frequency"]].to_numpy()
        BetaGeoNBD("seen", a=a, b=b, r=r, alpha=alpha, T=table["T"].to_numpy(), observed=seen)
    return model


def peer_pareto(table, prior):
    """Return PyMC's model with PyMC-Marketing's likelihood of Pareto/NBD."""
    import pymc as pm
    from pymc_marketing.clv.distributions import ParetoNBD

    with pm.Model() as model:
        gap, shape, life, leaving = (pm.Normal(name, *prior[name]) for name in prior)
        r = pm.Deterministic("r", pm.math.exp(shape))
        alpha = pm.Deterministic("alpha", pm.math.exp(gap + shape))
        s = pm.Deterministic("s", pm.math.exp(leaving))
        beta = pm.Deterministic("beta", pm.math.exp(life + leaving))
        seen = table[["recency", "frequency"]].to_numpy()
        ParetoNBD("seen", r=r, alpha=alpha, s=s, beta=beta, T=table["T"].to_numpy(), observed=seen)
    return model


def cpu(function):
    """Return CPU seconds and the result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def compare(name, kind, peer, table, rounds, tune):
    """Print both posteriors, in logarithms, and the times."""
    import pymc as pm

    def ours(seed):
        return kind(prior="weak", n_draws=DRAWS, random_state=seed).fit(table)

    def theirs(seed, draws=DRAWS // 2, tune=tune):
        with model:
            return pm.sample(
                draws=draws, tune=tune, chains=2, cores=1, random_seed=seed, progressbar=False,
                compute_convergence_checks=False,
            )  # fmt: skip

    first = ours(0)
    model = peer(table, normals(first))
    theirs(0, draws=2, tune=2)  # compiles
    quick, slow, traces = [], [], []
    for seed in range(1, rounds + 1):
        before = [cpu(lambda s=s: ours(s))[0] for s in range(3)]
        seconds, trace = cpu(lambda s=seed: theirs(s))
        after = [cpu(lambda s=s: ours(s))[0] for s in range(3)]
        quick.append(float(np.median(before + after)))
        slow.append(seconds)
        traces.append(trace)
    ratio = np.median(np.array(slow) / np.array(quick))
    told = f"crmkit {np.median(quick):.3f} s, NUTS {np.median(slow):.1f} s, {ratio:.0f} x"
    print(f"{name}, {DRAWS} draws each: {told}; {first.posterior_}", flush=True)
    same(first, traces)


def same(model, traces):
    """Print means and deviations of logarithms by both, and the gap in Monte-Carlo errors."""
    import arviz as az

    for place, name in enumerate(model._law.names):
        ours = model.coefficient_draws_[:, place]
        chains = np.log(np.concatenate([t.posterior[name].to_numpy() for t in traces]))
        worth, spread = float(az.ess(chains)), float(chains.std())
        error = np.sqrt(1.0 / worth + 1.0 / len(ours))
        gap = (ours.mean() - chains.mean()) / (spread * error)
        wider = np.log(ours.std() / spread) / (np.sqrt(0.5) * error)
        print(
            f"  ln {name:6s} means {ours.mean():.4f} {chains.mean():.4f} ({gap:+.1f} errors), "
            f"deviations {ours.std():.4f} {spread:.4f} ({wider:+.1f}); NUTS worth {worth:.0f}",
            flush=True,
        )


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sample", help="file of CDNOW's sample")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--tune", type=int, default=500)
    options.add_argument("--quick", action="store_true", help="BG/NBD alone")
    chosen = options.parse_args()
    table = customers(chosen.sample)
    print(f"{len(table):,} customers, {os.cpu_count()} cores")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [("BG/NBD", clv.BGNBD, peer_bgnbd), ("Pareto/NBD", clv.ParetoNBD, peer_pareto)]
        for name, kind, peer in models[: 1 if chosen.quick else 2]:
            compare(name, kind, peer, table, chosen.rounds, chosen.tune)


if __name__ == "__main__":
    main()
