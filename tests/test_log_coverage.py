"""A log that ends before what is to be judged: one sentence in every room, one rule for strays."""

import numpy as np
import pandas as pd
import pytest

from crmkit import basket, churn, clv, segmentation
from crmkit._log import check_covered
from crmkit.errors import InputError

AS_OF = "2025-03-01"
PLAIN = (
    "What comes after `as_of` 2025-03-01 until 2025-04-30 is observed in part only: "
    "`transactions` ends on 2025-04-10. Choose an `as_of` up to 2025-02-09, "
)
TELL = "or say with `observed_until` how far a complete log goes."


def daily(until="2025-04-10"):
    """A purchase of ever the same things on every day, by five customers in turn."""
    date = pd.date_range("2025-01-01", until)
    number = np.arange(date.size)
    return pd.DataFrame(
        {"customer_id": number % 5, "date": date, "amount": 1.0, "product": number % 3}
    )


def asked(function, log, **options):
    """Return what a function refuses a log with."""
    with pytest.raises(InputError) as caught:
        function(log, as_of=AS_OF, **options)
    return str(caught.value)


def test_every_room_refuses_it_in_one_sentence():
    log, sixty = daily(), {"horizon_days": 60}
    fewer = PLAIN + "take at most horizon_days=40, " + TELL
    assert asked(clv.holdout_table, log, **sixty) == fewer
    model = clv.BGNBD().fit(clv.purchase_table(log, as_of=AS_OF))
    assert asked(clv.tracking_table, log, purchases=model, **sixty) == fewer
    assert asked(churn.churn_table, log, **sixty) == (
        PLAIN + "leave out `horizon_days` to score, " + TELL
    )
    short = PLAIN.replace("02-09, ", "02-09, or take at most horizon_days=40.")
    assert asked(segmentation.potential_backtest, log, **sixty) == short
    assert asked(basket.NextItem().evaluate, log, **sixty) == short
    months = "Choose an `as_of` up to 2025-01-31, take at most horizon_periods=1, "
    for table in (clv.opportunity_table, clv.contract_table):
        said = asked(table, log, period="month", horizon_periods=2)
        assert said == PLAIN[: PLAIN.index("Choose")] + months + TELL


def test_two_tables_of_an_export_reach_as_far_as_the_later_one():
    starts = pd.to_datetime(["2025-01-01", "2025-04-16"])
    contracts = pd.DataFrame({"customer_id": [1, 2], "start_date": starts, "end_date": pd.NaT})
    options = {"contracts": contracts, "ends": "exclusive", "horizon_days": 50}
    said = asked(churn.churn_table, daily(), grace_days=10, **options)
    assert "`transactions` with `contracts` ends on 2025-04-16. " in said
    assert "until 2025-04-30 " in said
    churn.churn_table(daily(), as_of=AS_OF, **options | {"horizon_days": 46})
    # A contract that is to begin long after all else happened says nothing about these days.
    contracts["start_date"] = pd.to_datetime(["2025-01-01", "2026-01-01"])
    assert "seems to end on 2025-04-10" in asked(
        churn.churn_table, daily(), **options | {"horizon_days": 60}
    )


def test_a_stray_late_row_makes_no_holdout_longer():
    stray = pd.DataFrame(
        {"customer_id": [1], "date": pd.to_datetime(["2052-01-01"]), "amount": 1.0, "product": 1}
    )
    log = pd.concat([daily(), stray])
    said = asked(clv.holdout_table, log)
    assert "seems to end on 2025-04-10" in said
    assert "Choose an `as_of` up to 2025-04-09, take at most horizon_days=40, or say" in said
    told = clv.holdout_table(log, as_of=AS_OF, observed_until="2025-04-10")
    pd.testing.assert_frame_equal(told, clv.holdout_table(daily(), as_of=AS_OF))
    short = clv.holdout_table(log, as_of=AS_OF, horizon_days=40)
    pd.testing.assert_frame_equal(short, told)


def test_a_row_on_the_last_day_or_after_it_covers_what_comes():
    days = np.array([3, 9, 5])
    check_covered(days, 5, 9)
    check_covered(days, 4, 8)
    check_covered(days, 5, 10, goes_on=True)
    with pytest.raises(InputError, match="until 1970-01-11"):
        check_covered(days, 5, 10)
    # What can be judged from no day on, and by nothing else, is to be told.
    with pytest.raises(InputError, match="up to 1970-01-09, or say with"):
        check_covered(days, 9, 10)
    with pytest.raises(InputError, match=r"Choose an `as_of` up to 1970-01-09\.$"):
        check_covered(days, 9, 10, tells=False)
