"""Tables made of a few customers at a time equal those made at once."""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv
from crmkit.clv._table import purchases


@pytest.mark.parametrize("refunds", ["keep", "drop"])
@pytest.mark.parametrize("rows", [1, 7, 100])
def test_pieces_change_nothing(monkeypatch, rows, refunds):
    rng = np.random.default_rng(rows)
    log = pd.DataFrame(
        {
            # Some customers have all rows of several pieces, and some nothing but refunds.
            "customer_id": (30 * rng.random(400) ** 3).astype(int),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 60, 400), "D"),
            "amount": rng.integers(-4, 10, 400).astype(float),
        }
    )
    log.loc[log["customer_id"] % 7 == 3, "amount"] = -1.0
    split = {"as_of": "2024-02-05", "horizon_days": 20, "refunds": refunds}
    whole = (
        clv.purchase_table(log, refunds=refunds, regularity=True),
        clv.holdout_table(log, **split),
    )
    monkeypatch.setattr(purchases, "_PIECE", rows)
    parts = (
        clv.purchase_table(log, refunds=refunds, regularity=True),
        clv.holdout_table(log, **split),
    )
    for one, many in zip(whole, parts, strict=True):
        pd.testing.assert_frame_equal(one, many)
