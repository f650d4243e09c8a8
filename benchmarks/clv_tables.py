"""From a log of five million rows to the purchase table, beside lifetimes 0.11.3.

Also the hold-out table, which lifetimes makes from two summaries. Customers, days and amounts are
drawn at random; a fifth of the customers buys most. Columns of both must agree.

Needs the extra ``lifetimes``. Usage: clv_tables.py [rows]

Last taken December 2026 on two quiet cores (Python 3.11, numpy 2.4.6, pandas 3.1.1), five million
rows, 682,612 customers, CPU seconds and peak memory crmkit / lifetimes: purchase_table 0.69
(205 MB) / 5.5 (644 MB), holdout_table 0.86 (176 MB) / 23.2 (787 MB).
"""

import sys
import warnings

import numpy as np
import pandas as pd
from _measure import timed

from crmkit import clv
from crmkit.clv._lifetimes import import_lifetimes


def log_of(n_rows, seed=0):
    """Draw a log in random row order."""
    rng = np.random.default_rng(seed)
    customer = (rng.beta(0.5, 2.0, n_rows) * n_rows / 6).astype(np.int64)
    day = rng.integers(0, 730, n_rows)
    return pd.DataFrame(
        {
            "customer_id": customer,
            "date": pd.Timestamp("2023-01-01") + pd.to_timedelta(day, unit="D"),
            "amount": rng.gamma(2.0, 15.0, n_rows).round(2),
        }
    )


def shown(label, function):
    """Print CPU seconds and peak memory; return the seconds and the result."""
    seconds, megabytes, result = timed(function)
    print(f"{label:46s} {seconds:7.2f} s   +{megabytes:5.0f} MB")
    return seconds, result


def main():
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    import_lifetimes()
    from lifetimes import utils

    log = log_of(n_rows)
    print(f"{n_rows:,} rows, {log['customer_id'].nunique():,} customers\n")
    columns = {"customer_id_col": "customer_id", "datetime_col": "date"}
    columns["monetary_value_col"] = "amount"
    own, table = shown("crmkit purchase_table", lambda: clv.purchase_table(log))
    split = pd.Timestamp("2024-06-30")
    own_split, held = shown("crmkit holdout_table", lambda: clv.holdout_table(log, as_of=split))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer, summary = shown(
            "lifetimes summary_data_from_transaction_data",
            lambda: utils.summary_data_from_transaction_data(log, **columns),
        )
        peer_split, theirs = shown(
            "lifetimes calibration_and_holdout_data",
            lambda: utils.calibration_and_holdout_data(
                log, calibration_period_end=split, **columns
            ),
        )
    ours = table.set_index("customer_id")
    both = [column for column in ours.columns if column in summary.columns]
    gap = np.abs(ours[both].to_numpy() - summary[both].to_numpy()).max()
    counted = held.set_index("customer_id")["holdout_frequency"]
    same = (counted == theirs["frequency_holdout"]).all()
    print(f"\npurchase_table: ratio {peer / own:.1f}, largest gap {gap:.2g}")
    print(f"holdout_table:  ratio {peer_split / own_split:.1f}, hold-out counts equal: {same}")


if __name__ == "__main__":
    main()
