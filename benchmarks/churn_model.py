"""ChurnModel on several snapshots of each customer beside scikit-learn's grouped, calibrated fit.

Data: simulated, 500,000 rows: six snapshots of 83,333 customers, ten numbers and a word, of which
three numbers tell. crmkit reads and checks the table, encodes it, cross-fits by customer and day,
calibrates, judges itself against the best single column and looks for leaks; scikit-learn encodes
and calibrates over five folds of whole customers.

Needs: nothing else. Usage: churn_model.py [rows] [rounds]
"""

import sys
import time

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from crmkit import churn

DAYS = 6


def make_table(n_rows):
    rng = np.random.default_rng(0)
    n = n_rows // DAYS
    numbers = rng.normal(size=(n * DAYS, 10)) + np.repeat(rng.normal(size=(n, 10)), DAYS, axis=0)
    table = pd.DataFrame(numbers).add_prefix("x")
    table.insert(0, "customer_id", np.repeat(np.arange(n), DAYS))
    table.insert(1, "as_of", np.tile(pd.date_range("2024-01-31", periods=DAYS, freq="ME"), n))
    table["channel"] = rng.choice(["web", "shop", "phone"], len(table))
    score = numbers[:, 0] + 0.5 * numbers[:, 1] - 0.5 * numbers[:, 2] - 2
    table["churned"] = (rng.random(len(table)) < 1 / (1 + np.exp(-score))).astype(int)
    return table


def theirs(table):
    numbers = [column for column in table if column.startswith("x")]
    encoder = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(), ["channel"]))
    logistic = LogisticRegression(solver="newton-cholesky", tol=1e-6)
    folds = GroupKFold(5).split(table, groups=table["customer_id"])
    model = CalibratedClassifierCV(make_pipeline(encoder, logistic), cv=list(folds))
    return model.fit(table, table["churned"])


def main():
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    table = make_table(n_rows)
    churn.ChurnModel(random_state=0).fit(table.head(6000))
    theirs(table.head(6000))
    ratios = []
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        start = time.process_time()
        churn.ChurnModel(random_state=0).fit(table)
        own = time.process_time() - start
        start = time.process_time()
        theirs(table)
        other = time.process_time() - start
        ratios.append(own / other)
        print(f"crmkit {own:.2f} CPU s, scikit-learn {other:.2f} CPU s, ratio {ratios[-1]:.2f}")
    print(f"median ratio {np.median(ratios):.2f} (target 1.50)")


if __name__ == "__main__":
    main()
