"""Customers whose chance to stay is known."""

import numpy as np
import pandas as pd


def customers(n=3000, seed=0):
    """Draw Weibull tenures whose scale depends on a number and a level, with censoring."""
    rng = np.random.default_rng(seed)
    income = rng.normal(50, 10, n)
    plan = rng.choice(["month", "year"], n)
    log_scale = 4 + 0.02 * (income - 50) + 0.8 * (plan == "year")
    time = np.exp(log_scale) * rng.weibull(1.5, n)
    seen = rng.uniform(20, 200, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "income": income,
            "plan": plan,
            "tenure_days": np.minimum(time, seen),
            "churned": time <= seen,
        }
    )


def true_chance(table, horizon):
    scale = np.exp(4 + 0.02 * (table["income"] - 50) + 0.8 * (table["plan"] == "year"))
    return np.exp(-((horizon / scale) ** 1.5)).to_numpy()
