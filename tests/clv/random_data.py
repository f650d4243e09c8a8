"""Random small data sets: few customers, flat surfaces, and optima on a boundary.

Run as a script to compute anew what lifetimes 0.11.3 finds, which takes minutes:
`python tests/clv/random_data.py` writes `found_by_lifetimes.json`.
"""

import contextlib
import io
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from crmkit import clv

FROZEN = Path(__file__).with_name("found_by_lifetimes.json")
FITTERS = {
    "BGNBD": "BetaGeoFitter",
    "MBGNBD": "ModifiedBetaGeoFitter",
    "ParetoNBD": "ParetoNBDFitter",
}
# Decimal logarithms of the parameters, lowest and highest.
RANGES = {
    "BGNBD": ([-1, 0, -1, -0.5], [0.7, 1.7, 0.7, 1]),
    "MBGNBD": ([-1, 0, -1, -0.5], [0.7, 1.7, 0.7, 1]),
    "ParetoNBD": ([-1, 0, -1, 0], [0.7, 1.7, 0.7, 2]),
}
SEEDS = range(120)


def random_customers(name, seed):
    """Draw 50 to 4,000 customers of a model with random parameters."""
    rng = np.random.default_rng(seed)
    n = int(10 ** rng.uniform(1.7, 3.6))
    lengths = rng.uniform(10, 60, n)
    model = getattr(clv, name)()
    model.coefficients_ = np.log(10.0) * rng.uniform(*RANGES[name])
    return model.simulate(pd.DataFrame({"customer_id": range(n), "T": lengths}), random_state=seed)


def lifetimes_fit(name, table):
    """Return lifetimes' parameters, or None where it raises; it prints and warns."""
    before = np.random.get_state()  # noqa: NPY002 - lifetimes draws its starts from there
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lifetimes

        np.random.seed(0)  # noqa: NPY002
        try:
            found = getattr(lifetimes, FITTERS[name])().fit(
                table["frequency"], table["recency"], table["T"]
            )
        except lifetimes.utils.ConvergenceError:
            return None
        finally:
            np.random.set_state(before)  # noqa: NPY002
    return found.params_.tolist()


def found_by_lifetimes(name, seed):
    """Return the exact log-likelihood at lifetimes' estimates, or None where it raises."""
    table = random_customers(name, seed)
    parameters = lifetimes_fit(name, table)
    if parameters is None:
        return None
    model = getattr(clv, name)()
    _, rows = model._rows(table)
    model._fit_rows(rows, at=parameters)
    return round(model.log_likelihood_, 6)


def main():
    """Freeze the log-likelihoods at lifetimes' estimates."""
    found = {name: [found_by_lifetimes(name, seed) for seed in SEEDS] for name in FITTERS}
    FROZEN.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
