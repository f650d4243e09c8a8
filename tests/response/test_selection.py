import itertools
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from crmkit import response
from crmkit.errors import InputError
from crmkit.response._math.prices import Limits, _offer_price
from crmkit.response._math.selection import gain_bound

rows = st.lists(
    st.tuples(
        st.sampled_from([True, False, None]),
        st.floats(0, 1),
        st.floats(0, 20),
        st.floats(0, 5),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


def tables(rows):
    consent, p, value, cost, _ = zip(*rows, strict=True)
    ids = np.arange(len(rows))
    customers = pd.DataFrame({"customer_id": ids, "value": value, "cost": cost})
    customers["consent"] = pd.array(consent, dtype="boolean")
    return customers, pd.DataFrame({"customer_id": ids, "p_response": p})


@given(
    rows=rows,
    budget=st.one_of(st.none(), st.floats(0, 30)),
    capacity=st.one_of(st.none(), st.integers(0, 12)),
    holdout=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 5),
)
def test_rules_hold_whatever_is_asked(rows, budget, capacity, holdout, seed):
    customers, scores = tables(rows)
    suppressed = [i for i, row in enumerate(rows) if row[4]]
    options = {
        "consent": "consent",
        "value": "value",
        "contact_cost": "cost",
        "budget": budget,
        "capacity": capacity,
        "holdout_share": holdout,
        "suppress": suppressed,
        "random_state": seed,
    }
    chosen = response.select_targets(customers, scores, **options)
    assert chosen["customer_id"].tolist() == customers["customer_id"].tolist()
    touched = chosen["decision"] != "no contact"
    assert (customers.loc[touched, "consent"] == True).all()  # noqa: E712
    assert not chosen.loc[touched, "customer_id"].isin(suppressed).any()
    contact = chosen["decision"] == "contact"
    assert (chosen.loc[touched, "expected_gain"] > 0).all()
    if budget is not None:
        assert chosen.loc[contact, "cost"].sum() <= budget * (1 + 1e-9)
    if capacity is not None:
        assert contact.sum() <= capacity
    ranks = chosen["rank"].dropna()
    assert sorted(ranks) == list(range(1, len(ranks) + 1))
    summary = response.selection_summary(chosen, budget=budget, capacity=capacity).iloc[0]
    assert summary["bound_gap"] >= 0
    assert summary[["contacts", "controls", "no_contacts"]].sum() == len(rows)

    order = np.random.default_rng(seed).permutation(len(rows))
    moved = response.select_targets(customers.iloc[order], scores, **options)
    pd.testing.assert_frame_equal(
        moved.sort_values("customer_id", ignore_index=True), chosen, check_exact=True
    )


@given(
    items=st.lists(st.tuples(st.floats(0.1, 20), st.floats(0.05, 5)), min_size=2, max_size=12),
    share=st.floats(0.1, 0.9),
    capacity=st.integers(1, 12),
)
def test_bound_is_the_linear_programme_and_the_gap_is_small(items, share, capacity):
    gain, cost = np.array(items).T
    budget = share * cost.sum()
    bound = gain_bound(gain, cost, budget=budget, capacity=capacity)
    exact = linprog(-gain, A_ub=[cost, np.ones(gain.size)], b_ub=[budget, capacity], bounds=(0, 1))
    assert bound == pytest.approx(-exact.fun, rel=1e-6)
    ids = np.arange(gain.size)
    customers = pd.DataFrame({"customer_id": ids, "ok": True, "cost": cost})
    scores = pd.DataFrame({"customer_id": ids, "score": gain + cost})
    chosen = response.select_targets(
        customers,
        scores,
        consent="ok",
        contact_cost="cost",
        budget=budget,
        capacity=capacity,
        holdout_share=0,
        random_state=0,
    )
    # What the list's end leaves out is at most two customers short of the bound.
    summary = response.selection_summary(chosen, budget=budget, capacity=capacity)
    assert summary["bound_gap"].iloc[0] <= 2 * gain.max() + 1e-6


def test_equal_costs_give_the_exact_optimum():
    customers = pd.DataFrame({"customer_id": range(50), "ok": True})
    scores = pd.DataFrame({"customer_id": range(50), "score": np.linspace(0, 1, 50)})
    chosen = response.select_targets(
        customers, scores, consent="ok", value=10, contact_cost=1, budget=20, holdout_share=0
    )
    assert chosen.loc[chosen["decision"] == "contact", "customer_id"].tolist() == list(
        range(30, 50)
    )
    assert response.selection_summary(chosen, budget=20)["bound_gap"].iloc[0] == pytest.approx(0)
    assert set(chosen.loc[chosen["rank"] > 20, "reason"]) == {"beyond budget"}


def best_by_trying(gain, cost, budget, capacity):
    """The most that any choice of at most one offer each can gain."""
    n, k = gain.shape
    best = 0.0
    for choice in itertools.product(range(k + 1), repeat=n):
        taken = [(i, j - 1) for i, j in enumerate(choice) if j]
        if len(taken) <= capacity and sum(cost[i, j] for i, j in taken) <= budget:
            best = max(best, sum(gain[i, j] for i, j in taken))
    return best


def test_no_choice_gains_more_and_the_bound_is_one():
    rng = np.random.default_rng(0)
    for _ in range(60):
        n, k = rng.integers(1, 6), rng.integers(1, 4)
        score, cost = rng.uniform(0, 20, (n, k)), rng.uniform(0.5, 8, k)
        budget, capacity = rng.uniform(0, 15), int(rng.integers(1, 6))
        customers = pd.DataFrame({"customer_id": range(n), "ok": True})
        scores = pd.DataFrame(
            {
                "customer_id": np.repeat(np.arange(n), k),
                "treatment": np.tile([f"offer {j}" for j in range(k)], n),
                "score": score.ravel(),
            }
        )
        each = {f"offer {j}": cost[j] for j in range(k)}
        chosen = response.select_targets(
            customers, scores, consent="ok", contact_cost=each, budget=budget, capacity=capacity,
            holdout_share=0, random_state=0,
        )  # fmt: skip
        row = response.selection_summary(chosen, budget=budget, capacity=capacity).iloc[0]
        assert row["cost"] <= budget * (1 + 1e-9)
        best = best_by_trying(score - cost, np.tile(cost, (n, 1)), budget, capacity)
        assert row["expected_gain"] == pytest.approx(best)
        assert row["bound"] >= best * (1 - 1e-9)


def test_an_offer_for_each_within_the_budget_is_the_best_of_all():
    customers = pd.DataFrame({"customer_id": range(3), "ok": True})
    worth = np.array([[16.0, 5], [3, 6], [8, 16]])
    scores = pd.DataFrame(
        {
            "customer_id": np.repeat(range(3), 2),
            "treatment": ["card", "call"] * 3,
            "score": worth.ravel(),
        }
    )
    chosen = response.select_targets(
        customers, scores, consent="ok", contact_cost={"card": 1, "call": 4}, budget=5,
        holdout_share=0,
    )  # fmt: skip
    # A card for the first gains 15, a call to the third 12; three cards 15, 2 and 7.
    row = response.selection_summary(chosen, budget=5).iloc[0]
    assert row["expected_gain"] == 27
    assert row["bound"] >= 27


def test_who_does_not_fit_stops_nobody_else():
    customers = pd.DataFrame({"customer_id": range(4), "ok": True, "cost": [11.0, 1, 1, 1]})
    scores = pd.DataFrame({"customer_id": range(4), "score": [100.0, 7, 7, 7]})
    chosen = response.select_targets(
        customers, scores, consent="ok", contact_cost="cost", budget=10, holdout_share=0
    )
    assert chosen["decision"].tolist() == ["no contact", "contact", "contact", "contact"]
    assert chosen.loc[chosen["decision"] == "contact", "expected_gain"].sum() == 18
    # A bound for offers that were not chosen is known to the selection alone.
    table = chosen.assign(treatment="mail").copy()
    table.attrs = {}
    assert np.isnan(response.selection_summary(table, budget=10)["bound"].iloc[0])


def test_many_customers_are_chosen_to_a_thousandth():
    rng = np.random.default_rng(3)
    n = 20_000
    customers = pd.DataFrame({"customer_id": range(n), "ok": True, "cost": rng.lognormal(0, 1, n)})
    scores = pd.DataFrame({"customer_id": range(n), "score": rng.lognormal(1, 1, n)})
    for budget in (5, 500, 5000):
        chosen = response.select_targets(
            customers, scores, consent="ok", contact_cost="cost", budget=budget, holdout_share=0.1,
            random_state=0,
        )  # fmt: skip
        row = response.selection_summary(chosen, budget=budget).iloc[0]
        assert row["bound_gap"] <= 0.01 * row["bound"]
        assert row["cost"] <= budget * (1 + 1e-9)
        assert 0.05 < row["controls"] / max(row["contacts"], 1) < 0.2 or budget == 5


def test_hold_out_is_random_and_costs_nothing():
    n = 20_000
    customers = pd.DataFrame({"customer_id": range(n), "ok": np.arange(n) % 4 > 0})
    scores = pd.DataFrame({"customer_id": range(n), "score": np.arange(n) / n})
    chosen = response.select_targets(
        customers,
        scores,
        consent="ok",
        value=10,
        contact_cost=1,
        capacity=5000,
        holdout_share=0.1,
        random_state=4,
    )
    counts = chosen["decision"].value_counts()
    assert counts["contact"] == 5000
    assert counts["control"] / (5000 + counts["control"]) == pytest.approx(0.1, abs=0.015)
    assert not chosen.loc[~customers["ok"], "decision"].isin(["control", "contact"]).any()
    # Contacts and controls come from the same ranks.
    in_list = chosen["decision"] != "no contact"
    assert chosen.loc[in_list, "rank"].max() <= in_list.sum()
    again = response.select_targets(
        customers,
        scores,
        consent="ok",
        value=10,
        contact_cost=1,
        capacity=5000,
        holdout_share=0.1,
        random_state=5,
    )
    assert (again["decision"] != chosen["decision"]).any()


def consents():
    return pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 3, 4, 5, 6],
            "channel": ["email", "email", "email", "phone", None, "email", "email"],
            "consent": [True, False, True, True, True, None, True],
            "since": pd.to_datetime(
                ["2025-01-01", "2025-03-01", "2025-01-01"] + ["2025-01-01"] * 3 + ["2025-09-01"]
            ),
            "valid_until": pd.to_datetime(
                [None, None, "2025-05-31", None, "2025-06-30", None, None]
            ),
        }
    )


def test_consent_table():
    customers = pd.DataFrame({"customer_id": range(1, 8)})
    scores = customers.assign(p_response=0.5)
    chosen = response.select_targets(
        customers, scores, consent=consents(), channel="email", as_of="2025-06-30", holdout_share=0
    )
    assert chosen["reason"].tolist() == [
        "opted out",  # the later row counts
        "consent expired",
        "no consent",  # for the phone only
        "selected",  # all channels, last day
        "no consent",  # unknown
        "no consent",  # given after the day of the selection
        "no consent",  # not in the table
    ]
    with pytest.raises(InputError, match="`channel`"):
        response.select_targets(customers, scores, consent=consents(), as_of="2025-06-30")
    with pytest.raises(InputError, match="`as_of` is needed"):
        response.select_targets(customers, scores, consent=consents(), channel="email")


def test_an_opt_out_of_the_same_day_wins():
    consent = pd.DataFrame({"customer_id": [1, 1, 1], "consent": [True, False, True]})
    customers = pd.DataFrame({"customer_id": [1]})
    for order in ([0, 1, 2], [1, 0, 2], [2, 0, 1]):
        chosen = response.select_targets(
            customers, customers.assign(score=1.0), consent=consent.iloc[order]
        )
        assert chosen["reason"].tolist() == ["opted out"]


def test_contact_cap_counts_the_window():
    customers = pd.DataFrame({"customer_id": [1, 2, 3], "ok": True})
    contacts = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2, 3, 9],
            "date": pd.to_datetime(
                ["2025-06-01", "2025-06-30", "2025-05-31", "2025-06-10", "2025-07-01", "2025-06-01"]
            ),
        }
    )
    options = {"consent": "ok", "contacts": contacts, "as_of": "2025-06-30", "holdout_share": 0}
    chosen = response.select_targets(
        customers, customers.assign(score=1.0), max_contacts=2, window_days=30, **options
    )
    assert chosen["reason"].tolist() == ["contact cap", "selected", "selected"]
    empty = {**options, "contacts": contacts[:0]}
    chosen = response.select_targets(
        customers, customers.assign(score=1.0), max_contacts=2, window_days=30, **empty
    )
    assert (chosen["reason"] == "selected").all()
    with pytest.raises(InputError, match="max_contacts"):
        response.select_targets(customers, customers.assign(score=1.0), **options)
    with pytest.raises(InputError, match="need `contacts`"):
        response.select_targets(
            customers, customers.assign(score=1.0), consent="ok", max_contacts=1, window_days=3
        )


def test_lists_of_another_kind_of_id_are_refused():
    customers = pd.DataFrame({"customer_id": [1, 2], "ok": True})
    scores = customers[["customer_id"]].assign(score=1.0)
    for suppress in (["1"], pd.DataFrame({"customer_id": ["2"]})):
        with pytest.raises(InputError, match="`suppress` and `customers` do not write"):
            response.select_targets(customers, scores, consent="ok", suppress=suppress)
    with pytest.raises(InputError, match="list of ids"):
        response.select_targets(customers, scores, consent="ok", suppress="blocked")
    chosen = response.select_targets(customers, scores, consent="ok", suppress=[], holdout_share=0)
    assert (chosen["reason"] == "selected").all()


ONE = uuid.UUID(int=1)


@pytest.mark.parametrize(
    ("customer", "suppress"),
    [(str(ONE), ONE), ("B", b"B"), (1, "001"), ("1", "001"), ("B", "B "), ("A1", "a1"), (1, "1")],
)
def test_a_suppressed_customer_is_never_missed_for_the_way_the_id_is_written(customer, suppress):
    customers = pd.DataFrame({"customer_id": [customer, type(customer)(2)], "ok": True})
    scores = customers[["customer_id"]].assign(score=1.0)
    for ids in ([suppress], [suppress, customers["customer_id"][1]]):
        with pytest.raises(InputError, match="`suppress` and `customers` do not write"):
            response.select_targets(customers, scores, consent="ok", suppress=ids)
    as_is = pd.DataFrame({"customer_id": [suppress]})
    with pytest.raises(InputError, match="`scores` and `customers` do not write"):
        response.select_targets(customers, as_is.assign(score=1.0), consent="ok")
    with pytest.raises(InputError, match="`consent` and `customers` do not write"):
        response.select_targets(customers, scores, consent=as_is.assign(consent=False))


def test_nobody_of_a_list_and_some_of_it():
    customers = pd.DataFrame({"customer_id": [1, 2, 3], "ok": True})
    scores = pd.DataFrame({"customer_id": [1, 2, 8, 9], "score": 1.0})
    options = {"consent": "ok", "holdout_share": 0}
    with pytest.raises(InputError, match=r"no customer_id of `suppress` occurs in `customers`"):
        response.select_targets(customers, scores, suppress=[7], **options)
    with pytest.raises(InputError, match=r"`suppress`.*missing"):
        response.select_targets(customers, scores, suppress=[1, None], **options)
    contacts = pd.DataFrame({"customer_id": [3, 4], "date": pd.Timestamp("2025-01-01")})
    chosen = response.select_targets(
        customers,
        scores,
        suppress=pd.Series([2.0, 5.0, 6.0, 7.0, 7.0]),
        contacts=contacts,
        max_contacts=1,
        window_days=10,
        as_of="2025-01-02",
        **options,
    )
    assert chosen["reason"].tolist() == ["selected", "suppressed", "contact cap"]
    assert chosen.attrs["account"] == {
        "scores_unmatched": 2,
        "customers_without_scores": 1,
        "suppress_unmatched": 3,
        "contacts_unmatched": 1,
        "rows": 3,
        "gain_bound": 1.0,
    }
    consent = pd.DataFrame({"customer_id": [1, 2, 2, 4], "consent": True})
    chosen = response.select_targets(customers, scores, consent=consent, holdout_share=0)
    account = chosen.attrs["account"]
    assert (account["consent_unmatched"], account["customers_without_consent"]) == (1, 1)


def test_a_channel_that_nobody_has_is_refused():
    customers = pd.DataFrame({"customer_id": range(1, 8)})
    scores = customers.assign(p_response=0.5)
    for channel in ("Email", "letter", 1):
        with pytest.raises(InputError, match=r"`channel` .* in no row .*\['email', 'phone'\]"):
            response.select_targets(
                customers, scores, consent=consents(), channel=channel, as_of="2025-06-30"
            )
    everywhere = consents().assign(channel=None)
    chosen = response.select_targets(
        customers, scores, consent=everywhere, channel="letter", as_of="2025-06-30"
    )
    assert (chosen["reason"] == "opted out").sum() == 1


@pytest.mark.parametrize("given", [{"channel": "email"}, {"purpose": "news"}])
def test_one_column_of_consent_serves_no_channel(given):
    customers = pd.DataFrame({"customer_id": [1], "ok": True})
    name = next(iter(given))
    with pytest.raises(InputError, match=f"`{name}` chooses rows of a table of consents"):
        response.select_targets(customers, customers.assign(score=1.0), consent="ok", **given)


def test_an_opt_out_without_a_day_wins():
    days = pd.to_datetime([None, "2025-03-01", "2025-09-01"])
    customers = pd.DataFrame({"customer_id": [1, 2, 3]})

    def reason(customer, consent, since):
        """Of the customer whose consents these are; the two others never gave any."""
        table = pd.DataFrame({"customer_id": customer, "consent": consent, "since": since})
        chosen = response.select_targets(
            customers,
            customers.assign(score=1.0),
            consent=table,
            as_of="2025-06-30",
            holdout_share=0,
        )
        return chosen["reason"][customer - 1]

    assert reason(1, [False, True, True], days) == "opted out"
    assert reason(2, [True, False, True], days) == "opted out"  # the latest that has come
    assert reason(3, [True, True, False], days) == "selected"  # the opt-out lies ahead
    assert reason(1, [None, True, True], days) == "selected"
    assert reason(1, [True, None, True], days) == "no consent"


def test_a_score_for_no_treatment_is_refused():
    customers = pd.DataFrame({"customer_id": ["a", "b"], "ok": True})
    scores = pd.DataFrame(
        {"customer_id": ["a", "b", "b"], "treatment": ["x", None, "y"], "score": [0.1, 0.9, 0.2]}
    )
    message = r"`scores`: column 'treatment' is missing in 1 of 3 rows \(first at row 1\)"
    with pytest.raises(InputError, match=message):
        response.select_targets(customers, scores, consent="ok", holdout_share=0)
    chosen = response.select_targets(customers, scores.dropna(), consent="ok", holdout_share=0)
    assert chosen["treatment"].tolist() == ["x", "y"]
    assert chosen["expected_gain"].tolist() == [0.1, 0.2]


def test_best_of_several_offers_is_chosen():
    customers = pd.DataFrame({"customer_id": [1, 2, 3], "ok": True})
    scores = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2, 3],
            "treatment": ["call", "mail"] * 2 + ["mail"],
            "uplift": [0.5, 0.2, 0.12, 0.1, 0.01],
        }
    )
    options = {
        "consent": "ok",
        "value": 10,
        "contact_cost": {"call": 1.5, "mail": 0.5},
        "holdout_share": 0,
    }
    chosen = response.select_targets(customers, scores, **options)
    assert chosen["treatment"].tolist() == ["call", "mail", "mail"]
    assert chosen["expected_gain"].tolist() == pytest.approx([3.5, 0.5, -0.4])
    assert chosen["decision"].tolist() == ["contact", "contact", "no contact"]
    # A short budget buys the cheaper offer where that gives more for the money.
    chosen = response.select_targets(customers, scores, budget=1.0, **options)
    assert chosen.loc[chosen["decision"] == "contact", "cost"].sum() <= 1.0
    with pytest.raises(InputError, match="lacks the treatment"):
        response.select_targets(customers, scores, **{**options, "contact_cost": {"call": 1}})


def test_customers_without_score_stay_and_say_so():
    customers = pd.DataFrame({"customer_id": ["a", "b"], "ok": True})
    scores = pd.DataFrame({"customer_id": ["b", "z"], "score": [1.0, 1.0]})
    chosen = response.select_targets(customers, scores, consent="ok", holdout_share=0, value=0.5)
    assert chosen["reason"].tolist() == ["no score", "selected"]
    assert np.isnan(chosen["expected_gain"].iloc[0])
    with pytest.raises(InputError, match="repeats"):
        response.select_targets(customers, pd.concat([scores, scores]), consent="ok")


def test_consent_in_words_is_yes_or_no():
    customers = pd.DataFrame({"customer_id": [1, 2, 3], "ok": ["yes", "No ", ""]})
    chosen = response.select_targets(
        customers, customers.assign(score=1.0), consent="ok", holdout_share=0
    )
    assert chosen["reason"].tolist() == ["selected", "opted out", "no consent"]
    with pytest.raises(InputError, match="'ok' must be yes or no but is not in 1 of 3 rows"):
        response.select_targets(
            customers.assign(ok=["yes", "no", "maybe"]), customers.assign(score=1.0), consent="ok"
        )


def test_an_offer_costs_what_it_is_worth_to_the_first_who_does_not_get_it():
    gain = np.array([[-np.inf, -np.inf], [5.0, 3.0], [9.0, 4.0]])
    # Nobody, one and five contacts in all, whatever there is room for by the first way.
    room = np.array([[0, 4], [1, 4], [5, 4]])
    group = np.array([[True, True], [True, False]])
    # One contact: the offer is worth 5 rather than 3. Several: 9, as the other comes anyway.
    for most, price in ((1, 2.0), (2, 0.0)):
        limits = Limits(np.inf, 9.0, np.arange(2), np.array([most, np.inf]), room, group)
        assert _offer_price(gain, np.ones((3, 2)), 0.0, np.zeros(2), 0, limits) == price
