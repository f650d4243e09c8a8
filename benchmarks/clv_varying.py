"""Pareto/NBD with covariates that vary over time, beside R's CLVTools, the only peer.

CLVTools' figures are quoted, not run here: version 0.12.1, apparel cohort (600 customers, 104
weeks, High.Season, Gender and Channel on both processes), log-likelihood -5752.9367 in weeks after
77 CPU seconds of Nelder-Mead on R 4.2.2, taken on a machine of the same kind.

Needs the cohort's files, apparelTrans.csv and apparelDynCov.csv.gz, exported from CLVTools' data
sets, in the folder that CRMKIT_REFERENCE_DATA names; without them only the simulated shop runs.
Usage: clv_varying.py [customers of the simulated shop]

Last taken November 2026 on two shared, busy cores (Python 3.11, numpy 2.4, pandas 3.1), CPU
seconds, reading included: apparel 0.35 to 0.5, at -5752.6232; 100,000 simulated customers with
15.6 million weekly rows: fit 5.5, predict 3.5, predict with intervals 8.5.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from crmkit import clv

PEER_SECONDS, PEER_LIKELIHOOD = 77.0, -5752.9367
COVARIATES = ["High.Season", "Gender", "Channel"]
WEEKS = 156


def timed(label, function):
    """Print CPU seconds and return the result."""
    start = time.process_time()
    result = function()
    print(f"{label:28s} {time.process_time() - start:8.2f} s", flush=True)
    return result


def apparel(folder):
    """Fit and predict the cohort of CLVTools' documentation."""
    log = pd.read_csv(folder / "apparelTrans.csv", parse_dates=["Date"])
    log = log.rename(columns={"Id": "customer_id", "Date": "date", "Price": "amount"})
    weekly = pd.read_csv(folder / "apparelDynCov.csv.gz", parse_dates=["Cov.Date"])
    weekly = weekly.rename(columns={"Id": "customer_id", "Cov.Date": "date"})
    tables = {"covariates": weekly, "as_of": "2006-12-31"}
    model = clv.TimeVaryingParetoNBD(purchase_covariates=COVARIATES, dropout_covariates=COVARIATES)
    model.fit(log, **tables)  # warm: what is imported at first use is no part of the figure
    start = time.process_time()
    model.fit(log, **tables)
    own = time.process_time() - start
    repeats = clv.purchase_table(log, as_of="2006-12-31")["frequency"].sum()
    found = model.log_likelihood_ + repeats * np.log(7.0)
    print(f"apparel, crmkit               {own:7.2f} s   log-likelihood {found:.4f}")
    print(f"apparel, CLVTools (quoted)    {PEER_SECONDS:7.2f} s   log-likelihood {PEER_LIKELIHOOD}")
    print(f"ratio {PEER_SECONDS / own:.0f}; {model.boundary_}")
    timed("apparel, predict", lambda: model.predict(log, **tables))


def shop(n, seed=0):
    """Weekly covariates of n customers: a season, a club some join, a channel that stays."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2022-01-03", periods=WEEKS, freq="7D")
    week, customer = np.tile(np.arange(WEEKS), n), np.repeat(np.arange(n), WEEKS)
    covariates = pd.DataFrame(
        {
            "customer_id": customer,
            "date": dates[week],
            "season": (week % 26 < 6).astype(float),
            "club": (week >= rng.integers(0, 3 * WEEKS, n)[customer]).astype(float),
            "web": rng.integers(0, 2, n)[customer].astype(float),
        }
    )
    first = dates[0] + pd.to_timedelta(rng.integers(0, 365, n), unit="D")
    return pd.DataFrame({"customer_id": np.arange(n), "first_date": first}), covariates


def simulated(n):
    """Draw a shop, fit it and predict half a year."""
    people, covariates = shop(n)
    names = ["season", "club", "web"]
    model = clv.TimeVaryingParetoNBD(purchase_covariates=names, dropout_covariates=names)
    truth = [np.log(0.9), np.log(100.0), np.log(0.8), np.log(250.0)]
    model.coefficients_ = np.array([*truth, 0.8, 0.4, 0.2, -0.5, -0.6, 0.3])
    tables = {"covariates": covariates, "as_of": "2024-06-30"}
    log = timed("simulate", lambda: model.simulate(people, random_state=0, **tables))
    print(f"{n:,} customers, {len(log):,} purchases, {len(covariates):,} rows of covariates")
    tables["as_of"] = "2023-12-31"
    fitted = timed("fit", lambda: model.fit(log, **tables))
    away = np.abs(fitted.coefficients_[4:] - [0.8, 0.4, 0.2, -0.5, -0.6, 0.3]).max()
    # Purchases of a customer on one day are one to the fit, which pulls effects a little to zero.
    print(f"converged {fitted.converged_}, effects at most {away:.3f} from the truth")
    timed("predict", lambda: fitted.predict(log, horizon_days=180, **tables))
    timed(
        "predict with interval",
        lambda: fitted.predict(log, horizon_days=180, interval="delta", **tables),
    )


def main():
    folder = os.environ.get("CRMKIT_REFERENCE_DATA")
    if folder:
        apparel(Path(folder))
    simulated(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)


if __name__ == "__main__":
    main()
