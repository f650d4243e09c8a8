"""Posteriors of purchase models beside PyMC-Marketing's NUTS: the same priors, single thread.

Run with ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/clv_posterior.py``; needs
pymc-marketing. The data are CDNOW's sample of 2,357 customers, given as a file of ``Id, Date, CDs,
Price`` by ``--sample``, or the tenth of ``load_cdnow`` without it. PyMC-Marketing's own models take
priors of each parameter alone; here its likelihoods get crmkit's weak priors, which are of days,
chances and spreads, so that both sides draw from one posterior. Compiling is left out, tuning is
not: without it there are no draws. ``--models`` chooses; for Pareto/NBD NUTS takes minutes, so that
``--customers`` takes a part of the sample, and ``--draws`` and ``--tune`` fewer of both.

Taken 2026-11-30 on two shared, very busy cores, Python 3.11, numpy 2.4.6, PyMC 5.28.5,
PyMC-Marketing 0.19.2, CPU seconds ours / theirs: BG/NBD 0.10 / 7.7, gamma-gamma 0.036 / 2.5.
Pareto/NBD of 150 customers, 600 draws after 200 to tune, one round, with PyMC 6.3.2 and
PyMC-Marketing 1.3.0 on Python 3.12: 0.21 / 240; means within 2.1 Monte-Carlo errors, and within 2.2
of NUTS where 20,000 are drawn here.
"""

import argparse
import os
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd

from crmkit import clv


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


def rates(told, typical, spread):
    """Return shape and rate of rates that are gamma-distributed, by their quantities."""
    shape = told[spread].exp()
    return shape, told[typical].exp() * shape


def bg_nbd(told, table):
    """Return the parameters of BG/NBD by name, and PyMC-Marketing's distribution."""
    r, alpha = rates(told, "gap_days", "gap_spread")
    both, odds = told["dropout_spread"].exp(), told["p_dropout"].exp()
    leaving = {"a": both * odds / (1 + odds), "b": both / (1 + odds)}
    return {"r": r, "alpha": alpha, **leaving}, seen("BetaGeoNBD", table)


def pareto_nbd(told, table):
    """Return the parameters of Pareto/NBD by name, and PyMC-Marketing's distribution."""
    r, alpha = rates(told, "gap_days", "gap_spread")
    s, beta = rates(told, "life_days", "life_spread")
    return {"r": r, "alpha": alpha, "s": s, "beta": beta}, seen("ParetoNBD", table)


def seen(distribution, table):
    """Return what puts the histories into a model."""
    from pymc_marketing.clv import distributions

    kind, data = getattr(distributions, distribution), table[["recency", "frequency"]].to_numpy()
    return lambda given: kind("seen", **given, T=table["T"].to_numpy(), observed=data)


def gamma_gamma(told, table):
    """Return the parameters of the gamma-gamma by name, and its density of total amounts.

    PyMC-Marketing has it inside a model of its own; a total over v is beta-prime with p x and q.
    """
    import pymc as pm
    import pytensor.tensor as pt

    orders = table["frequency"].to_numpy(float)
    total = orders * table["monetary_value"].to_numpy()
    p, q = told["order_spread"].exp(), told["amount_spread"].exp()

    def put(given):
        p, q, v = (given[name] for name in "pqv")
        beta = pt.gammaln(p * orders) + pt.gammaln(q) - pt.gammaln(p * orders + q)
        pm.Potential(
            "seen", (p * orders - 1) * np.log(total) + q * pt.log(v)
            - (p * orders + q) * pt.log(total + v) - beta,
        )  # fmt: skip

    return {"p": p, "q": q, "v": told["amount"].exp() * q / p}, put


def peer(build, table, prior):
    """Return PyMC's model: quantities normal on their scales, parameters made of them."""
    import pymc as pm

    with pm.Model() as model:
        parameters, put = build({name: pm.Normal(name, *prior[name]) for name in prior}, table)
        put({name: pm.Deterministic(name, value) for name, value in parameters.items()})
    return model


def cpu(function):
    """Return CPU seconds and the result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def compare(name, make, build, table, rounds, n_draws, tune):
    """Print both posteriors, in logarithms, and the times."""
    import pymc as pm

    def ours(seed):
        return make(prior="weak", n_draws=n_draws, random_state=seed).fit(table)

    def theirs(seed, draws=n_draws // 2, tune=tune):
        with model:
            return pm.sample(
                draws=draws, tune=tune, chains=2, cores=1, random_seed=seed, progressbar=False,
                compute_convergence_checks=False,
            )  # fmt: skip

    first = ours(0)
    model = peer(build, table, normals(first))
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
    print(f"{name}, {n_draws} draws each: {told}; {first.posterior_}", flush=True)
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


MODELS = {
    "BG/NBD": (clv.BGNBD, bg_nbd),
    "Pareto/NBD": (clv.ParetoNBD, pareto_nbd),
    "gamma-gamma": (partial(clv.GammaGamma, first_purchase=False), gamma_gamma),
}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sample", help="file of CDNOW's sample")
    options.add_argument("--customers", type=int, help="so many of them, drawn by a seed")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--draws", type=int, default=1000, help="kept; by NUTS in two chains")
    options.add_argument("--tune", type=int, default=500)
    options.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    chosen = options.parse_args()
    table = customers(chosen.sample)
    if chosen.customers:
        table = table.sample(chosen.customers, random_state=0).reset_index(drop=True)
    print(f"{len(table):,} customers, {os.cpu_count()} cores")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in chosen.models:
            make, build = MODELS[name]
            some = table if build is not gamma_gamma else table[table["monetary_value"] > 0]
            compare(name, make, build, some, chosen.rounds, chosen.draws, chosen.tune)


if __name__ == "__main__":
    main()
