"""What customers could be worth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import peer_potential, share_of_wallet


@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.sampled_from(["a", "b", None])), min_size=1, max_size=40
    ),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_peer_value_is_the_quantile_of_the_group(drawn, quantile):
    frame = pd.DataFrame(drawn, columns=["profit", "kind"])
    frame["customer_id"] = np.arange(len(frame))
    found = peer_potential(frame, value="profit", by="kind", quantile=quantile, min_peers=1)
    groups = frame.groupby(frame["kind"].fillna("missing"))["profit"]
    expected = groups.transform(lambda own: np.quantile(own, quantile))
    np.testing.assert_allclose(found["peer_value"], expected, atol=1e-12)
    np.testing.assert_allclose(
        found["potential"], np.maximum(expected - frame["profit"], 0), atol=1e-12
    )
    assert (found["peers"] == groups.transform("size")).all()


def test_small_groups_compare_with_all_and_numbers_are_grouped():
    n = 100
    frame = pd.DataFrame({"customer_id": range(n), "profit": np.arange(n, dtype=float)})
    frame["age"] = np.arange(n) / 7
    found = peer_potential(frame, value="profit", by=["age"], quantile=1.0, min_peers=20)
    assert (found["peers"] == 20).all()
    assert found["peer_value"].tolist() == np.repeat([19.0, 39, 59, 79, 99], 20).tolist()
    found = peer_potential(frame, value="profit", by=["age"], quantile=1.0, min_peers=21)
    assert (found["peers"] == n).all()


def test_share_of_wallet_above_one():
    frame = pd.DataFrame({"customer_id": [1], "spent": [30.0], "purse": [20.0]})
    row = share_of_wallet(frame, spend="spent", wallet="purse").iloc[0]
    assert row["share_of_wallet"] == 1.5
    assert row["potential"] == 0.0


def test_what_is_refused():
    frame = pd.DataFrame({"customer_id": [1], "spent": [30.0], "purse": [0.0]})
    with pytest.raises(InputError, match="'purse' must be above 0"):
        share_of_wallet(frame, spend="spent", wallet="purse")
    with pytest.raises(InputError, match="`spend` must be the name"):
        share_of_wallet(frame, spend=3, wallet="purse")
    with pytest.raises(InputError, match="`by` is empty"):
        peer_potential(frame, value="spent", by=[])
    with pytest.raises(InputError, match="`quantile`"):
        peer_potential(frame, value="spent", by="purse", quantile=80)
