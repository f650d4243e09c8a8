"""How often 95 % intervals cover the truth, on data drawn from the models themselves.

Run as a script for the table in the documentation: `python tests/clv/coverage.py`. It takes
minutes.
"""

import sys
import time

import numpy as np
import pandas as pd

from crmkit import clv

HISTORY = {"frequency": [0, 3, 12], "recency": [0.0, 100.0, 290.0], "T": [300.0, 300.0, 300.0]}
DONORS = {"frequency": [0, 2, 6], "recency": [0, 4, 6], "periods": [6, 6, 6]}
MEMBERS = {"periods": [0, 2, 6], "churned": [False, False, False]}
SPENDERS = {"frequency": [0, 2, 9], "monetary_value": [0.0, 40.0, 20.0]}

# Model, its options, true parameters, and the customers whose expectation is judged.
CASES = {
    "BG/NBD": (clv.BGNBD, {}, [0.8, 30.0, 0.9, 2.5], HISTORY),
    "MBG/NBD": (clv.MBGNBD, {}, [0.8, 30.0, 0.9, 2.5], HISTORY),
    "Pareto/NBD": (clv.ParetoNBD, {}, [0.8, 30.0, 0.9, 100.0], HISTORY),
    "BG/CNBD-2": (clv.BGCNBD, {"k": 2}, [1.2, 20.0, 0.9, 2.5], HISTORY),
    "MBG/CNBD-2": (clv.MBGCNBD, {"k": 2}, [1.2, 20.0, 0.9, 2.5], HISTORY),
    "BG/BB": (clv.BGBB, {}, [1.2, 0.8, 0.7, 3.0], DONORS),
    "shifted beta-geometric": (clv.ShiftedBetaGeometric, {}, [0.8, 4.0], MEMBERS),
    "beta-discrete-Weibull": (clv.BetaDiscreteWeibull, {}, [0.8, 4.0, 1.3], MEMBERS),
    "gamma-gamma": (clv.GammaGamma, {}, [4.0, 3.5, 25.0], SPENDERS),
}


def _empty(kind, n):
    """Return the customers to draw histories for, of different lengths."""
    ids = {"customer_id": range(n)}
    if kind is clv.GammaGamma:
        return pd.DataFrame({**ids, "frequency": np.arange(n) % 8})
    if kind in (clv.BGBB, clv.ShiftedBetaGeometric, clv.BetaDiscreteWeibull):
        return pd.DataFrame({**ids, "periods": 4 + np.arange(n) % 6})
    return pd.DataFrame({**ids, "T": np.linspace(100.0, 400.0, n)})


def errors(name, seeds, n_customers=1500):
    """Return, per fit, how many standard errors parameters and expectations are off, in logs.

    An interval of 95 % covers the truth where that is below 1.96: it is taken on the log scale.
    """
    kind, options, truth, customers = CASES[name]
    model = kind(**options)
    model.coefficients_ = np.log(truth)
    if "k" in options:
        model.k_ = options["k"]
    kinds = pd.DataFrame({"customer_id": range(3), **customers})
    value = "expected_amount" if kind is clv.GammaGamma else "expected_purchases"
    expected = model.predict(kinds)[value]
    parameters, predictions = [], []
    for seed in seeds:
        drawn = model.simulate(_empty(kind, n_customers), random_state=seed)
        fitted = kind(**options).fit(drawn)
        parameters.append(_off(fitted.parameters_, "estimate", truth))
        predictions.append(_off(fitted.predict(kinds, interval="delta"), value, expected))
    return np.array(parameters), np.array(predictions)


def _off(table, column, truth):
    return np.log(table[column] / truth) / (table["std_error"] / table[column])


def main():
    """Print the coverage of all models."""
    fits = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("| model | fits | parameters | expectations |\n|---|---|---|---|")
    for name in CASES:
        start = time.process_time()
        parts = errors(name, range(fits))
        shares = [f"{np.mean(np.abs(part) < 1.959964):.1%}" for part in parts]
        print(f"| {name} | {fits} | {' | '.join(shares)} |", flush=True)
        print(f"{name}: {time.process_time() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
