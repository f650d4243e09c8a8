import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from crmkit import response
from crmkit.errors import InputError

WAYS = [("card", "email"), ("card", "post"), ("gift", "email"), ("gift", "post")]


def offered(rng, n):
    """Customers, a score for each offer by each channel, and consent for each channel."""
    customers = pd.DataFrame({"customer_id": np.arange(n)})
    consent = {"email": "email_ok", "post": "post_ok"}
    for column in consent.values():
        customers[column] = rng.random(n) < 0.8
    scores = pd.concat(
        customers[["customer_id"]].assign(treatment=offer, channel=channel, score=score)
        for (offer, channel), score in zip(WAYS, rng.uniform(0, 20, (4, n)), strict=True)
    )
    return customers, scores, consent


def best(gain, cost, budget, each, most=1, past=0, by_post=10):
    """The most that any choice gains, by the whole problem as it stands; gains (n, 4)."""
    n = len(gain)
    one = np.kron(np.eye(n), np.ones(4))
    post = np.kron(np.eye(n), np.array([channel == "post" for _, channel in WAYS], dtype=float))
    offer = np.array([[w[0] == name for w in WAYS] * n for name in each], dtype=float)
    rows = np.vstack([one, post, cost.ravel()[None], offer])
    left = np.full(n, most) - past, np.full(n, by_post) - past
    limits = np.concatenate([np.maximum(part, 0) for part in left] + [[budget], [*each.values()]])
    upper = np.isfinite(gain).ravel().astype(float)
    found = milp(
        -np.where(np.isfinite(gain), gain, 0).ravel(), integrality=np.ones(4 * n),
        constraints=LinearConstraint(rows, -np.inf, limits), bounds=Bounds(0, upper),
        options={"mip_rel_gap": 1e-9},
    )  # fmt: skip
    return -found.fun


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_choice_of_offers_and_channels_gains_more(most, long):
    rng = np.random.default_rng(most)
    for _ in range(1000 if long else 25):
        n = int(rng.integers(2, 13))
        customers, scores, consent = offered(rng, n)
        cost = {"email": rng.uniform(0, 2), "post": rng.uniform(1, 8)}
        each = {"card": int(rng.integers(0, most * n)), "gift": int(rng.integers(0, most * n))}
        budget = rng.uniform(0, 3 * most * n)
        # Some had a letter before; so many letters, and contacts of any kind, may be in all.
        past, by_post = rng.integers(0, 2, n), int(rng.integers(1, 4))
        letters = customers.loc[past > 0, ["customer_id"]].assign(
            channel="post", date=pd.Timestamp("2025-06-01")
        )
        found = response.select_targets(
            customers, scores, consent=consent, contact_cost=cost, capacity=each, budget=budget,
            holdout_share=0, contacts_per_customer=most, contacts=letters, window_days=30,
            max_contacts={"post": by_post, None: most}, as_of="2025-06-10", random_state=0,
        )  # fmt: skip
        chosen = found[found["decision"] == "contact"]
        spent = np.array([[cost[channel] for _, channel in WAYS]] * n)
        gain = scores["score"].to_numpy().reshape(4, n).T - spent
        for column, (_, channel) in enumerate(WAYS):
            gain[~customers[consent[channel]].to_numpy(), column] = -np.inf
        gain[gain <= 0] = -np.inf
        row = response.selection_summary(found).iloc[0]
        optimum = best(gain, spent, budget, each, most, past, by_post)
        assert row["expected_gain"] >= 0.99 * optimum - 1e-9
        assert row["bound"] >= optimum * (1 - 1e-9)
        # Nothing that may not be: money, places, consent, too many contacts, one of them twice.
        assert chosen["cost"].sum() <= budget * (1 + 1e-9)
        assert all((chosen["treatment"] == offer).sum() <= most for offer, most in each.items())
        for channel, column in consent.items():
            reached = chosen.loc[chosen["channel"] == channel, "customer_id"]
            assert customers.set_index("customer_id").loc[reached, column].all()
        assert not chosen.duplicated(["customer_id", "treatment", "channel"]).any()
        for part, limit in ((chosen, most), (chosen[chosen["channel"] == "post"], by_post)):
            times = np.bincount(part["customer_id"], minlength=n)
            assert (times + past * (times > 0) <= limit).all()
        assert found["customer_id"].is_monotonic_increasing
        assert found["customer_id"].nunique() == n == row["customers"]


def test_several_contacts_of_one_customer_become_one_arm():
    options = {"consent": "phone", "holdout_share": 0, "contact_cost": 1, "random_state": 0}
    people = pd.DataFrame({"customer_id": range(40), "phone": True})
    offers = pd.concat(
        [people[["customer_id"]].assign(treatment=name, score=score)
         for name, score in (("mail", 9.0), ("call", 5.0))]
    )  # fmt: skip
    selection = response.select_targets(
        people, offers, contacts_per_customer=2, **{**options, "holdout_share": 0.5}
    )
    contacted = selection[selection["decision"] == "contact"]
    assert contacted["treatment"].tolist() == ["mail", "call"] * (len(contacted) // 2)
    assert contacted["expected_gain"].tolist() == [8.0, 4.0] * (len(contacted) // 2)
    came = people.assign(spend=np.arange(40) % 7)
    row = response.campaign_result(came, outcome="spend", selection=selection).iloc[0]
    assert row["treatment"] == "call + mail"
    assert row["customers_treated"] == len(contacted) // 2
    assert row["cost"] == len(contacted)
    assert row["planned_profit"] == pytest.approx(6 * len(contacted))
    again = pd.concat([selection, selection])
    with pytest.raises(InputError, match="repeats without another contact"):
        response.campaign_result(came, outcome="spend", selection=again)


def test_many_customers_offers_and_channels():
    rng = np.random.default_rng(1)
    n = 60_000
    customers, scores, consent = offered(rng, n)
    each = {"card": 9000, "gift": 5000}
    found = response.select_targets(
        customers, scores, consent=consent, contact_cost={"email": 0.5, "post": 2.0},
        value={"card": 1.0, "gift": 1.2}, capacity=each, budget=14_000, holdout_share=0.1,
        random_state=0,
    )  # fmt: skip
    row = response.selection_summary(found).iloc[0]
    assert row["bound_gap"] <= 0.001 * row["bound"]
    chosen = found[found["decision"] == "contact"]
    assert all((chosen["treatment"] == offer).sum() <= most for offer, most in each.items())
    assert row["cost"] <= 14_000 * (1 + 1e-9)
    assert 0.08 < row["controls"] / (row["controls"] + row["contacts"]) < 0.12
    order = rng.permutation(n)
    moved = response.select_targets(
        customers.iloc[order], scores.sample(frac=1, random_state=0), consent=consent,
        contact_cost={"email": 0.5, "post": 2.0}, value={"card": 1.0, "gift": 1.2}, capacity=each,
        budget=14_000, holdout_share=0.1, random_state=0,
    )  # fmt: skip
    pd.testing.assert_frame_equal(moved.sort_values("customer_id", ignore_index=True), found)


def small():
    customers = pd.DataFrame({"customer_id": [1, 2, 3], "mail": ["yes", "no", None], "phone": True})
    scores = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2, 3, 3],
            "channel": ["mail", "phone"] * 3,
            "score": [9.0, 5, 9, 5, 9, 5],
        }
    )
    return customers, scores, {"consent": {"mail": "mail", "phone": "phone"}, "holdout_share": 0}


def test_each_channel_has_a_consent_of_its_own():
    customers, scores, options = small()
    found = response.select_targets(customers, scores, **options)
    assert found["channel"].tolist() == ["mail", "phone", "phone"]
    assert found["expected_gain"].tolist() == [9, 5, 5]
    table = pd.DataFrame(
        {"customer_id": [1, 1, 2, 3], "channel": ["mail", "phone", "phone", "mail"],
         "consent": ["Yes", "no", "yes", "yes"]}
    )  # fmt: skip
    found = response.select_targets(customers, scores, **{**options, "consent": table})
    assert found["channel"].tolist() == ["mail", "phone", "mail"]
    nobody = customers.assign(phone=["no", "no", None])
    found = response.select_targets(nobody, scores, **options)
    assert found["reason"].tolist() == ["selected", "opted out", "no consent"]
    for consent, message in (
        ("mail", "`consent` is one column"),
        ({"mail": "mail"}, r"lacks the channel\(s\) \['phone'\]"),
        (table.assign(channel="mail"), "'phone' occurs in no row of `consent`"),
    ):
        with pytest.raises(InputError, match=message):
            response.select_targets(customers, scores, **{**options, "consent": consent})
    with pytest.raises(InputError, match="leave `channel` out"):
        response.select_targets(customers, scores, **options, channel="mail")
    with pytest.raises(InputError, match="needs a column 'channel'"):
        response.select_targets(customers, scores.drop(columns="channel")[::2], **options)
    with pytest.raises(InputError, match="customer_id and channel repeat"):
        response.select_targets(customers, pd.concat([scores, scores]), **options)


def test_caps_per_channel_and_over_all():
    customers, scores, options = small()
    options["consent"] = {"mail": "phone", "phone": "phone"}
    contacts = pd.DataFrame(
        {"customer_id": [1, 2, 2, 3], "channel": ["mail", "mail", "phone", "phone"],
         "date": pd.Timestamp("2025-06-01")}
    )  # fmt: skip
    options |= {"contacts": contacts, "window_days": 30, "as_of": "2025-06-10"}
    found = response.select_targets(customers, scores, max_contacts={"mail": 1}, **options)
    assert found["channel"].tolist() == ["phone", "phone", "mail"]
    found = response.select_targets(customers, scores, max_contacts={"mail": 1, None: 2}, **options)
    assert found["reason"].tolist() == ["selected", "contact cap", "selected"]
    with pytest.raises(InputError, match="names \\['fax'\\]"):
        response.select_targets(customers, scores, max_contacts={"fax": 1}, **options)
    one = scores.drop(columns="channel")[::2]
    with pytest.raises(InputError, match="per channel needs a column 'channel'"):
        response.select_targets(
            customers, one, max_contacts={"mail": 1}, **{**options, "consent": "phone"}
        )


def test_least_gain_and_places_of_an_offer():
    customers, scores, options = small()
    found = response.select_targets(customers, scores, min_gain=5, **options)
    assert found["reason"].tolist() == ["selected"] + ["not worth the contact"] * 2
    offers = scores.rename(columns={"channel": "treatment"})
    options["consent"] = "phone"
    found = response.select_targets(customers, offers, capacity={"mail": 1}, **options)
    assert sorted(found["treatment"]) == ["mail", "phone", "phone"]
    found = response.select_targets(customers, offers, capacity={"mail": 1, "phone": 1}, **options)
    assert found["reason"].value_counts().to_dict() == {"selected": 2, "beyond capacity": 1}
    with pytest.raises(InputError, match="names \\['fax'\\], which is no treatment"):
        response.select_targets(customers, offers, capacity={"fax": 1}, **options)
    with pytest.raises(InputError, match="`value` lacks the treatment"):
        response.select_targets(customers, offers, value={"mail": 1}, **options)


def held(customers, **options):
    scores = customers[["customer_id"]].assign(score=1.0)
    found = response.select_targets(customers, scores, consent="ok", **options)
    return set(found.loc[found["decision"] == "control", "customer_id"])


def test_a_hold_out_that_lasts():
    everybody = pd.DataFrame({"customer_id": np.arange(20_000), "ok": True})
    first = held(everybody, holdout_key="always")
    assert len(first) == pytest.approx(2000, abs=150)
    # Who comes and goes moves nobody else, and a larger share holds them and more.
    part = everybody.sample(frac=0.9, random_state=0)
    assert held(part, holdout_key="always") == first & set(part["customer_id"])
    assert first < held(everybody, holdout_key="always", holdout_share=0.2)
    assert len(first & held(everybody, holdout_key="spring")) == pytest.approx(200, abs=60)
    # The ids count by value, however they are written.
    for dtype in (str, float, "Int64", "int32", "category"):
        same = held(everybody.astype({"customer_id": dtype}), holdout_key="always")
        assert {int(one) for one in same} == first
    # The number is that of the published hash, so that another system can draw the same.
    import hashlib

    secret = hashlib.blake2b(b"always", digest_size=32).digest()
    whole = hashlib.blake2b(b"7", key=secret, digest_size=8).digest()
    assert (7 in first) == (int.from_bytes(whole, "big") / 2**64 < 0.1)
    with pytest.raises(InputError, match="`holdout_key` must be text"):
        held(everybody, holdout_key=7)


def test_a_hold_out_of_each_group():
    people = pd.DataFrame({"customer_id": np.arange(1000), "ok": True})
    people["land"] = np.where(people["customer_id"] < 40, "small", "large")
    first = held(people, holdout_key="always", holdout_by="land")
    assert len(first) == 100
    assert sum(one < 40 for one in first) == 4
    fewer = held(people[1:], holdout_key="always", holdout_by="land")
    assert len(first ^ fewer) <= 3
    assert len(held(people, random_state=0, holdout_by=["land"])) == 100
    with pytest.raises(InputError, match="`customers` lacks the column"):
        held(people, holdout_by="region")
