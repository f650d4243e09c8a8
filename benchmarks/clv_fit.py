"""Purchase models beside lifetimes: fitting and predicting, single thread, CPU seconds.

Run with ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/clv_fit.py`` and, for the
slow rows, ``--slow`` (lifetimes' Pareto/NBD on a million customers takes minutes). Ratios are
medians over all pairs of runs; ours run before and after theirs, so that a busy machine hits both.

Taken 2026-11-30 on a quiet machine, Python 3.11, numpy 2.4.6, scipy 1.17.1, lifetimes 0.11.3, one
million customers, seconds ours / theirs: BG/NBD fit 0.13 / 11.6 in whole days (91 x), 0.64 / 10.6
in continuous time (17 x); P(alive) and purchases 0.054 / 0.61; value of a year 0.20 / 10.1 (51 x).
Pareto/NBD: P(alive) and purchases 0.11 / 1.4, value of a year
0.11 / 15.4 (137 x). CDNOW master, BG/NBD 0.010 / 0.28. The slow row, on a busy machine: Pareto/NBD
fit 1.0 / 295 in whole days (294 x). On 2026-11-22, busy: CDNOW master, Pareto/NBD 0.14 / 5.6;
PyMC-Marketing's MAP of the two 2.1 and 8.7.
"""

import argparse
import time
import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
from _measure import timed

from crmkit import clv

YEAR = 365.0


def million(kind, parameters, n, seed, *, whole_days):
    """Simulate n customers acquired over half a year, observed for up to 360 days."""
    model = kind()
    model.coefficients_ = np.log(parameters)
    rng = np.random.default_rng(seed)
    lengths = rng.integers(180, 361, n).astype(float)
    table = model.simulate(
        pd.DataFrame({"customer_id": np.arange(n), "T": lengths}), random_state=seed
    ).drop(columns="alive")
    if whole_days:
        day = np.clip(np.ceil(table["recency"]), 1, table["T"])
        table["recency"] = np.where(table["frequency"] > 0, day, 0.0)
    return table


def cpu(function, *, repeats):
    """Return CPU seconds of each run and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        seconds.append(time.process_time() - start)
    return seconds, result


def compare(label, ours, theirs, *, repeats=3, their_repeats=1):
    """Print the medians and the median of the ratios."""
    mine, _ = cpu(ours, repeats=repeats)
    other, _ = cpu(theirs, repeats=their_repeats)
    mine += cpu(ours, repeats=repeats)[0]
    ratio = float(np.median([o / m for o in other for m in mine]))
    print(f"{label:44s} {np.median(mine):9.3f} {np.median(other):9.3f} {ratio:8.1f} x", flush=True)


def value_of(fitter, table):
    """Return lifetimes' twelve-month value of customers at an amount of one."""
    import lifetimes

    return lifetimes.utils._customer_lifetime_value(
        fitter, table["frequency"], table["recency"], table["T"], 1.0, 12, 0.01, "D"
    )


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=1_000_000)
    options.add_argument("--slow", action="store_true", help="fit lifetimes' Pareto/NBD too")
    options.add_argument("--cdnow", action="store_true", help="fit the CDNOW customers only")
    chosen = options.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        print(f"{'':44s} {'crmkit':>9s} {'peer':>9s} {'ratio':>10s}")
        if chosen.cdnow:
            return _cdnow()
        cases = [
            ("BG/NBD", clv.BGNBD, lifetimes.BetaGeoFitter, (0.243, 30.9, 0.793, 2.426)),
            ("Pareto/NBD", clv.ParetoNBD, lifetimes.ParetoNBDFitter, (0.553, 74.0, 0.606, 81.7)),
        ]
        for name, kind, fitter, parameters in cases:
            for whole in (True, False):
                table = million(kind, parameters, chosen.customers, 1, whole_days=whole)
                columns = [table[column] for column in ("frequency", "recency", "T")]
                times = "whole days" if whole else "continuous times"
                if chosen.slow or kind is clv.BGNBD:
                    compare(
                        f"{name} fit, {times}",
                        lambda kind=kind, table=table: kind().fit(table),
                        lambda fitter=fitter, columns=columns: fitter().fit(*columns),
                    )
                if not whole:
                    continue
                model = kind().fit(table)
                megabytes = timed(lambda kind=kind, table=table: kind().fit(table))[1]
                print(f"{name + ' fit, peak memory (MB)':44s} {megabytes:9.0f}")
                small = table.sample(20_000, random_state=1)
                theirs = fitter().fit(*[small[c] for c in ("frequency", "recency", "T")])
                compare(
                    f"{name} P(alive) and purchases in 90 days",
                    lambda model=model, table=table: model.predict(table, horizon_days=90),
                    lambda theirs=theirs, columns=columns: (
                        theirs.conditional_probability_alive(*columns),
                        theirs.conditional_expected_number_of_purchases_up_to_time(90, *columns),
                    ),
                )
                compare(
                    f"{name} discounted purchases in a year",
                    lambda model=model, table=table: model.predict(
                        table, horizon_days=YEAR, annual_discount_rate=0.1
                    ),
                    lambda theirs=theirs, table=table: value_of(theirs, table),
                )
        return _cdnow()


def _cdnow():
    """Fit the 23,570 CDNOW customers."""
    import lifetimes

    from crmkit.datasets import load_cdnow

    table = clv.purchase_table(load_cdnow(), as_of="1997-09-30")
    columns = [table[column] for column in ("frequency", "recency", "T")]
    cases = [
        ("BG/NBD", clv.BGNBD, lifetimes.BetaGeoFitter, "BetaGeoModel"),
        ("Pareto/NBD", clv.ParetoNBD, lifetimes.ParetoNBDFitter, "ParetoNBDModel"),
    ]
    for name, kind, fitter, _ in cases:
        compare(
            f"{name} fit, CDNOW master, lifetimes",
            lambda kind=kind: kind().fit(table),
            lambda fitter=fitter: fitter().fit(*columns),
            repeats=9,
            their_repeats=5,
        )
    if find_spec("pymc_marketing") is None:
        print("PyMC-Marketing is not installed: its MAP is left out")
        return
    from pymc_marketing import clv as peer

    # Its priors are made for weeks. The first run compiles and is left out.
    weeks = table.assign(recency=table["recency"] / 7.0, T=table["T"] / 7.0)
    weeks = weeks[["customer_id", "frequency", "recency", "T"]]
    for name, kind, _, theirs in cases:

        def by_map(theirs=theirs):
            return getattr(peer, theirs)(data=weeks).fit(method="map", progressbar=False)

        by_map()
        compare(
            f"{name} fit, CDNOW master, PyMC MAP",
            lambda kind=kind: kind().fit(table),
            by_map,
            repeats=9,
            their_repeats=3,
        )


if __name__ == "__main__":
    main()
