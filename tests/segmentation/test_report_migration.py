"""Moves between segments."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import segment_migration

people = st.dictionaries(
    st.integers(0, 12), st.tuples(st.sampled_from("abc"), st.integers(-500, 900)), min_size=1
)


def table(drawn):
    return pd.DataFrame(
        {
            "customer_id": list(drawn),
            "segment": [segment for segment, _ in drawn.values()],
            "money": [cents / 100 for _, cents in drawn.values()],
        }
    )


@given(people, people)
def test_rows_sum_to_the_opening_and_columns_to_the_closing(old, new):
    old, new = {99: ("a", 0), **old}, {99: ("b", 0), **new}
    before, after = table(old), table(new)
    moves = segment_migration(before, after, value="money")
    for column, frame, absent in (
        ("from_segment", before, "not yet"),
        ("to_segment", after, "gone"),
    ):
        sums = moves.groupby(column)["customers"].sum()
        expected = frame["segment"].value_counts().to_dict()
        assert {k: v for k, v in sums.items() if k != absent} == expected
    np.testing.assert_allclose(moves.groupby("from_segment")["share"].sum(), 1)
    change = sum(c for _, c in new.values()) - sum(c for _, c in old.values())
    assert moves["value_change"].sum() == pytest.approx(change / 100)
    both = set(old) & set(new)
    gone = moves.loc[moves["to_segment"] == "gone", "customers"].sum()
    assert gone == len(set(old) - both)
    fresh = moves.loc[moves["from_segment"] == "not yet", "customers"].sum()
    assert fresh == len(set(new) - both)
    assert moves.attrs["account"] == {"before_unmatched": gone, "after_unmatched": fresh}


def test_what_is_refused():
    before = pd.DataFrame({"customer_id": [1], "segment": ["a"]})
    with pytest.raises(InputError, match="no customer_id of `before` occurs in `after`"):
        segment_migration(before, before.assign(customer_id=[2]))
    with pytest.raises(InputError, match="says 'not yet' or 'gone'"):
        segment_migration(before.assign(segment="gone"), before)
    with pytest.raises(InputError, match="'segment' is missing"):
        segment_migration(before, before.assign(segment=None))
    with pytest.raises(InputError, match="`value`"):
        segment_migration(before, before, value=3)
