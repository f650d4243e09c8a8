"""What a purchase is, in every room: refunds change money and nothing else."""

import numpy as np
import pandas as pd
import pytest

from crmkit import basket, churn, clv, response, segmentation
from crmkit._log import purchase_days, read_log
from crmkit.churn._table.events import read_events
from crmkit.errors import InputError

AS_OF = "2025-05-31"


def bought_and_returned():
    """10 on 1 January, 20 on 1 February, the 20 given back on 1 May."""
    return pd.DataFrame(
        {
            "customer_id": 1,
            "date": pd.to_datetime(["2025-01-01", "2025-02-01", "2025-05-01"]),
            "amount": [10.0, 20.0, -20.0],
            "product": ["a", "b", "b"],
        }
    )


def one(table):
    return table.iloc[0].to_dict()


def test_a_refund_is_no_sign_of_life_in_any_table():
    log = bought_and_returned()
    assert one(segmentation.rfm_table(log, as_of=AS_OF)).items() >= {
        ("recency_days", 119), ("frequency", 2), ("total_amount", 10.0)}  # fmt: skip
    history = one(clv.purchase_table(log, as_of=AS_OF))
    assert history == {
        "customer_id": 1, "frequency": 1, "recency": 31.0, "T": 150.0, "monetary_value": 0.0,
        "first_amount": 10.0, "kept_purchases": 1,
    }  # fmt: skip
    assert churn.churn_table(log, as_of=AS_OF).loc[0, "recency_days"] == 119
    thresholds = pd.DataFrame({"at_risk_days": [60], "lapsed_days": [100]})
    state = one(churn.lifecycle_table(log, as_of=AS_OF, thresholds=thresholds))
    assert (state["recency_days"], state["purchase_days"], state["state"]) == (119, 2, "lapsed")
    gaps = churn.gap_table(log, as_of=AS_OF)
    assert gaps["gap_days"].tolist() == [0.0, 31.0, 119.0]
    cohorts = churn.cohort_table(log, as_of=AS_OF).set_index("age")
    assert cohorts["active"].tolist() == [1, 1, 0, 0, 0]
    assert cohorts["amount"].tolist() == [10.0, 20.0, 0.0, 0.0, -20.0]
    months = churn.retention_table(log, as_of=AS_OF).set_index("period")
    assert months["active"].tolist() == [1, 1, 0, 0, 0]
    assert months["revenue"].tolist() == [10.0, 0.0, 0.0, 0.0, 0.0]
    people = one(churn.cohort_customers(log, cohort="2025-01-01", age=1, as_of=AS_OF))
    assert (people["last_date"], people["amount"]) == (pd.Timestamp("2025-02-01"), 10.0)


def test_a_refund_of_everything_is_no_reactivation():
    log = pd.DataFrame(
        {
            "customer_id": ["ann", "ann"],
            "date": pd.to_datetime(["2025-01-01", "2025-06-28"]),
            "amount": [50.0, -50.0],
        }
    )
    thresholds = pd.DataFrame({"at_risk_days": [60], "lapsed_days": [120]})
    state = one(churn.lifecycle_table(log, as_of="2025-06-30", thresholds=thresholds))
    assert (state["state"], state["recency_days"], state["purchase_days"]) == ("lapsed", 180, 1)
    moves = churn.lifecycle_transitions(
        log, dates=["2025-01-31", "2025-06-30"], thresholds=thresholds
    )
    assert moves[["from_state", "to_state"]].to_numpy().tolist() == [["new", "lapsed"]]


def test_the_path_of_p_alive_ends_where_predict_does():
    log = bought_and_returned()
    model = clv.BGNBD()
    model.coefficients_ = np.log([0.3, 5.0, 0.8, 2.0])
    path = model.alive_path(log, as_of=AS_OF)
    last = model.predict(clv.purchase_table(log, as_of=AS_OF)).loc[0, "p_alive"]
    assert path["p_alive"].iloc[-1] == pytest.approx(last, rel=1e-12)
    assert path["p_alive"].iloc[-1] < path["p_alive"].iloc[-60]
    assert path["frequency"].iloc[-1] == 1


def test_an_order_stays_a_purchase_when_refunds_undo_it():
    # +30 and -40 on one day: there is a purchase day, and its money is -10.
    log = bought_and_returned().assign(date=pd.to_datetime(["2025-01-01"] + ["2025-02-01"] * 2))
    log["amount"] = [10.0, 30.0, -40.0]
    assert one(clv.purchase_table(log, as_of=AS_OF)) == {
        "customer_id": 1, "frequency": 1, "recency": 31.0, "T": 150.0, "monetary_value": -10.0,
        "first_amount": 10.0, "kept_purchases": 0,
    }  # fmt: skip
    row = one(segmentation.rfm_table(log, as_of=AS_OF))
    assert (row["frequency"], row["total_amount"], row["monetary"]) == (2, 0.0, 0.0)
    # Who gave everything back is a customer still, worth nothing.
    undone = pd.concat([log, log.head(1).assign(amount=-10.0)])
    assert len(churn.churn_table(undone, as_of=AS_OF)) == 1


def test_a_row_of_amount_0_is_a_purchase_without_money():
    log = bought_and_returned().assign(amount=[10.0, 0.0, -0.0])
    assert segmentation.rfm_table(log, as_of=AS_OF).loc[0, "frequency"] == 3
    assert clv.purchase_table(log, as_of=AS_OF).loc[0, "frequency"] == 2
    assert churn.churn_table(log, as_of=AS_OF).loc[0, "recency_days"] == 30


def test_without_amounts_negative_quantities_tell_refunds():
    log = bought_and_returned().drop(columns="amount").assign(quantity=[1, 1, -1])
    assert clv.purchase_table(log, as_of=AS_OF).loc[0, "frequency"] == 1
    assert churn.churn_table(log, as_of=AS_OF).loc[0, "recency_days"] == 119
    with pytest.raises(InputError, match="1 of 3 rows have a negative `quantity`"):
        clv.purchase_table(log, refunds="raise")
    kinds, _, customer, day = read_events(log, "first refund", AS_OF)[1:]
    assert list(kinds) == ["first refund"]
    assert customer.tolist() == [0]
    assert day.tolist() == [(pd.Timestamp("2025-05-01") - pd.Timestamp(0)).days]
    # Amounts have the say where there are some.
    both = log.assign(amount=1.0)
    assert churn.churn_table(both, as_of=AS_OF).loc[0, "recency_days"] == 30


def test_the_log_is_observed_to_its_last_row_of_any_kind():
    log = bought_and_returned()
    assert segmentation.rfm_table(log).loc[0, "recency_days"] == 89
    assert churn.churn_table(log).loc[0, "recency_days"] == 89
    assert clv.purchase_table(log).loc[0, "T"] == 120.0


def test_who_bought_nothing_is_no_customer_and_is_accounted_for():
    log = bought_and_returned()
    log = pd.concat([log, log.tail(1).assign(customer_id=2)], ignore_index=True)
    tables = [
        segmentation.rfm_table(log),
        clv.purchase_table(log),
        clv.cohort_value(log),
        clv.tapk_table(log),
        clv.opportunity_table(log, period="month"),
        churn.churn_table(log),
        churn.lifecycle_table(log),
        churn.gap_table(log),
        churn.cohort_table(log),
        churn.retention_table(log),
        churn.silence_table(log, min_gaps=1),
        churn.acquisition_table(log, window_days=60),
    ]
    for table in tables:
        account = {key: count for key, count in table.attrs["account"].items() if key != "by"}
        assert account == {
            "customers_without_purchase": 1,
            "amount_without_purchase": -20.0,
        }
        if "customer_id" in table:
            assert table["customer_id"].tolist() == [1]
    # Money must add up: the account of profit has everybody.
    assert segmentation.customer_profit(log)["revenue"].tolist() == [10.0, -20.0]


def lamps_and_boxes():
    """Four customers buy a lamp, four a box, and four credit notes list both."""
    rows = [(c, "2025-01-01", c, "lamp", 30.0) for c in range(4)]
    rows += [(c, "2025-01-02", c, "box", 5.0) for c in range(4, 8)]
    rows += [(c, "2025-01-09", 10 + c, item, -5.0) for c in range(4) for item in ("lamp", "box")]
    log = pd.DataFrame(rows, columns=["customer_id", "date", "order_id", "product", "amount"])
    return log.assign(date=pd.to_datetime(log["date"]))


def test_credit_notes_are_no_baskets():
    log = lamps_and_boxes()
    assert basket.item_pairs(log, min_support=1).empty
    sets = basket.frequent_itemsets(log, min_support=1)
    assert sets[["itemset", "count", "support"]].to_numpy().tolist() == [
        [("box",), 4, 0.5],
        [("lamp",), 4, 0.5],
    ]
    value = basket.itemset_value(sets, log).set_index("itemset")
    assert value["amount"].to_dict() == {("lamp",): 120.0, ("box",): 20.0}
    assert basket.sequence_rules(log, min_support=1).empty
    assert basket.time_to_next(log, min_support=1)["events"].sum() == 0
    profile = response.buyer_profile(
        log, pd.DataFrame({"customer_id": range(8), "half": [0] * 4 + [1] * 4}), product="box"
    )
    assert profile["buyers"].sum() == 4


def test_a_refund_in_the_order_lowers_what_the_order_brought():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 1, 1, 2],
            "date": pd.Timestamp("2025-01-01"),
            "order_id": [7, 7, 7, 7, 8, 7],
            "product": ["tea", "cup", "cup", "voucher", "cup", "cup"],
            "amount": [4.0, 6.0, -6.0, -1.0, -6.0, -2.0],
            "quantity": [1, 2, -2, 1, -2, -1],
        }
    )
    log = pd.concat([log, log.tail(1).assign(product="tea", amount=3.0, order_id=9, quantity=1)])
    sets = pd.DataFrame({"itemset": [("tea",), ("cup", "tea")]})
    value = basket.itemset_value(sets, log).set_index("itemset")
    assert value["count"].to_dict() == {("tea",): 2, ("cup", "tea"): 1}
    assert value["amount"].to_dict() == {("tea",): 7.0, ("cup", "tea"): 4.0}
    assert value["quantity"].to_dict() == {("tea",): 2.0, ("cup", "tea"): 1.0}
    assert value["order_amount"].to_dict() == {("tea",): 6.0, ("cup", "tea"): 3.0}
    ever = basket.itemset_value(sets, log, unit="customer").set_index("itemset")
    assert ever["amount"].to_dict() == {("tea",): 7.0, ("cup", "tea"): -2.0}
    assert ever["order_amount"].to_dict() == {("tea",): -2.0, ("cup", "tea"): -3.0}


def test_what_was_only_given_back_is_not_owned():
    log = lamps_and_boxes()
    both = log.head(2).assign(customer_id=9, order_id=99, product=["lamp", "box"])
    log = pd.concat([log, both], ignore_index=True)
    model = basket.NextItem(min_support=1).fit(log)
    offers = model.predict(log).groupby("customer_id")["item"].agg(list)
    assert offers.to_dict() == {c: ["box"] if c < 4 else ["lamp"] for c in range(8)}
    assert model.items_["popularity"].max() <= 1


def test_refunds_are_booked_on_the_last_purchase_day_up_to_theirs():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = rng.integers(1, 12)
        customer, day = rng.integers(0, 3, n), rng.integers(5, 12, n)
        amount, bought = rng.integers(1, 9, n).astype(float), rng.random(n) < 0.7
        expected = {}
        for c, d, a in zip(customer[bought], day[bought], amount[bought], strict=True):
            expected[c, d] = expected.get((c, d), 0.0) + a
        for c, d, a in zip(customer[~bought], day[~bought], amount[~bought], strict=True):
            earlier = [when for who, when in expected if who == c and when <= d]
            if earlier:
                expected[c, max(earlier)] += a
        days = purchase_days(customer, day, amount, bought)
        pairs = zip(days.customer.tolist(), days.day.tolist(), strict=True)
        assert dict(zip(pairs, days.amount.tolist(), strict=True)) == expected
        assert days.customer[days.first].tolist() == sorted({c for c, _ in expected})
        assert days.count.sum() == days.day.size
        again = days.repeat
        assert (days.gap[again] == np.diff(days.day)[again[1:]]).all()
        assert (days.gap[~again] == 0).all()
        cut = days.until(8)
        assert cut.day.tolist() == [d for d in days.day.tolist() if d <= 8]


def test_a_log_without_refunds_is_read_as_it_is():
    log = read_log(bought_and_returned().head(2), optional=("product",))
    assert log.bought is None
    assert log.purchases is log.rows


def test_the_log_of_purchases_knows_only_what_was_bought():
    frame = bought_and_returned().assign(product=["a", "b", "c"], shop=["x", "y", "z"])
    frame = pd.concat([frame, frame.tail(1).assign(customer_id=0)], ignore_index=True)
    log = read_log(frame, needs=["shop"], optional=("product", "order_id"))
    assert log.rows.customer_ids.tolist() == [1]
    assert log.rows.product_ids.tolist() == ["a", "b", "c"]
    purchases = log.purchases
    assert purchases.product_ids.tolist() == ["a", "b"]
    assert purchases.product.tolist() == [0, 1]
    assert purchases.column("shop").tolist() == ["x", "y"]
    assert purchases.amount.tolist() == [10.0, 20.0]
    assert len(purchases.order) == 2
    assert purchases.as_of == log.rows.as_of
