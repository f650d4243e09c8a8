"""The tables from the log, against counting by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmkit import clv, datasets
from crmkit.errors import InputError

START = pd.Timestamp("2024-01-01")

rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(-3, 9)), min_size=1, max_size=40
)


def log_of(rows):
    customer, day, amount = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "customer_id": list(customer),
            "date": START + pd.to_timedelta(list(day), unit="D") + pd.Timedelta(hours=9),
            "amount": np.array(amount, dtype=float),
        }
    )


def by_hand(rows, as_of, refunds):
    """Count purchase days one customer and one day at a time."""
    found = {}
    for customer in sorted({c for c, _, _ in rows}):
        days = []
        for day in range(as_of + 1):
            amounts = [a for c, d, a in rows if c == customer and d == day]
            if refunds == "drop":
                amounts = [a for a in amounts if a >= 0]
            if any(a >= 0 for a in amounts):
                days.append([day, sum(amounts)])
            elif amounts and days:
                days[-1][1] += sum(amounts)
        if days:
            repeat = [amount for _, amount in days[1:]]
            found[customer] = (
                len(repeat),
                days[-1][0] - days[0][0],
                as_of - days[0][0],
                sum(repeat) / len(repeat) if repeat else 0.0,
                days[0][1],
                kept_by_hand([amount for _, amount in days]),
            )
    return found


def kept_by_hand(amounts):
    """Take what a refund takes too much off the purchases before it, the last ones first."""
    owed, kept = 0, 0
    for amount in reversed(amounts):
        left = amount + owed
        kept += left > 0
        owed = min(left, 0)
    return kept


@given(rows, st.integers(0, 30), st.sampled_from(["keep", "drop"]))
@example([(1, 0, 10), (1, 1, 10), (1, 2, 5), (1, 3, -27)], 30, "keep")  # refunds of three days
def test_purchase_table_counts_days(rows, as_of, refunds):
    expected = by_hand(rows, as_of, refunds)
    date = START + pd.Timedelta(days=as_of)
    if not expected:
        with pytest.raises(InputError):
            clv.purchase_table(log_of(rows), as_of=date, refunds=refunds)
        return
    table = clv.purchase_table(log_of(rows), as_of=date, refunds=refunds)
    assert list(table["customer_id"]) == list(expected)
    np.testing.assert_allclose(table.iloc[:, 1:].to_numpy(float), list(expected.values()))


def test_a_log_that_is_told_when_it_ends_gives_every_segment_the_same_holdout():
    early, late = log_of([(1, 0, 5), (1, 20, 7)]), log_of([(2, 0, 5), (2, 29, 7), (2, 99, 1)])
    asked = {"as_of": "2024-01-11", "observed_until": "2024-01-31"}
    tables = [clv.holdout_table(log, **asked) for log in (early, late)]
    assert [table["holdout_days"].tolist() for table in tables] == [[20], [20]]
    assert [table["holdout_frequency"].tolist() for table in tables] == [[1], [1]]
    pd.testing.assert_frame_equal(
        clv.holdout_table(early, horizon_days=20, **asked), tables[0], check_dtype=True
    )
    with pytest.raises(InputError, match="`observed_until`"):
        clv.holdout_table(early, as_of="2024-01-11", horizon_days=20)
    with pytest.raises(
        InputError, match=r"`observed_until` is 2024-01-31\. Choose an `as_of` up to 2024-01-30"
    ):
        clv.holdout_table(late, as_of="2024-01-31", observed_until="2024-01-31")
    period = {"period": "week", "as_of": "2024-01-14", "horizon_periods": 2}
    for table in (clv.opportunity_table, clv.contract_table):
        told = table(early, observed_until="2024-01-28", **period)
        assert told["holdout_periods"].tolist() == [2]
        with pytest.raises(InputError, match="at most horizon_periods="):
            table(early, **period)


@given(rows, st.integers(0, 20), st.integers(1, 10))
def test_holdout_table_is_two_tables(rows, as_of, horizon):
    last = max(day for _, day, _ in rows)
    known = by_hand(rows, as_of, "keep")
    date = START + pd.Timedelta(days=as_of)
    if as_of + horizon > last or not known:
        with pytest.raises(InputError):
            clv.holdout_table(log_of(rows), as_of=date, horizon_days=horizon)
        return
    table = clv.holdout_table(log_of(rows), as_of=date, horizon_days=horizon)
    first = clv.purchase_table(log_of(rows), as_of=date)
    pd.testing.assert_frame_equal(table[list(first.columns)], first)
    for row in table.itertuples():
        bought = {
            day
            for customer, day, amount in rows
            if customer == row.customer_id and as_of < day <= as_of + horizon and amount >= 0
        }
        assert row.holdout_frequency == len(bought)


def test_later_rows_change_nothing():
    log = log_of([(1, 0, 5), (1, 4, 6), (2, 3, 2)])
    later = log_of([(1, 0, 5), (1, 4, 6), (2, 3, 2), (1, 9, -6), (3, 8, 1)])
    as_of = START + pd.Timedelta(days=5)
    pd.testing.assert_frame_equal(
        clv.purchase_table(log, as_of=as_of), clv.purchase_table(later, as_of=as_of)
    )
    split = clv.holdout_table(later, as_of=as_of, horizon_days=4)
    assert list(split["customer_id"]) == [1, 2]
    assert list(split["monetary_value"]) == [6.0, 0.0]


def test_a_day_of_refunds_is_no_purchase():
    log = log_of([(1, 0, 5), (1, 4, 8), (1, 6, -3), (2, 1, -4)])
    table = clv.purchase_table(log)
    assert list(table["customer_id"]) == [1]
    assert table.loc[0, ["frequency", "recency", "monetary_value"]].tolist() == [1, 4.0, 5.0]
    assert clv.purchase_table(log, refunds="drop").loc[0, "monetary_value"] == 8.0
    with pytest.raises(InputError, match="2 of 4 rows"):
        clv.purchase_table(log, refunds="raise")


def test_without_amounts_there_is_no_money():
    table = clv.purchase_table(log_of([(1, 0, 5), (1, 4, 8)]).drop(columns="amount"))
    assert list(table.columns) == ["customer_id", "frequency", "recency", "T"]


def test_cdnow_equals_lifetimes_summary():
    # Column sums of lifetimes 0.11.3 summary_data_from_transaction_data on the same log.
    table = clv.purchase_table(datasets.load_cdnow(), as_of="1997-09-30")
    assert len(table) == 23_570
    sums = table.drop(columns="customer_id").sum()
    expected = [24_337, 1_129_644, 5_399_736, 336_714.2874382242]
    sums = sums[["frequency", "recency", "T", "monetary_value"]]
    np.testing.assert_allclose(sums.to_numpy(float), expected, rtol=1e-12)


def test_hold_out_must_lie_in_the_log():
    log = log_of([(1, 0, 5), (1, 9, 5)])
    with pytest.raises(InputError, match="horizon_days=5"):
        clv.holdout_table(log, as_of="2024-01-05", horizon_days=20)
    with pytest.raises(
        InputError, match=r"until 2024-01-11 .* up to 2024-01-09, or say with `observed_until`"
    ):
        clv.holdout_table(log, as_of="2024-01-10")


@given(rows)
def test_tapk_adds_up_to_the_cent(rows):
    bought = [(c, d, max(a, 0)) for c, d, a in rows]
    log = log_of(bought).assign(quantity=2)
    value = clv.tapk(clv.tapk_table(log, acquisition_cost=1.5))
    np.testing.assert_allclose(value["sales"].sum(), log["amount"].sum())
    assert (value["lifetime_value"] == value["sales"] - 1.5).all()


def test_refunds_are_refused_on_request_on_any_day():
    log = log_of([(1, 0, 5), (1, 4, 6), (1, 9, -2)])
    for table in (clv.tapk_table, clv.opportunity_table):
        with pytest.raises(InputError, match="1 of 3 rows have a negative `amount`"):
            table(log, refunds="raise")


def test_tapk_cost_per_customer_and_channel():
    log = log_of([(1, 0, 5), (1, 4, 6), (2, 3, 2)])
    customers = pd.DataFrame({"customer_id": [2, 1], "channel": ["web", "shop"]})
    costs = pd.DataFrame({"channel": ["shop", "web"], "acquisition_cost": [7.0, 3.0]})
    table = clv.tapk_table(log, acquisition_cost=costs, customers=customers)
    assert table["acquisition_cost"].tolist() == [7.0, 3.0]
    each = pd.DataFrame({"customer_id": [2, 1], "acquisition_cost": [4.0, 9.0]})
    found = clv.tapk_table(log, acquisition_cost=each)
    assert found["acquisition_cost"].tolist() == [9.0, 4.0]
    assert found.attrs["account"]["acquisition_cost_unmatched"] == 0
    with pytest.raises(InputError, match="do not write channel alike"):
        clv.tapk_table(log, acquisition_cost=costs, customers=customers.replace("web", "Web"))
    with pytest.raises(InputError, match="lacks 1 of the 2 values of channel"):
        clv.tapk_table(log, acquisition_cost=costs.iloc[:1], customers=customers)
    with pytest.raises(InputError, match="`customers` is needed"):
        clv.tapk_table(log, acquisition_cost=costs)
    with pytest.raises(InputError, match="lacks 1 of the 2 customers"):
        clv.tapk_table(log, acquisition_cost=costs, customers=customers.iloc[:1])


def test_tapk_looks_forward_with_expected_purchases():
    log = log_of([(1, 0, 5), (1, 0, 7), (1, 4, 6), (2, 3, 2)])
    told = pd.DataFrame({"customer_id": [2, 1], "expected_purchases": [0.5, 3.0]})
    table = clv.tapk_table(log, expected_purchases=told)
    assert table["transactions"].tolist() == [3.0, 0.5]
    assert table["items_per_transaction"].tolist() == [1.5, 1.0]
    assert table["price"].tolist() == [6.0, 2.0]
    with pytest.raises(InputError, match="lacks 1 of the 2 customers of `transactions`"):
        clv.tapk_table(log, expected_purchases=told.iloc[:1])


@pytest.mark.parametrize("refunds", ["keep", "drop"])
def test_tapk_earns_what_costs_or_a_margin_leave(refunds):
    log = log_of([(1, 0, 100), (1, 40, 50), (1, 45, -20), (2, 3, 10)])
    log = log.assign(cost=[60.0, 55.0, -5.0, 4.0], quantity=[3, 2, 1, 1])
    back = refunds == "keep"

    def valued(log, **options):
        factors = clv.tapk_table(log, acquisition_cost=7.0, refunds=refunds, **options)
        return clv.tapk(factors)

    told = valued(log)
    np.testing.assert_allclose(told["sales"], [150 - 20 * back, 10])
    np.testing.assert_allclose(told["item_cost"], [(115 - 5 * back) / 5, 4])
    np.testing.assert_allclose(told["lifetime_value"], [35 - 15 * back - 7, 6 - 7])
    # As cohorts and channels have it, if nothing is taken off for years.
    paid = clv.payback_table(log, acquisition_cost=7.0, refunds=refunds, annual_discount_rate=0)
    assert paid["net_value"].sum() == pytest.approx(told["lifetime_value"].sum())
    # What is given goes first, and prices of a log without costs are earned in full.
    given = valued(log, margin=0.3)
    np.testing.assert_allclose(given["lifetime_value"], 0.3 * told["sales"] - 7)
    plain = valued(log.drop(columns="cost"))
    assert plain["item_cost"].tolist() == [0, 0]
    np.testing.assert_allclose(plain["lifetime_value"], told["sales"] - 7)
    by_hand = clv.tapk(plain.drop(columns="item_cost"))
    pd.testing.assert_frame_equal(by_hand, plain)
    ahead = pd.DataFrame({"customer_id": [1, 2], "expected_purchases": [2.0, 0.0]})
    coming = valued(log, expected_purchases=ahead)
    assert coming["lifetime_value"].tolist() == pytest.approx([35 - 15 * back - 7, -7])


def test_tapk_refuses_money_for_nothing():
    log = log_of([(1, 0, 5), (2, 3, 2)]).assign(quantity=[0.0, 1.0])
    with pytest.raises(InputError, match="no items"):
        clv.tapk_table(log)
    free = log.assign(amount=[0.0, 2.0])
    clv.tapk_table(free)
    with pytest.raises(InputError, match="no items"):
        clv.tapk_table(free.assign(cost=1.0))
    with pytest.raises(InputError, match="'quantity' is negative"):
        clv.tapk_table(log.assign(quantity=-1.0))


@given(rows, st.integers(0, 30), st.sampled_from(["keep", "drop"]))
def test_purchase_report_accounts_for_every_row(rows, as_of, refunds):
    date = START + pd.Timedelta(days=as_of)
    log = log_of(rows)
    holes = pd.concat([log, log.head(1).assign(customer_id=None)], ignore_index=True)
    if not any(day <= as_of for _, day, _ in rows):
        with pytest.raises(InputError):
            clv.log_audit(holes, as_of=date, refunds=refunds)
        return
    found = clv.log_audit(holes, as_of=date, refunds=refunds).set_index("finding")
    fates = [name for name in found.index[1:] if not name.startswith(("repeat", "customers"))]
    assert found.loc["rows", "count"] == len(rows) + 1 == found.loc[fates, "count"].sum()
    assert found.loc["rows", "amount"] == pytest.approx(found.loc[fates, "amount"].sum())
    assert found.loc["missing_customer", "count"] == 1
    assert found.loc["after_as_of", "count"] == sum(day > as_of for _, day, _ in rows)
    assert found.loc["repeated_rows", "count"] == len(rows) - len(set(rows))
    plain = clv.log_audit(holes.drop(columns="amount"), as_of=date)
    plain = plain.set_index("finding")["count"]
    assert plain["rows"] == plain[fates].sum()
    known = by_hand(rows, as_of, refunds)
    lost = {c for c, day, _ in rows if day <= as_of} - set(known)
    assert found.loc["customers_without_purchase", "count"] == len(lost)
    repeats = sum(row[0] for row in known.values())
    assert found.loc["repeat_purchase_days", "count"] == repeats
    if known:
        table = clv.purchase_table(log, as_of=date, refunds=refunds)
        assert table["frequency"].sum() == repeats
        assert len(table) == found.loc["customers", "count"] - len(lost)


def test_purchase_report_tells_the_fate_of_refunds():
    rows = [(1, 0, 5), (1, 4, 8), (1, 4, -2), (1, 6, -3), (2, 1, -4), (2, 3, 9), (3, 5, -1)]
    names = ["refunds_same_day", "refunds_later_day", "refunds_without_purchase"]
    found = clv.log_audit(log_of(rows)).set_index("finding").loc[names]
    assert found["count"].tolist() == [1, 1, 2]
    assert found["amount"].tolist() == [-2.0, -3.0, -5.0]
    assert found["handling"].iloc[2] == "left out"
    refused = clv.log_audit(log_of(rows), refunds="raise").set_index("finding")
    assert set(refused.loc[names, "handling"]) == {"refused"}
    plain = clv.log_audit(log_of(rows).drop(columns="amount"))
    assert plain.columns.tolist() == ["finding", "count", "handling"]
    with pytest.raises(InputError, match="has no rows"):
        clv.log_audit(log_of([(1, 0, 5)]).head(0))
    with pytest.raises(InputError, match="every row lacks"):
        clv.log_audit(log_of([(1, 0, 5)]).assign(amount=np.nan))
